"""Checked access to the entries of a motion file, so that a bad one is named with the file and the key at fault.

What only decorates the numbers is no fault: lists for arrays, object arrays, axes of length one, any kind of number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ...errors import MotionError
from ...files.safe_load import MAX_FILE_BYTES, Opaque

Array = npt.NDArray[np.float64]

_MOST_NUMBERS: Final = MAX_FILE_BYTES // 8
_LARGEST_FLOAT: Final = float(np.finfo(np.float64).max)
_LARGEST: Final = 1e9  # beyond it a number is an angle or a place of nobody, and its square soon none at all
BARE: Final = "array"  # the key of what a file holds that is one array without a name


@dataclass(frozen=True, slots=True)
class Fields:
    """The entries of one file; `name` is the file's name for messages, `unopened` the entries that no reader wants."""

    name: str
    entries: Mapping[str, object]
    unopened: tuple[str, ...] = ()

    def __contains__(self, key: str) -> bool:
        """Whether there is such an entry; one that holds None counts as left out."""
        return not _is_none(self.entries.get(key))

    def first(self, *keys: str) -> str | None:
        """The first of `keys` that the file has."""
        return next((key for key in keys if key in self), None)

    def numbers(self, key: str, shape: tuple[int | None, ...]) -> Array:
        """Entry `key` as finite float64 numbers of the given shape, where None stands for any size above 0.

        Axes of length one are dropped or added where the shape asks for it. Raises MotionError: `motion.missing_key`,
        `motion.wrong_type`, `motion.wrong_shape`, `motion.not_finite`.
        """
        array = with_axes(self.array(key), len(shape))
        fits = len(array.shape) == len(shape) and all(
            size == want or (want is None and size > 0) for size, want in zip(array.shape, shape, strict=True)
        )
        if not fits:
            wanted = ", ".join("any" if size is None else str(size) for size in shape)
            raise self.fault("motion.wrong_shape", key, f"has shape {np.shape(array)}, not ({wanted})")
        return self.finite(key, array)

    def array(self, key: str) -> Array:
        """Entry `key` as numbers of whatever shape, finite or not. Raises MotionError as `numbers` does."""
        value = self.raw(key)
        if isinstance(value, Opaque):
            raise self.fault("motion.wrong_type", key, "is a torch tensor", "Save it with .cpu().numpy() instead.")
        array = as_numbers(value)
        if array is None:
            raise self.fault("motion.wrong_type", key, "is not an array of numbers")
        return array

    def rows(self, key: str) -> int:
        """How long the first axis of entry `key` is. Raises MotionError as `numbers` does."""
        array = self.array(key)
        if not array.ndim:
            raise self.fault("motion.wrong_shape", key, "is a single number, not one for each frame")
        return len(array)

    def finite(self, key: str, array: Array) -> Array:
        """The array, if it has no NaN, no infinity and no number near it. Raises MotionError `motion.not_finite`."""
        if not np.isfinite(array).all():
            first = np.argwhere(~np.isfinite(array))[0].tolist()
            raise self.fault(
                "motion.not_finite",
                key,
                f"is not finite at index {first}",
                "Generate the motion again, or remove these frames.",
            )
        if np.abs(array).max(initial=0.0) > _LARGEST:
            first = np.argwhere(np.abs(array) > _LARGEST)[0].tolist()
            what = f"is {array[tuple(first)]:.0e} at index {first}, too large for a motion"
            raise self.fault("motion.not_finite", key, what, "Generate the motion again, or remove these frames.")
        return array

    def whole(self, key: str) -> int | None:
        """Entry `key` as a whole number; None where it is left out or is none."""
        array = as_numbers(self.entries.get(key))
        if array is None or array.size != 1 or not float(array.item()).is_integer() or abs(array.item()) > _LARGEST:
            return None
        return int(array.item())

    def label(self, key: str) -> str:
        """Entry `key` as text: str, bytes, and arrays of one of them; empty where it is left out or is no text."""
        value = self.entries.get(key)
        while isinstance(value, list | tuple | np.ndarray) and len(_items(value)) == 1:
            value = _items(value)[0]
        if isinstance(value, bytes):
            return value.decode("utf-8", errors="replace")
        return str(value) if isinstance(value, str) else ""

    def raw(self, key: str) -> object:
        """Entry `key` unchecked. Raises MotionError `motion.missing_key`."""
        if key not in self:
            raise self.fault("motion.missing_key", key, "is missing", f"The file has: {self._listed()}.")
        return self.entries[key]

    def fault(self, code: str, key: str, what: str, hint: str = "") -> MotionError:
        """The error for one entry."""
        where = "the array" if key == BARE else f"the entry {key!r}"
        return MotionError(code, f"{self.name}: {where} {what}.", hint)

    def _listed(self) -> str:
        keys = [*self.entries, *self.unopened]
        return ", ".join(map(repr, keys[:12])) + (", ..." if len(keys) > 12 else "")


def as_numbers(value: object) -> Array | None:
    """The value as float64 numbers; lists, tuples and object arrays are gone through. None where it is none."""
    return _gathered(value) if _count(value, {}) <= _MOST_NUMBERS else None


def _gathered(value: object) -> Array | None:
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":
        return value.astype(np.float64) if value.dtype.kind in "iuf" else None
    if isinstance(value, list | tuple | np.ndarray):
        parts = [_gathered(item) for item in _items(value)]
        kept = [part for part in parts if part is not None]
        if len(kept) < len(parts) or len({part.shape for part in kept}) > 1:
            return None
        outer = value.shape if isinstance(value, np.ndarray) else (len(value),)
        return np.stack(kept).reshape(outer + kept[0].shape) if kept else np.zeros(outer)
    if isinstance(value, np.number | int | float) and not isinstance(value, bool | np.complexfloating):
        if isinstance(value, int) and abs(value) > _LARGEST_FLOAT:  # Python's whole numbers have any size
            return None
        return np.asarray(value, dtype=np.float64)
    return None


def _items(value: list[object] | tuple[object, ...] | npt.NDArray[np.object_]) -> list[object]:
    return list(value.reshape(-1)) if isinstance(value, np.ndarray) else list(value)


def _count(value: object, counted: dict[int, int]) -> int:
    """How many numbers come out where one list stands in several places: a few nested ones make millions of them."""
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":
        return value.size
    if not isinstance(value, list | tuple | np.ndarray):
        return 1
    if id(value) not in counted:
        counted[id(value)] = sum(_count(item, counted) for item in _items(value))
    return counted[id(value)]


def with_axes(array: Array, count: int) -> Array:
    """The array with `count` axes, as far as axes of length one can be dropped (outer ones first) or put in front."""
    while array.ndim > count and 1 in array.shape:
        ones = [axis for axis, size in enumerate(array.shape) if size == 1]
        outer = [axis for axis in ones if axis in (0, array.ndim - 1)]
        array = np.squeeze(array, axis=(outer or ones)[0])
    return array.reshape((1,) * (count - array.ndim) + array.shape) if array.ndim < count else array


def _is_none(value: object) -> bool:
    if isinstance(value, np.ndarray) and value.dtype.kind == "O" and value.size == 1:
        value = value.reshape(-1)[0]
    return value is None
