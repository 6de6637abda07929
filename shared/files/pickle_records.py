"""What a pickle's stream builds in place of functions and objects: inert stand-ins, and records for later arrays.

A pickle is a program: it names functions, and the unpickler calls them. Each name that may occur is here, with what
stands for it; nothing here acts on anything but its own arguments.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

PLAIN_KINDS: Final = "biufcSU"


class Opaque:
    """Stands for a value that is not opened, such as a torch tensor; whatever pickle does to it has no effect."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __call__(self, *_args: object, **_kwargs: object) -> Opaque:
        return Opaque(self.kind)

    def __setstate__(self, _state: object) -> None:
        return

    def __setitem__(self, _key: object, _value: object) -> None:
        return

    def append(self, _value: object) -> None:
        """Ignored."""

    def extend(self, _values: object) -> None:
        """Ignored."""


class Maker:
    """A callable stand-in for a listed name; pickle's BUILD cannot alter it, so one file cannot affect the next."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., object]) -> None:
        self._make = make

    def __call__(self, *args: object) -> object:
        return self._make(*args)

    def __setstate__(self, _state: object) -> None:
        raise pickle.UnpicklingError("the data tries to change a function")


class Mark:
    """Stands for a listed name that is a value, such as torch's name of an element type; nothing can alter it."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __setstate__(self, _state: object) -> None:
        raise pickle.UnpicklingError("the data tries to change a value")


# What stands for each (module, name) that a stream may ask for.
Names = Mapping[tuple[str, str], Callable[..., object] | Mark]


class Record:
    """What the stream builds in place of an object; `build` makes the object once the stream has ended."""

    __slots__ = ()

    def build(self, settle: Callable[[object], object]) -> object:
        """The object; `settle` turns a part of the record into its object. Raises UnpicklingError or ValueError."""
        raise NotImplementedError


class DTypeRecord(Record):
    """Record of numpy.dtype(code); `__setstate__` adds the byte order."""

    __slots__ = ("_code", "_order")

    def __init__(self, code: object, _align: object = False, _copy: object = True) -> None:
        self._code = code
        self._order: Literal["<", ">", "="] = "="

    def __setstate__(self, state: Any) -> None:
        if state[2] is not None or state[3] is not None:
            raise pickle.UnpicklingError("arrays with named fields are not supported")
        orders: dict[str, Literal["<", ">", "="]] = {"<": "<", ">": ">", "=": "=", "|": "="}
        self._order = orders[state[1]]

    def build(self, settle: Callable[[object], object]) -> np.dtype[Any]:
        if not isinstance(self._code, str) or len(self._code) > 16:
            raise pickle.UnpicklingError("an array has no plain element type")
        dtype = np.dtype(self._code)
        if dtype.kind not in PLAIN_KINDS + "O":
            raise pickle.UnpicklingError(f"arrays of type {dtype} are not supported")
        return dtype.newbyteorder(self._order)


class ArrayRecord(Record):
    """Record of a pickled ndarray."""

    __slots__ = ("_state",)

    def __init__(self, *_prototype: object) -> None:
        self._state: Any = None

    def __setstate__(self, state: Any) -> None:
        self._state = state[-4:]  # (shape, dtype, fortran order, data), after a version number

    @classmethod
    def from_buffer(cls, data: object, dtype: object, shape: object, order: object) -> ArrayRecord:
        """numpy._core.numeric._frombuffer, which pickle protocol 5 uses."""
        record = cls()
        record._state = (shape, dtype, {"C": False, "F": True}[str(order)], data)
        return record

    @classmethod
    def from_scalar(cls, dtype: object, data: object) -> ArrayRecord:
        """numpy._core.multiarray.scalar."""
        return cls.from_buffer(data, dtype, (), "C")

    def build(self, settle: Callable[[object], object]) -> npt.NDArray[Any]:
        if self._state is None:
            raise pickle.UnpicklingError("an array has no content")
        shape, dtype_record, fortran, data = self._state
        if not isinstance(dtype_record, DTypeRecord):
            raise pickle.UnpicklingError("an array has no element type")
        order: Any = "F" if fortran else "C"
        dtype = dtype_record.build(settle)
        if dtype.kind == "O":
            array = np.empty(len(data), dtype=object)
            for index, item in enumerate(data):
                array[index] = settle(item)
            return array.reshape(shape, order=order)
        raw = data.encode("latin1") if isinstance(data, str) else bytes(data)
        return np.frombuffer(raw, dtype=dtype, count=math.prod(shape)).reshape(shape, order=order)


def _latin1_bytes(text: object, encoding: object = "latin1") -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1", "iso-8859-1"):
        raise pickle.UnpicklingError("only latin1 text can become bytes")
    return text.encode("latin1")


def _copied_bytes(*content: object) -> bytes:
    if not content:
        return b""
    if len(content) > 1 or not isinstance(content[0], bytes | bytearray):  # an int would allocate that many bytes
        raise pickle.UnpicklingError("bytes can only be made from bytes")
    return bytes(content[0])


def _empty_dict(*_factory: object) -> dict[object, object]:
    return {}


def standard_names() -> dict[tuple[str, str], Callable[..., object] | Mark]:
    """What stands for the names of plain values and NumPy arrays."""
    names: dict[tuple[str, str], Callable[..., object] | Mark] = {
        ("numpy", "ndarray"): Opaque("ndarray"),
        ("numpy", "dtype"): DTypeRecord,
        ("_codecs", "encode"): _latin1_bytes,
        ("collections", "OrderedDict"): dict,
        ("collections", "defaultdict"): _empty_dict,
    }
    for builtin in ("builtins", "__builtin__"):  # Python 2's name, which protocol 2 keeps
        names[builtin, "bytearray"] = names[builtin, "bytes"] = _copied_bytes
        names[builtin, "complex"] = complex
        names[builtin, "dict"] = names[builtin, "list"] = Mark("a type")  # what a defaultdict makes
        names[builtin, "set"] = set
        names[builtin, "frozenset"] = frozenset
    for core in ("numpy.core", "numpy._core"):  # NumPy 1 and NumPy 2 write different names
        names[core + ".multiarray", "_reconstruct"] = ArrayRecord
        names[core + ".multiarray", "scalar"] = ArrayRecord.from_scalar
        names[core + ".numeric", "_frombuffer"] = ArrayRecord.from_buffer
    return names
