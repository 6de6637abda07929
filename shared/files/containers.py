"""Which kind of container a file is, whether it must be unpickled, and its content: the one way into pickles."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from ..errors import InputError
from .joblib_file import is_packed, parse_joblib, unpacked
from .pickle_reading import MAX_FILE_BYTES, SHORTEN_HINT, told_as
from .safe_load import file_fault, has_objects, is_npy, is_npz, is_pickle, parse_npy, parse_npz, wanted_members
from .torch_file import is_torch_stream, is_torch_zip, parse_torch_stream, parse_torch_zip, torch_names

# Of a large file only what is wanted is read, so the file itself may be larger than what is taken out of it.
MAX_PICKLED_BYTES: Final = 16 * 1024 * 1024 * 1024
_START: Final = 64
_HEADER: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is taken out of a file: of an archive the arrays `entries`, of a pickle all but the keys `skip`."""

    entries: frozenset[str] = frozenset()
    skip: frozenset[str] = frozenset()


def holds_pickles(stream: BinaryIO, wanted: Wanted, *, name: str, error: type[InputError] = InputError) -> bool:
    """Whether what is wanted of a file must be unpickled; the stream is then at its begin.

    A file that is no container need not. Raises `error` `file.damaged` for a broken .npy or zip.
    """
    start = _start(stream)
    with told_as(error, name):
        if is_npz(start):
            pickles = _archive_has_pickles(stream, wanted)
        elif is_npy(start):
            pickles = has_objects(stream.read(_HEADER))
        else:
            pickles = is_pickle(start) or is_torch_stream(start) or is_packed(start)
    stream.seek(0)
    return pickles


def _archive_has_pickles(stream: BinaryIO, wanted: Wanted) -> bool:
    with zipfile.ZipFile(stream) as archive:
        if is_torch_zip(archive.namelist()):
            return True
        starts = []
        for member in wanted_members(archive, wanted.entries).values():
            with archive.open(member) as content:
                starts.append(content.read(_HEADER))
        return any(is_npy(start) and has_objects(start) for start in starts)


def parse_pickled(stream: BinaryIO, wanted: Wanted, *, name: str, error: type[InputError] = InputError) -> object:
    """What a file holds that must be unpickled: torch's, joblib's, NumPy's of objects, or a bare pickle.

    The values are plain Python, read-only arrays, and `Opaque` for what is not opened. Nothing in the file is run.
    Raises `error`: `file.refused`, `file.damaged`, `file.too_large`.
    """
    start = _start(stream)
    if is_npz(start):
        return _parse_archive(stream, wanted, name, error)
    if is_torch_stream(start):
        return parse_torch_stream(_whole(stream, name, error), name=name, error=error, skip=wanted.skip)
    if is_npy(start):
        return parse_npy(_whole(stream, name, error), name=name, error=error, extra=torch_names(), skip=wanted.skip)
    plain = unpacked(stream, name=name, error=error)
    return parse_joblib(plain, name=name, error=error, extra=torch_names(), skip=wanted.skip)


def _parse_archive(stream: BinaryIO, wanted: Wanted, name: str, error: type[InputError]) -> object:
    with told_as(error, name), zipfile.ZipFile(stream) as archive:
        torchs = is_torch_zip(archive.namelist())
    stream.seek(0)
    if torchs:
        return parse_torch_zip(stream, name=name, error=error, skip=wanted.skip)
    return parse_npz(_whole(stream, name, error), wanted.entries, name=name, error=error, extra=torch_names())


def open_pickled(path: Path, wanted: Wanted, *, error: type[InputError] = InputError) -> object:
    """`parse_pickled` of a file, in this process. Raises `error` as that does, `file.missing` and `file.unreadable`."""
    try:
        with path.open("rb") as stream:
            require_size(stream, name=path.name, error=error, most=MAX_PICKLED_BYTES)
            return parse_pickled(stream, wanted, name=path.name, error=error)
    except OSError as fault:
        raise file_fault(path, fault, error) from fault


def require_size(stream: BinaryIO, *, name: str, error: type[InputError], most: int = MAX_FILE_BYTES) -> None:
    """Raises `error` `file.too_large` for a longer file. The stream is then at 0."""
    size = stream.seek(0, 2)
    stream.seek(0)
    if size > most:
        what = f"{name} has {size / 2**20:.0f} MiB; the limit is {most / 2**20:.0f} MiB."
        raise error("file.too_large", what, SHORTEN_HINT)


def _start(stream: BinaryIO) -> bytes:
    start = stream.read(_START)
    stream.seek(0)
    return start


def _whole(stream: BinaryIO, name: str, error: type[InputError]) -> bytes:
    require_size(stream, name=name, error=error)
    return stream.read()
