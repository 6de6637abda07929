"""joblib's files read without joblib: a pickle in whose stream each array's bytes lie raw behind its description.

joblib packs the whole stream with zlib, gzip, bz2, lzma or xz if it was asked to. Written by the layout of its
`numpy_pickle.py`, versions 0.10 to 1.6. Arrays of entries that nobody wants are passed over, never read.
"""

from __future__ import annotations

import bz2
import io
import lzma
import math
import os
import pickle
import zlib
from collections.abc import Callable, Collection
from typing import Any, BinaryIO, Final, Protocol

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from .pickle_reading import MAX_FILE_BYTES, MAX_OPCODES, TooLarge, named, settled, told_as
from .pickle_records import ArrayRecord, DTypeRecord, Maker, Names, Record, standard_names

_WRAPPER: Final = ("joblib.numpy_pickle", "NumpyArrayWrapper")
_PIECE: Final = 1 << 20
_MAX_NESTED: Final = 8
_LZMA_MEMORY: Final = 256 * 1024 * 1024


class _Unpacker(Protocol):
    """What zlib, bz2 and lzma share."""

    @property
    def eof(self) -> bool:
        """Whether the packed stream has ended."""

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        """At most `max_length` bytes more."""


def _lzma() -> _Unpacker:
    return lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)


# How a packed file begins, and what unpacks it.
_PACKED: Final[tuple[tuple[bytes, Callable[[], _Unpacker]], ...]] = (
    (b"\x78", zlib.decompressobj),
    (b"\x1f\x8b", lambda: zlib.decompressobj(16 + zlib.MAX_WBITS)),
    (b"BZ", bz2.BZ2Decompressor),
    (b"\x5d\x00", _lzma),
    (b"\xfd7zXZ", _lzma),
)


def is_packed(data: bytes) -> bool:
    """Whether the bytes begin as a file does that joblib has packed."""
    return any(data.startswith(start) for start, _unpacker in _PACKED)


def unpacked(
    stream: BinaryIO, *, name: str, error: type[InputError] = InputError, max_bytes: int = MAX_FILE_BYTES
) -> BinaryIO:
    """The stream itself, or what it unpacks to. Raises `error`: `file.damaged`, `file.too_large`."""
    start = stream.read(8)
    stream.seek(0)
    for mark, unpacker in _PACKED:
        if start.startswith(mark):
            with told_as(error, name):
                return io.BytesIO(_all_of(stream, unpacker(), max_bytes))
    return stream


def parse_joblib(
    stream: BinaryIO,
    *,
    name: str,
    error: type[InputError] = InputError,
    extra: Names | None = None,
    skip: Collection[str] = (),
) -> object:
    """What `joblib.dump` has written to a file that can be sought in; a plain pickle is one too.

    `extra` and `skip` are those of `safe_load.unpickle`. Raises `error`: `file.refused`, `file.damaged`,
    `file.too_large`.
    """
    with told_as(error, name):
        size = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        names = {**standard_names(), **(extra or {})}
        return settled(_Unpickler(stream, size, names, 0).load(), skip=skip)


class _RawArray(Record):
    """An array whose bytes lie in the stream; where they lie is known once its description is complete."""

    __slots__ = ("_array", "_owner")

    def __init__(self, owner: _Unpickler) -> None:
        self._owner = owner
        self._array: Record | None = None

    def __setstate__(self, state: Any) -> None:
        if self._array is not None or not isinstance(state, dict):
            raise pickle.UnpicklingError("an array is described twice")
        self._array = self._owner.array_here(state)

    def build(self, settle: Callable[[object], object]) -> npt.NDArray[Any]:
        if self._array is None:
            raise pickle.UnpicklingError("an array has no content")
        return np.asarray(self._array.build(settle))


class _Bytes(Record):
    """An array as a place in the stream."""

    __slots__ = ("_dtype", "_fortran", "_offset", "_shape", "_stream")

    def __init__(
        self, stream: BinaryIO, offset: int, dtype: np.dtype[Any], shape: tuple[int, ...], fortran: bool
    ) -> None:
        self._stream, self._offset = stream, offset
        self._dtype, self._shape, self._fortran = dtype, shape, fortran

    def build(self, settle: Callable[[object], object]) -> npt.NDArray[Any]:
        count = math.prod(self._shape)
        if count * self._dtype.itemsize > MAX_FILE_BYTES:
            raise TooLarge(f"has an array of shape {self._shape}")
        self._stream.seek(self._offset)
        raw = self._stream.read(count * self._dtype.itemsize)
        flat = np.frombuffer(raw, self._dtype, count)
        return flat.reshape(self._shape, order="F" if self._fortran else "C")


class _Unpickler(pickle._Unpickler):
    """Python's own unpickler instead of C's, because it reads no further than its instructions, so that raw bytes may
    follow each of them. Instructions are counted; those that would make objects make records."""

    def __init__(self, stream: BinaryIO, size: int, names: Names, nested: int) -> None:
        super().__init__(_Bounded(stream, size), encoding="latin1")
        self._stream, self._size, self._nested = stream, size, nested
        self._names: Names = {**names, _WRAPPER: lambda: _RawArray(self)}
        # `load` looks instructions up in `dispatch`: an own one counts them
        self.dispatch = _Counted(  # type: ignore[misc]
            {**super().dispatch, pickle.NEWOBJ[0]: _new_object, pickle.BYTEARRAY8[0]: _byte_array}
        )

    def find_class(self, module: str, name: str, /) -> Any:
        return named(self._names, module, name)

    def array_here(self, state: dict[Any, Any]) -> Record:
        """The array that is described, with its bytes or its pickle at the stream's position; the stream is then
        behind it. Raises UnpicklingError."""
        if not isinstance(state.get("dtype"), DTypeRecord):
            raise pickle.UnpicklingError("an array has no element type")
        dtype = state["dtype"].build(lambda part: part)
        shape = state.get("shape")
        if not isinstance(shape, tuple) or not all(type(one) is int and 0 <= one < 2**48 for one in shape):
            raise pickle.UnpicklingError("an array has no valid shape")
        if dtype.kind == "O":
            return self._objects()
        if state.get("numpy_array_alignment_bytes") is not None:
            padding = self._stream.read(1)
            self._stream.seek(padding[0], os.SEEK_CUR)
        offset = self._stream.tell()
        end = offset + math.prod(shape) * dtype.itemsize
        if end > self._size:
            raise ValueError(f"an array of shape {shape} is cut off")
        self._stream.seek(end)
        return _Bytes(self._stream, offset, dtype, shape, state.get("order") == "F")

    def _objects(self) -> Record:
        """An array of objects: a pickle of its own follows."""
        if self._nested >= _MAX_NESTED:
            raise pickle.UnpicklingError("the data is nested too deeply")
        found = _Unpickler(self._stream, self._size, self._names, self._nested + 1).load()
        if not isinstance(found, ArrayRecord):
            raise pickle.UnpicklingError("an array of objects is none")
        return found


class _Bounded:
    """A stream of known size that makes room for no more than it has."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream, self._size = stream, size
        self.readline = stream.readline

    def read(self, count: int, /) -> bytes:
        """`count` bytes, or fewer at the end. Raises EOFError for a large count that the stream does not have."""
        if count > _PIECE and count > self._size - self._stream.tell():
            raise EOFError("it is cut off")
        return self._stream.read(count)


class _Counted(dict[int, Callable[[Any], None]]):
    """Instructions by their codes; more than a data file has are refused."""

    def __init__(self, instructions: dict[int, Callable[[Any], None]]) -> None:
        super().__init__(instructions)
        self._count = 0

    def __getitem__(self, code: int) -> Callable[[Any], None]:
        self._count += 1
        if self._count > MAX_OPCODES:
            raise pickle.UnpicklingError("the file has far more instructions than data")
        return super().__getitem__(code)


def _new_object(unpickler: Any) -> None:
    """NEWOBJ: of the listed names alone, as a call of what stands for them."""
    arguments = unpickler.stack.pop()
    made = unpickler.stack.pop()
    if not isinstance(made, Maker) or not isinstance(arguments, tuple):
        raise pickle.UnpicklingError("it makes objects of an unknown kind")
    unpickler.append(made(*arguments))


def _byte_array(unpickler: Any) -> None:
    """BYTEARRAY8: as bytes, which nothing later can make longer."""
    unpickler.append(unpickler.read(int.from_bytes(unpickler.read(8), "little")))


def _all_of(stream: BinaryIO, unpacker: _Unpacker, max_bytes: int) -> bytes:
    """Everything that a packed stream holds. Raises one of `STREAM_ERRORS`."""
    pieces: list[bytes] = []
    size = 0
    while not unpacker.eof:
        packed = _left(unpacker) or stream.read(_PIECE)
        piece = unpacker.decompress(packed, _PIECE)
        if not packed and not piece:
            raise ValueError("its packed content is cut off")
        size += len(piece)
        if size > max_bytes:
            raise TooLarge(f"unpacks to more than {max_bytes / 2**20:.0f} MiB")
        pieces.append(piece)
    return b"".join(pieces)


def _left(unpacker: _Unpacker) -> bytes:
    """zlib hands back what it had no room for; the other two keep it themselves."""
    left: bytes = getattr(unpacker, "unconsumed_tail", b"")
    return left
