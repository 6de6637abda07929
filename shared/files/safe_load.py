"""Opens .npy, .npz and pickled files from unknown sources without running anything in them.

A pickle is a program: it names functions, and the unpickler calls them. Here every name is looked up in a short list,
and even a listed name gives a stand-in of ours, never NumPy's own function: the stream can only build inert records,
which are checked and turned into arrays after it has ended. torch's names give an `Opaque` value, so that a file with
a tensor in an entry that nobody reads still opens, without torch.
"""

from __future__ import annotations

import ast
import io
import math
import pickle
import pickletools
import zipfile
import zlib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from ..errors import InputError

MAX_FILE_BYTES: Final = 512 * 1024 * 1024
_MAX_OPCODES: Final = 4_000_000
_MAX_DEPTH: Final = 32
_MAX_HEADER_BYTES: Final = 10_000
_NPY_MAGIC: Final = b"\x93NUMPY"
_PLAIN_KINDS: Final = "biufcSU"
_TRUST_HINT: Final = "Use a file from a source you trust, or save it again as plain arrays."
_DAMAGE_HINT: Final = "The file is cut off or damaged: copy or export it again."

# What a damaged or hostile stream makes pickle, zipfile or NumPy raise; anything else is a fault of ours.
_STREAM_ERRORS: Final = (
    pickle.UnpicklingError, ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, OverflowError,
    MemoryError, RecursionError, NotImplementedError, SyntaxError, zipfile.BadZipFile, zlib.error, RuntimeError,
)  # fmt: skip


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


class _Maker:
    """A callable stand-in for a listed name; pickle's BUILD cannot alter it, so one file cannot affect the next."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., object]) -> None:
        self._make = make

    def __call__(self, *args: object) -> object:
        return self._make(*args)

    def __setstate__(self, _state: object) -> None:
        raise pickle.UnpicklingError("the data tries to change a function")


class Record:
    """What the stream builds in place of an object; `build` makes the object once the stream has ended."""

    __slots__ = ()

    def build(self, settle: Callable[[object], object]) -> object:
        """The object; `settle` turns a part of the record into its object. Raises UnpicklingError or ValueError."""
        raise NotImplementedError


class _DType(Record):
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
        if dtype.kind not in _PLAIN_KINDS + "O":
            raise pickle.UnpicklingError(f"arrays of type {dtype} are not supported")
        return dtype.newbyteorder(self._order)


class _ArrayRecord(Record):
    """Record of a pickled ndarray."""

    __slots__ = ("_state",)

    def __init__(self, *_prototype: object) -> None:
        self._state: Any = None

    def __setstate__(self, state: Any) -> None:
        self._state = state[-4:]  # (shape, dtype, fortran order, data), after a version number

    @classmethod
    def from_buffer(cls, data: object, dtype: object, shape: object, order: object) -> _ArrayRecord:
        """numpy._core.numeric._frombuffer, which pickle protocol 5 uses."""
        record = cls()
        record._state = (shape, dtype, {"C": False, "F": True}[str(order)], data)
        return record

    @classmethod
    def from_scalar(cls, dtype: object, data: object) -> _ArrayRecord:
        """numpy._core.multiarray.scalar."""
        return cls.from_buffer(data, dtype, (), "C")

    def build(self, settle: Callable[[object], object]) -> npt.NDArray[Any]:
        if self._state is None:
            raise pickle.UnpicklingError("an array has no content")
        shape, dtype_record, fortran, data = self._state
        if not isinstance(dtype_record, _DType):
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


def _standard_names() -> dict[tuple[str, str], Callable[..., object]]:
    names: dict[tuple[str, str], Callable[..., object]] = {
        ("numpy", "ndarray"): Opaque("ndarray"),
        ("numpy", "dtype"): _DType,
        ("_codecs", "encode"): _latin1_bytes,
        ("collections", "OrderedDict"): dict,
    }
    for builtin in ("builtins", "__builtin__"):  # Python 2's name, which protocol 2 keeps
        names[builtin, "bytearray"] = names[builtin, "bytes"] = _copied_bytes
        names[builtin, "complex"] = complex
        names[builtin, "set"] = set
        names[builtin, "frozenset"] = frozenset
    for core in ("numpy.core", "numpy._core"):  # NumPy 1 and NumPy 2 write different names
        names[core + ".multiarray", "_reconstruct"] = _ArrayRecord
        names[core + ".multiarray", "scalar"] = _ArrayRecord.from_scalar
        names[core + ".numeric", "_frombuffer"] = _ArrayRecord.from_buffer
    return names


class _Refused(pickle.UnpicklingError):
    """The stream asks for a name that is not on the list."""


class _AllowListUnpickler(pickle.Unpickler):
    def __init__(self, data: bytes, encoding: str, names: Mapping[tuple[str, str], Callable[..., object]]) -> None:
        super().__init__(io.BytesIO(data), encoding=encoding)
        self._names = names

    def find_class(self, module: str, name: str, /) -> Any:
        if module == "torch" or module.startswith("torch."):
            return Opaque(f"{module}.{name}")
        make = self._names.get((module, name))
        if make is None:
            raise _Refused(f"{module}.{name}")
        return _Maker(make)


def _scan(data: bytes) -> None:
    """Reads the opcodes without running them: lengths must fit the data, and the memo must not be a memory bomb."""
    for count, (opcode, argument, _position) in enumerate(pickletools.genops(data)):
        if count > _MAX_OPCODES or (opcode.name in ("PUT", "LONG_BINPUT") and int(argument or 0) > _MAX_OPCODES):
            raise pickle.UnpicklingError("the file has far more instructions than data")


def _settled(value: object, done: dict[int, object], depth: int) -> object:
    """The value with every record turned into its object; `done` keeps shared parts shared."""
    if not isinstance(value, dict | list | tuple | set | frozenset | Record | _Maker):
        return value
    if id(value) not in done:
        if depth > _MAX_DEPTH:
            raise pickle.UnpicklingError("the data is nested too deeply")
        done[id(value)] = _rebuilt(value, lambda item: _settled(item, done, depth + 1))
    return done[id(value)]


def _rebuilt(value: object, settle: Callable[[object], object]) -> object:
    match value:
        case Record():
            return value.build(settle)
        case dict():
            return {settle(key): settle(item) for key, item in value.items()}
        case list():
            return [settle(item) for item in value]
        case tuple():
            return tuple(settle(item) for item in value)
        case set() | frozenset():
            return frozenset(settle(item) for item in value)
        case _:
            return Opaque("function")


def unpickle(
    data: bytes,
    *,
    name: str,
    error: type[InputError] = InputError,
    extra: Mapping[tuple[str, str], Callable[..., object]] | None = None,
    encoding: str = "ASCII",
) -> object:
    """The content of a pickle that holds only plain values, NumPy arrays, and names that the caller adds.

    `name` is the file for the message; `extra` maps (module, name) to the function of ours that stands for it, which
    may return a `Record`; `encoding` is for Python 2 streams. Raises `error`: `file.refused` for any other name
    (nothing of it was run), `file.damaged` for a stream that cannot be read.
    """
    try:
        _scan(data)
        value = _AllowListUnpickler(data, encoding, {**_standard_names(), **(extra or {})}).load()
        return _settled(value, {}, 0)
    except _Refused as refusal:
        raise error(
            "file.refused",
            f"{name} was not opened: it asks for {refusal}, which a data file does not need. Nothing in it was run.",
            _TRUST_HINT,
        ) from refusal
    except _STREAM_ERRORS as fault:
        raise error("file.damaged", f"{name} cannot be read: {fault or type(fault).__name__}.", _DAMAGE_HINT) from fault


def _npy_header(data: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Shape, Fortran order, element type and start of the data; raises one of `_STREAM_ERRORS`.

    NumPy's own reader is not used, because it retries a broken header with a tokenizer that fails in further ways.
    """
    major = data[6]
    if major not in (1, 2, 3) or not data.startswith(_NPY_MAGIC):
        raise ValueError("it is not a .npy file")
    width = 2 if major == 1 else 4
    length = int.from_bytes(data[8 : 8 + width], "little")
    start = 8 + width + length
    if length > _MAX_HEADER_BYTES or start > len(data):
        raise ValueError("its header is cut off")
    header = ast.literal_eval(data[8 + width : start].decode("utf-8" if major == 3 else "latin1"))
    descr, fortran, shape = header["descr"], header["fortran_order"], header["shape"]
    if not isinstance(descr, str):
        raise ValueError("arrays with named fields are not read")
    if not (isinstance(shape, tuple) and all(isinstance(size, int) and size >= 0 for size in shape)):
        raise ValueError("its header has no shape")
    return shape, bool(fortran), np.dtype(descr), start


def parse_npy(data: bytes, *, name: str, error: type[InputError] = InputError) -> object:
    """The content of .npy bytes: an array, or what a 0-d object array holds (for example MDM's dict).

    Raises `error`: `file.refused`, or `file.damaged` for a wrong header or too few bytes.
    """
    try:
        shape, fortran, dtype, start = _npy_header(data)
        if dtype.kind in _PLAIN_KINDS:
            flat = np.frombuffer(data, dtype=dtype, count=math.prod(shape), offset=start)
            return flat.reshape(shape, order="F" if fortran else "C")
        if dtype.kind != "O":
            raise ValueError(f"arrays of type {dtype} are not read")
    except _STREAM_ERRORS as fault:
        raise error("file.damaged", f"{name} cannot be read: {fault or type(fault).__name__}.", _DAMAGE_HINT) from fault
    value = unpickle(data[start:], name=name, error=error)
    return value[()] if isinstance(value, np.ndarray) and value.shape == () else value


def read_bytes(path: Path, *, error: type[InputError] = InputError, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """The bytes of a file. Raises `error`: `file.missing`, `file.unreadable`, or `file.too_large`."""
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise error(
                "file.too_large",
                f"{path.name} has {size / 2**20:.0f} MiB; the limit is {max_bytes / 2**20:.0f} MiB.",
                "Shorten it to the frames that you need.",
            )
        return path.read_bytes()
    except FileNotFoundError as fault:
        raise error("file.missing", f"There is no file {path}.", "Check the path.") from fault
    except OSError as fault:
        reason = fault.strerror or type(fault).__name__
        raise error(
            "file.unreadable", f"{path} cannot be read: {reason}.", "Check the path and its permissions."
        ) from fault


def is_npy(data: bytes) -> bool:
    """Whether the bytes begin as a .npy file does."""
    return data.startswith(_NPY_MAGIC)


def is_npz(data: bytes) -> bool:
    """Whether the bytes begin as a .npz (zip) file does."""
    return data.startswith(b"PK\x03\x04")


def is_pickle(data: bytes) -> bool:
    """Whether the bytes begin as a pickle of protocol 2 or later does."""
    return data[:1] == b"\x80" and data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")


def npz_names(data: bytes, *, name: str, error: type[InputError] = InputError) -> tuple[str, ...]:
    """The names of all arrays in .npz bytes; none is opened. Raises `error`: `file.damaged`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return tuple(item.filename.removesuffix(".npy") for item in archive.infolist() if not item.is_dir())
    except _STREAM_ERRORS as fault:
        raise error("file.damaged", f"{name} cannot be read: {fault or type(fault).__name__}.", _DAMAGE_HINT) from fault


def parse_npz(
    data: bytes,
    wanted: Collection[str],
    *,
    name: str,
    error: type[InputError] = InputError,
    max_bytes: int = MAX_FILE_BYTES,
) -> dict[str, object]:
    """The wanted arrays that .npz bytes hold; other members are not opened.

    Raises `error` as `parse_npy` does, and `file.too_large` for wanted members that unpack to more than `max_bytes`.
    """
    found: dict[str, object] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [item for item in archive.infolist() if item.filename.removesuffix(".npy") in wanted]
            if sum(item.file_size for item in members) > max_bytes:
                size = f"{max_bytes / 2**20:.0f} MiB"
                raise error(
                    "file.too_large", f"{name} unpacks to more than {size}.", "Shorten it to the frames that you need."
                )
            contents = {item.filename.removesuffix(".npy"): archive.read(item) for item in members}
    except _STREAM_ERRORS as fault:
        raise error("file.damaged", f"{name} cannot be read: {fault or type(fault).__name__}.", _DAMAGE_HINT) from fault
    for key, content in contents.items():
        found[key] = parse_npy(content, name=f"{name} ({key})", error=error)
    return found
