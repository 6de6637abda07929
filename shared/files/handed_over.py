"""Plain values and arrays as bytes for another process, and back: a line of strict JSON, then an .npz without pickles.

Arrays of one element type lie in one array of the .npz, because a file may hold ten thousand small ones. The reading
side trusts nothing: each place is checked against what is there.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .pickle_reading import TooLarge
from .pickle_records import PLAIN_KINDS, Opaque
from .safe_load import parse_npz
from .strict_json import StrictJSONError, as_text, convert, dump_json, parse_json

_MOST_VALUES: Final = 2_000_000
_INT_LIMIT: Final = 2**63


def handed_over(value: object) -> bytes:
    """The value as bytes. Raises TooLarge where a few shared parts stand for millions of values."""
    packing = _Packing()
    tree = packing.packed(value)
    return dump_json({"tree": tree}) + b"\n" + packing.arrays()


def taken_over(data: bytes) -> object:
    """The value that `handed_over` has written. Raises StrictJSONError, or InputError for a broken .npz."""
    line, _, arrays = data.partition(b"\n")
    content = convert(parse_json(line), dict[str, Any])
    found = parse_npz(arrays, [f"a{index}" for index in range(64)], name="the reading process's answer", pickles=False)
    flat = {key: array for key, array in found.items() if isinstance(array, np.ndarray)}
    return _unpacked(content.get("tree"), flat)


class _Packing:
    """The arrays so far, in the order in which they are packed."""

    def __init__(self) -> None:
        self._flat: dict[str, list[npt.NDArray[Any]]] = {}
        self._sizes: dict[str, int] = {}
        self._placed: dict[int, list[Any]] = {}
        self._kept: list[object] = []  # ids stay those of living arrays
        self._values = 0

    def arrays(self) -> bytes:
        """The .npz."""
        stream = io.BytesIO()
        members = {f"a{index}": np.concatenate(parts) for index, parts in enumerate(self._flat.values())}
        np.savez(stream, allow_pickle=False, **members)
        return stream.getvalue()

    def packed(self, value: object) -> object:
        """The value's tree: scalars as themselves, all else as a list that begins with its kind."""
        self._values += 1
        if self._values > _MOST_VALUES:
            raise TooLarge("has more values than a motion file needs")
        match value:
            case None | bool():
                return value
            case int():
                return value if -_INT_LIMIT <= value < _INT_LIMIT else ["opaque", "a large number"]
            case float():
                return value if math.isfinite(value) else self._array(np.array(value))
            case str():
                return as_text(value)
            case dict():
                return ["dict", *([self.packed(key), self.packed(item)] for key, item in value.items())]
            case list() | tuple() | frozenset():
                return [type(value).__name__, *map(self.packed, value)]
            case bytes():
                return ["bytes", *self._array(np.frombuffer(value, np.uint8))[1:]]
            case np.ndarray():
                return self._array(value)
            case _:
                return ["opaque", value.kind if isinstance(value, Opaque) else type(value).__name__]

    def _array(self, array: npt.NDArray[Any]) -> list[Any]:
        if array.dtype.kind == "O":
            return ["objects", list(array.shape), *map(self.packed, array.reshape(-1))]
        if array.dtype.kind not in PLAIN_KINDS:
            return ["opaque", str(array.dtype)]
        if id(array) not in self._placed:
            kind = array.dtype.newbyteorder("<").str
            offset = self._sizes.get(kind, 0)
            self._flat.setdefault(kind, []).append(np.ascontiguousarray(array, np.dtype(kind)).reshape(-1))
            self._sizes[kind] = offset + array.size
            member = list(self._flat).index(kind)
            self._placed[id(array)] = ["array", member, offset, list(array.shape)]
            self._kept.append(array)
        return self._placed[id(array)]


def _unpacked(node: Any, flat: Mapping[str, npt.NDArray[Any]]) -> object:
    if not isinstance(node, list):
        if isinstance(node, dict):
            raise StrictJSONError("an object stands where none may")
        return node
    if not node or node[0] not in _KINDS:
        raise StrictJSONError("a value is of an unknown kind")
    return _KINDS[node[0]](node[1:], flat)


def _placed(parts: list[Any], flat: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
    member, offset, shape = parts
    if not all(type(one) is int and one >= 0 for one in (member, offset, *convert(shape, tuple[int, ...]))):
        raise StrictJSONError("an array has no valid place")
    whole = flat.get(f"a{member}")
    end = offset + math.prod(shape)
    if whole is None or end > len(whole):
        raise StrictJSONError("an array lies outside what was handed over")
    return whole[offset:end].reshape(shape)


def _objects(parts: list[Any], flat: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
    array = np.empty(len(parts) - 1, dtype=object)
    for index, item in enumerate(parts[1:]):
        array[index] = _unpacked(item, flat)
    return array.reshape(convert(parts[0], tuple[int, ...]))


def _pairs(parts: list[Any], flat: Mapping[str, npt.NDArray[Any]]) -> dict[object, object]:
    return {_unpacked(key, flat): _unpacked(item, flat) for key, item in parts}


_Unpack = Callable[[list[Any], Mapping[str, npt.NDArray[Any]]], object]
_KINDS: Final[Mapping[str, _Unpack]] = {
    "dict": _pairs,
    "list": lambda parts, flat: [_unpacked(item, flat) for item in parts],
    "tuple": lambda parts, flat: tuple(_unpacked(item, flat) for item in parts),
    "frozenset": lambda parts, flat: frozenset(_unpacked(item, flat) for item in parts),
    "bytes": lambda parts, flat: _placed(parts, flat).tobytes(),
    "array": _placed,
    "objects": _objects,
    "opaque": lambda parts, flat: Opaque(str(parts[0])),
}
