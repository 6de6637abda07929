"""The files that a job may leave beside its frames. Their names stand here alone: what crosses the wire is the key."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType

from ..errors import InputError, ProtocolError
from ..files.frame_files import check_png, write_atomic

RESULT_FILES: Mapping[str, str] = MappingProxyType({"atlas": "atlas.png"})  # pictures, all of them
MAX_RESULT_BYTES = 32 << 20  # each


def result_file_name(name: str) -> str:
    """The file of a result. Raises ProtocolError for a name that is not in the table."""
    if name not in RESULT_FILES:
        raise ProtocolError("protocol.result_file", f"No job writes a file named {name[:40]!r}.")
    return RESULT_FILES[name]


def drop_result_files(folder: Path, kept: Collection[str] = ()) -> None:
    """Remove the result files of a job before from a folder of frames, but for those of these names. Raises OSError."""
    for name, file in RESULT_FILES.items():
        if name not in kept:
            (folder / file).unlink(missing_ok=True)


def put_result_file(folder: Path, name: str, data: bytes | memoryview) -> Path:
    """Write a received result into `folder`, whole or not at all, and return its path.

    The folder must have passed `prepare_output_folder`. Raises ProtocolError for an unknown name and for bytes that are
    no PNG file, InputError where the file is a symbolic link.
    """
    path = folder / result_file_name(name)
    check_png(data)
    if path.is_symlink():
        raise InputError(
            "output.symlink", f"{path} is a symbolic link.", "Remove it, so that the file can be written there."
        )
    write_atomic(path, data)
    return path
