"""torch's files read without torch: its zip of a pickle and raw storages, and the older stream of both.

`torch.save` writes a zip whose `data.pkl` refers to storages by persistent ids; each lies raw beside it as `data/N`. A
tensor that is pickled elsewhere (in a .npy, by joblib) holds the older form as bytes. Written by the layout that
torch's own `serialization.py` and `_utils.py` write, version 2.13.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections.abc import Callable, Collection, Mapping
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from .pickle_reading import MAX_FILE_BYTES, TooLarge, load_one, settled, told_as
from .pickle_records import Mark, Names, Record, standard_names

_MAGIC: Final = 0x1950A86A20F9469CFC6C
_LEGACY_START: Final = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_PROTOCOL: Final = 1001
_MAX_AXES: Final = 32
_BFLOAT16: Final = "bfloat16"

# torch's element types that NumPy has, as NumPy names them; bfloat16 becomes float32, which holds each of its values.
_ELEMENTS: Final[Mapping[str, str]] = {
    "float64": "f8", "float32": "f4", "float16": "f2", _BFLOAT16: "u2", "int64": "i8", "int32": "i4", "int16": "i2",
    "int8": "i1", "uint64": "u8", "uint32": "u4", "uint16": "u2", "uint8": "u1", "bool": "b1", "complex64": "c8",
    "complex128": "c16",
}  # fmt: skip
_STORAGES: Final[Mapping[str, str]] = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": _BFLOAT16,
    "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8",
    "ByteStorage": "uint8", "BoolStorage": "bool", "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128", "UntypedStorage": "uint8",
}  # fmt: skip


def is_torch_zip(names: Collection[str]) -> bool:
    """Whether a zip with these members is one of torch's."""
    return any(name.endswith("/data.pkl") or name == "data.pkl" for name in names)


def is_torch_stream(data: bytes) -> bool:
    """Whether the bytes begin as torch's files of before 1.6 do."""
    return data.startswith(_LEGACY_START)


def parse_torch_zip(
    stream: BinaryIO, *, name: str, error: type[InputError] = InputError, skip: Collection[str] = ()
) -> object:
    """What `torch.save` has put into a zip, its tensors as read-only arrays.

    Entries of dictionaries whose key is in `skip` stay `Opaque`, and their storages unread. Raises `error`:
    `file.refused`, `file.damaged`, `file.too_large`.
    """
    with told_as(error, name), zipfile.ZipFile(stream) as archive:
        (top,) = (one.filename[: -len("data.pkl")] for one in archive.infolist() if _is_pickle(one.filename))
        storages = _Storages(_big_endian(archive, top), lambda key: _member(archive, f"{top}data/{key}"))
        pickled = io.BytesIO(_member(archive, f"{top}data.pkl"))
        content = load_one(pickled, _names(), encoding="utf-8", kept=storages.kept)
        return settled(content, skip=skip)


def parse_torch_stream(
    data: bytes, *, name: str, error: type[InputError] = InputError, skip: Collection[str] = ()
) -> object:
    """What `torch.save` has written in the older form. Raises `error` as `parse_torch_zip` does."""
    with told_as(error, name):
        return settled(_legacy(data, _names()), skip=skip)


def torch_names() -> Names:
    """What stands for torch's names in a pickle outside torch's own files, where a tensor holds its storage's bytes."""
    return {**_names(), ("torch.storage", "_load_from_bytes"): _StorageBytes}


class _Storage(Record):
    """A run of elements of one type in a file; `read` gives its bytes once a tensor needs them."""

    __slots__ = ("_big", "_elements", "_read", "count", "kind")

    def __init__(self, kind: str, count: int, big: bool, read: Callable[[], bytes]) -> None:
        self.kind = kind
        self.count = count
        self._big = big  # the byte order that it was written in
        self._read = read
        self._elements: dict[str, npt.NDArray[Any]] = {}

    def __setstate__(self, _state: object) -> None:
        raise pickle.UnpicklingError("the data tries to change a storage")

    def build(self, settle: Callable[[object], object]) -> npt.NDArray[Any]:
        return self.elements(self.kind)

    def elements(self, kind: str) -> npt.NDArray[Any]:
        """All elements as `kind`, read-only; read once. Raises ValueError where the file has too few bytes."""
        if kind not in self._elements:
            self._elements[kind] = self._as(kind)
        return self._elements[kind]

    def _as(self, kind: str) -> npt.NDArray[Any]:
        raw = self._read()
        size = self.count * np.dtype(_ELEMENTS[self.kind]).itemsize
        if len(raw) < size:
            raise ValueError(f"a tensor needs {size} bytes, but the file has {len(raw)}")
        dtype = np.dtype(_ELEMENTS[kind]).newbyteorder(">" if self._big else "<")
        array = np.frombuffer(raw, dtype, size // dtype.itemsize)
        if kind == _BFLOAT16:
            array = (array.astype(np.uint32) << 16).view(np.float32)
        array.setflags(write=False)
        return array


class _Storages:
    """The storages of one file by their keys: each is made once, and all that are read fit the limit together."""

    def __init__(self, big: bool, read: Callable[[str], bytes]) -> None:
        self._big = big
        self._read = read
        self._made: dict[tuple[str, str, int], _Storage] = {}
        self._bytes = 0
        self.sizes: dict[str, int] = {}  # the bytes that the content asks for, by key

    def kept(self, pid: Any) -> _Storage:
        """What a persistent id stands for. Raises UnpicklingError for anything but a storage."""
        kind, key, count = _storage_id(pid)
        size = count * np.dtype(_ELEMENTS[kind]).itemsize
        self.sizes[key] = max(self.sizes.get(key, 0), size)
        made = self._made.get((kind, key, count))
        if made is None:
            made = _Storage(kind, count, self._big, lambda: self._counted(key, size))
            self._made[kind, key, count] = made
        return made

    def _counted(self, key: str, size: int) -> bytes:
        self._bytes += size
        if self._bytes > MAX_FILE_BYTES:
            raise TooLarge(f"has tensors of more than {MAX_FILE_BYTES / 2**20:.0f} MiB")
        return self._read(key)


class _StorageBytes(Record):
    """A storage as bytes of the older form, looked into once a tensor needs it."""

    __slots__ = ("_data",)

    def __init__(self, data: object) -> None:
        self._data = data

    def __setstate__(self, _state: object) -> None:
        raise pickle.UnpicklingError("the data tries to change a storage")

    def opened(self) -> _Storage:
        """The storage. Raises UnpicklingError where the bytes hold anything else."""
        data = self._data
        if not isinstance(data, bytes):
            raise pickle.UnpicklingError("a tensor's storage is not bytes")
        found = _legacy(data, _names())
        if not isinstance(found, _Storage):
            raise pickle.UnpicklingError("a tensor's bytes hold no storage")
        return found

    def build(self, settle: Callable[[object], object]) -> object:
        return self.opened().build(settle)


class _Tensor(Record):
    """A tensor: a view of a storage."""

    __slots__ = ("_axes", "_kind", "_storage")

    def __init__(self, storage: object, offset: object, size: object, stride: object, *rest: object) -> None:
        # rest: requires_grad, backward hooks, metadata; the last says whether the numbers are to be conjugated
        if len(rest) > 2 and rest[2]:
            raise pickle.UnpicklingError("a tensor has conjugated or negated elements, which are not read")
        self._storage = storage
        self._axes = (offset, size, stride)
        self._kind: str | None = None

    def __setstate__(self, _state: object) -> None:
        raise pickle.UnpicklingError("the data tries to change a tensor")

    @classmethod
    def untyped(cls, storage: object, offset: object, size: object, stride: object, *rest: object) -> _Tensor:
        """torch._utils._rebuild_tensor_v3: requires_grad, hooks, the element type, metadata."""
        tensor = cls(storage, offset, size, stride, *rest[:2], *rest[3:])
        kind = rest[2]
        if not isinstance(kind, Mark) or kind.kind not in _ELEMENTS:
            raise pickle.UnpicklingError("a tensor has an element type that is not read")
        tensor._kind = kind.kind
        return tensor

    def build(self, settle: Callable[[object], object]) -> npt.NDArray[Any]:
        storage = self._storage.opened() if isinstance(self._storage, _StorageBytes) else self._storage
        if not isinstance(storage, _Storage):
            raise pickle.UnpicklingError("a tensor has no storage")
        offset, size, stride = _checked(*self._axes)
        if math.prod(size) > MAX_FILE_BYTES:
            raise TooLarge(f"has a tensor of shape {size}")
        elements = storage.elements(self._kind or storage.kind)
        last = offset + sum((count - 1) * step for count, step in zip(size, stride, strict=True))
        if math.prod(size) and last >= len(elements):
            raise ValueError(f"a tensor of shape {size} reaches beyond its {len(elements)} stored numbers")
        if not math.prod(size):
            return elements[:0].reshape(size)
        steps = tuple(step * elements.itemsize for step in stride)
        return np.lib.stride_tricks.as_strided(elements[offset:], size, steps, writeable=False)


def _checked(offset: object, size: object, stride: object) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """Where a tensor lies in its storage. Raises UnpicklingError for anything but whole numbers from 0."""
    for axes in (size, stride, (offset,)):
        if not isinstance(axes, tuple) or not all(type(one) is int and 0 <= one < 2**48 for one in axes):
            raise pickle.UnpicklingError("a tensor has no valid shape")
    assert isinstance(offset, int) and isinstance(size, tuple) and isinstance(stride, tuple)
    if len(size) != len(stride) or len(size) > _MAX_AXES:
        raise pickle.UnpicklingError("a tensor has no valid shape")
    return offset, size, stride


def _first(value: object, *_rest: object) -> object:
    return value


def _as_tuple(values: object = ()) -> tuple[object, ...]:
    if not isinstance(values, tuple | list):
        raise pickle.UnpicklingError("a shape is not a list of numbers")
    return tuple(values)


def _names() -> dict[tuple[str, str], Callable[..., object] | Mark]:
    """What stands for the names in torch's own files."""
    storages = {(module, name): Mark(kind) for name, kind in _STORAGES.items() for module in ("torch", "torch.storage")}
    elements = {("torch", kind): Mark(kind) for kind in _ELEMENTS}
    return {
        **standard_names(),
        **storages,
        **elements,
        ("torch", "Size"): _as_tuple,
        ("torch._utils", "_rebuild_tensor"): _Tensor,
        ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
        ("torch._utils", "_rebuild_tensor_v3"): _Tensor.untyped,
        ("torch._utils", "_rebuild_parameter"): _first,
    }


def _storage_id(pid: Any) -> tuple[str, str, int]:
    """Element type, key and count of a persistent id. Raises UnpicklingError for any other kind."""
    if not (isinstance(pid, tuple) and len(pid) >= 5 and pid[0] == "storage" and isinstance(pid[1], Mark)):
        raise pickle.UnpicklingError("it refers to something that is not a storage")
    kind, key, count = pid[1].kind, pid[2], pid[4]
    if kind not in _ELEMENTS or not (isinstance(key, str) and key.isascii() and key.isdigit()):
        raise pickle.UnpicklingError("it refers to something that is not a storage")
    if type(count) is not int or not 0 <= count <= MAX_FILE_BYTES or any(part is not None for part in pid[5:]):
        raise pickle.UnpicklingError("a storage has a size that is not read")
    return kind, key, count


def _is_pickle(member: str) -> bool:
    return member == "data.pkl" or (member.endswith("/data.pkl") and member.count("/") == 1)


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    size = archive.getinfo(name).file_size
    if size > MAX_FILE_BYTES:
        raise TooLarge(f"unpacks to more than {MAX_FILE_BYTES / 2**20:.0f} MiB")
    return archive.read(name)


def _big_endian(archive: zipfile.ZipFile, top: str) -> bool:
    """What the archive says of its byte order; those of before torch 2.1 say nothing and are little-endian."""
    orders: dict[bytes, bool] = {b"little": False, b"big": True}
    return orders[_member(archive, f"{top}byteorder")] if f"{top}byteorder" in archive.namelist() else False


def _legacy(data: bytes, names: Names) -> object:
    """The content of the older form, unsettled: magic number, version, what the machine was, content, keys, storages.

    Raises one of `STREAM_ERRORS`.
    """
    stream = io.BytesIO(data)
    magic, protocol, system = (load_one(stream, names) for _ in range(3))
    if magic != _MAGIC or protocol != _PROTOCOL or not isinstance(system, dict):
        raise pickle.UnpicklingError("it is not a file of torch's")
    raw: dict[str, bytes] = {}
    storages = _Storages(system.get("little_endian", True) is not True, lambda key: raw[key])
    content = load_one(stream, names, encoding="utf-8", kept=storages.kept)
    keys = load_one(stream, names)
    if not isinstance(keys, list) or len(keys) != len(storages.sizes) or set(keys) != set(storages.sizes):
        raise pickle.UnpicklingError("its storages are not those that its tensors need")
    for key in keys:
        stream.seek(8, io.SEEK_CUR)  # the count of elements, which the content says too
        raw[key] = stream.read(storages.sizes[key])
    return content
