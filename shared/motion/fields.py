"""Checked access to the entries of a motion file, so that a bad one is named with the file and the key at fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import MotionError
from ..safe_load import Opaque

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fields:
    """The entries of one file; `name` is the file's name for messages."""

    name: str
    entries: Mapping[str, object]

    def __contains__(self, key: str) -> bool:
        return key in self.entries

    def numbers(self, key: str, shape: tuple[int | None, ...]) -> Array:
        """Entry `key` as finite float64 numbers of the given shape, where None stands for any size above 0.

        Raises MotionError: `motion.missing_key`, `motion.wrong_type`, `motion.wrong_shape`, `motion.not_finite`.
        """
        value = self.raw(key)
        if isinstance(value, Opaque):
            raise self.fault("motion.wrong_type", key, "is a torch tensor", "Save it with .cpu().numpy() instead.")
        if not isinstance(value, np.ndarray | np.number | int | float) or np.asarray(value).dtype.kind not in "iuf":
            raise self.fault("motion.wrong_type", key, "is not an array of numbers", "Export the file again.")
        array = np.asarray(value, dtype=np.float64)
        fits = len(array.shape) == len(shape) and all(
            size == want or (want is None and size > 0) for size, want in zip(array.shape, shape, strict=True)
        )
        if not fits:
            wanted = ", ".join("any" if size is None else str(size) for size in shape)
            raise self.fault("motion.wrong_shape", key, f"has shape {array.shape}, not ({wanted})", "Export it again.")
        if not np.isfinite(array).all():
            first = np.argwhere(~np.isfinite(array))[0].tolist()
            raise self.fault(
                "motion.not_finite", key, f"is not finite at index {first}", "Export or generate it again."
            )
        return array

    def whole(self, key: str) -> int:
        """Entry `key` as an int. Raises MotionError as `numbers` does, and `motion.wrong_type` for a fraction."""
        value = float(self.numbers(key, ()))
        if value != int(value):
            raise self.fault("motion.wrong_type", key, f"is {value}, not a whole number", "Export the file again.")
        return int(value)

    def label(self, key: str) -> str:
        """Entry `key` as text; str, bytes and 0-d arrays of either are taken. Raises MotionError otherwise."""
        value = self.raw(key)
        if isinstance(value, np.ndarray) and value.size == 1:
            value = value.reshape(())[()]
        if isinstance(value, bytes):
            return value.decode("utf-8", errors="replace")
        if isinstance(value, str):
            return str(value)
        raise self.fault("motion.wrong_type", key, "is not text", "Export the file again.")

    def raw(self, key: str) -> object:
        """Entry `key` unchecked. Raises MotionError `motion.missing_key`."""
        if key not in self.entries:
            raise self.fault("motion.missing_key", key, "is missing", "Export the file again, with all of its entries.")
        return self.entries[key]

    def fault(self, code: str, key: str, what: str, hint: str) -> MotionError:
        """The error for one entry."""
        return MotionError(code, f"{self.name}: the entry {key!r} {what}.", hint)
