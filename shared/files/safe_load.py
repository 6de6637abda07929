"""Opens .npy, .npz and pickled files from unknown sources without running anything in them.

A pickle is a program: it names functions, and the unpickler calls them. Here every name is looked up in a short list,
and even a listed name gives a stand-in of ours, never NumPy's own function (`pickle_records`, `pickle_reading`): the
stream can only build inert records, which are checked and turned into arrays after it has ended. torch's names give an
`Opaque` value, so that a file with a tensor in an entry that nobody reads still opens; `torch_file` reads tensors.
"""

from __future__ import annotations

import ast
import io
import math
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

import numpy as np

from ..errors import InputError
from .pickle_reading import MAX_FILE_BYTES, SHORTEN_HINT, TRUST_HINT, TooLarge, load_one, settled, told_as
from .pickle_records import PLAIN_KINDS, Names, Opaque, Record, standard_names

__all__ = [
    "MAX_FILE_BYTES", "Opaque", "Record", "file_fault", "has_objects", "is_npy", "is_npz", "is_pickle", "npz_names",
    "parse_npy", "parse_npz", "read_bytes", "unpickle", "wanted_members",
]  # fmt: skip

_MAX_HEADER_BYTES: Final = 10_000
_NPY_MAGIC: Final = b"\x93NUMPY"


def unpickle(
    data: bytes,
    *,
    name: str,
    error: type[InputError] = InputError,
    extra: Names | None = None,
    encoding: str = "ASCII",
    skip: Collection[str] = (),
) -> object:
    """The content of a pickle that holds only plain values, NumPy arrays, and names that the caller adds.

    `name` is the file for the message; `extra` maps (module, name) to the function of ours that stands for it, which
    may return a `Record`; `encoding` is for Python 2 streams; entries of dictionaries whose key is in `skip` stay
    `Opaque`. Raises `error`: `file.refused` for any other name (nothing of it was run), `file.damaged` for a stream
    that cannot be read, `file.too_large` for arrays that come to more than `MAX_FILE_BYTES`.
    """
    with told_as(error, name):
        value = load_one(io.BytesIO(data), {**standard_names(), **(extra or {})}, encoding=encoding)
        return settled(value, skip=skip)


def _npy_header(data: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Shape, Fortran order, element type and start of the data; raises one of `STREAM_ERRORS`.

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


def has_objects(data: bytes) -> bool:
    """Whether .npy bytes, or their first ones with the header, are of an array that must be unpickled.

    Raises one of `STREAM_ERRORS` for a broken header.
    """
    return _npy_header(data)[2].kind == "O"


def parse_npy(
    data: bytes,
    *,
    name: str,
    error: type[InputError] = InputError,
    extra: Names | None = None,
    skip: Collection[str] = (),
    pickles: bool = True,
) -> object:
    """The content of .npy bytes: an array, or what a 0-d object array holds (for example MDM's dict).

    `extra` and `skip` are those of `unpickle`; without `pickles`, objects are refused. Raises `error`:
    `file.refused`, or `file.damaged` for a wrong header or too few bytes.
    """
    with told_as(error, name):
        shape, fortran, dtype, start = _npy_header(data)
        if dtype.kind in PLAIN_KINDS:
            flat = np.frombuffer(data, dtype=dtype, count=math.prod(shape), offset=start)
            return flat.reshape(shape, order="F" if fortran else "C")
        if dtype.kind != "O":
            raise ValueError(f"arrays of type {dtype} are not read")
    if not pickles:
        raise error("file.refused", f"{name} holds objects where plain numbers belong.", TRUST_HINT)
    value = unpickle(data[start:], name=name, error=error, extra=extra, skip=skip)
    return value[()] if isinstance(value, np.ndarray) and value.shape == () else value


def read_bytes(path: Path, *, error: type[InputError] = InputError, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """The bytes of a file. Raises `error`: `file.missing`, `file.unreadable`, or `file.too_large`."""
    try:
        size = path.stat().st_size
        if size > max_bytes:
            what = f"{path.name} has {size / 2**20:.0f} MiB; the limit is {max_bytes / 2**20:.0f} MiB."
            raise error("file.too_large", what, SHORTEN_HINT)
        return path.read_bytes()
    except OSError as fault:
        raise file_fault(path, fault, error) from fault


def file_fault(path: Path, fault: OSError, error: type[InputError]) -> InputError:
    """What to say of a file that the system does not give: `file.missing` or `file.unreadable`."""
    if isinstance(fault, FileNotFoundError):
        return error("file.missing", f"There is no file {path}.", "Check the path.")
    reason = fault.strerror or type(fault).__name__
    return error("file.unreadable", f"{path} cannot be read: {reason}.", "Check the path and its permissions.")


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
    with told_as(error, name), zipfile.ZipFile(io.BytesIO(data)) as archive:
        return tuple(item.filename.removesuffix(".npy") for item in archive.infolist() if not item.is_dir())


def parse_npz(
    data: bytes,
    wanted: Collection[str],
    *,
    name: str,
    error: type[InputError] = InputError,
    max_bytes: int = MAX_FILE_BYTES,
    extra: Names | None = None,
    pickles: bool = True,
) -> dict[str, object]:
    """The wanted arrays that .npz bytes hold; other members are not opened.

    Raises `error` as `parse_npy` does, and `file.too_large` for wanted members that unpack to more than `max_bytes`.
    """
    with told_as(error, name), zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = wanted_members(archive, wanted)
        if sum(item.file_size for item in members.values()) > max_bytes:
            raise TooLarge(f"unpacks to more than {max_bytes / 2**20:.0f} MiB")
        contents = {key: archive.read(item) for key, item in members.items()}
    return {
        key: parse_npy(content, name=f"{name} ({key})", error=error, extra=extra, pickles=pickles)
        for key, content in contents.items()
    }


def wanted_members(archive: zipfile.ZipFile, wanted: Collection[str]) -> dict[str, zipfile.ZipInfo]:
    """The members of an archive that hold the wanted arrays."""
    named = ((item.filename.removesuffix(".npy"), item) for item in archive.infolist())
    return {key: item for key, item in named if key in wanted}
