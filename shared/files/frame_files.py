"""Frames on disk: names are composed here from numbers, and a file is either whole or not there."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from pathlib import Path

from ..errors import InputError, LatentManError, ProtocolError

FIRST_FRAME = 0
LAST_FRAME = 1_048_574  # Blender's own limit
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PART_SUFFIX = ".part"
_SHOWN_CHARACTERS = 240
_FREE_SPACE = "Free some space and try again."
# The longest name that is written below an output folder: a file of a job of a backend that works there.
_LONGEST_BELOW = f".backend/jobs/{'0' * 64}/inputs/{'0' * 64}.00000000{PART_SUFFIX}"


def frame_name(frame: int, suffix: str = ".png") -> str:
    """The file name of a frame: `0001.png`; five digits and more as they are. Raises ProtocolError off the range."""
    if not FIRST_FRAME <= frame <= LAST_FRAME:
        raise ProtocolError("protocol.frame", f"Frame {frame} is outside {FIRST_FRAME} to {LAST_FRAME}.")
    return f"{frame:04d}{suffix}"


def write_atomic(path: Path, data: bytes | bytearray | memoryview) -> None:
    """Write a file beside its place, sync it and rename it, so that a kill leaves the old file or the whole new one.

    Raises LatentManError `storage.full` or `storage.unwritable` with the folder's name.
    """
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}{PART_SUFFIX}")
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise storage_error(error, path.parent) from error


def link_or_copy(source: Path, target: Path) -> None:
    """A second name for the same file where the file system has that, a copy where it has not (FAT, network disks).

    Files that are shared so must never be written in place. Raises OSError.
    """
    try:
        os.link(source, target)
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError:
        part = target.with_name(f"{target.name}{PART_SUFFIX}")
        shutil.copyfile(source, part)
        os.replace(part, target)


def is_disk_full(error: OSError) -> bool:
    """Whether a disk, or the user's share of it, is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def storage_error(error: OSError, folder: Path) -> LatentManError:
    """The sentence for a write that failed in `folder`: disk full, or not writable with the system's reason."""
    shown = shown_path(folder)
    if is_disk_full(error):
        return LatentManError("storage.full", f"The disk with {shown} is full.", _FREE_SPACE)
    return LatentManError(
        "storage.unwritable", f"Cannot write to {shown}: {error.strerror or error}.", _what_to_do(error)
    )


def file_error(error: OSError) -> LatentManError:
    """The sentence for an error that nothing else in the program explains better, instead of a traceback."""
    if is_disk_full(error):
        if error.filename:
            return storage_error(error, Path(str(error.filename)).absolute().parent)
        return LatentManError("storage.full", "A disk is full.", _FREE_SPACE)  # a failed write does not say which
    what = f"{shown_path(Path(str(error.filename)))} cannot be used" if error.filename else "A file cannot be used"
    return LatentManError("storage.file", f"{what}: {error.strerror or error}.", _what_to_do(error))


def shown_path(path: Path) -> str:
    """A path to show in a sentence: a very long one without its middle."""
    text = str(path)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:60]}...{text[-60:]}"


def is_there(path: Path) -> bool:
    """Whether a path exists; one that the file system cannot even look up does not."""
    try:
        return path.exists()
    except OSError:
        return False


def is_file(path: Path) -> bool:
    """Whether a path is a file; one that the file system cannot even look up is not."""
    try:
        return path.is_file()
    except OSError:
        return False


def _what_to_do(error: OSError) -> str:
    too_long = error.errno == errno.ENAMETOOLONG
    return "Choose a shorter path." if too_long else "Choose another folder or change its permissions."


def prepare_output_folder(folder: Path) -> Path:
    """Make sure that frames can be written to `folder`, creating it; returns its absolute path.

    Raises InputError if it is a symbolic link (frames would land elsewhere), a file, too long or not writable.
    """
    target = folder.absolute()
    probe = target / f".write-test-{secrets.token_hex(4)}"
    try:
        check_output_name(target)
        target.mkdir(parents=True, exist_ok=True)
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise output_error(error, folder) from error
    return target


def check_output_name(folder: Path) -> None:
    """Check the name of an output folder, which need not exist yet.

    Raises InputError if it is a link, OSError if the paths of files in it would be too long for the file system.
    """
    if folder.is_symlink():
        raise InputError(
            "output.symlink", f"The output folder {folder} is a symbolic link.", "Choose the folder that it points to."
        )
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        (folder / _LONGEST_BELOW).lstat()


def output_error(error: OSError, folder: Path) -> InputError:
    """The sentence for an output folder that cannot be used."""
    shown = shown_path(folder)
    if isinstance(error, FileExistsError | NotADirectoryError):
        return InputError("output.not_a_folder", f"The output folder {shown} is a file.", "Choose a folder.")
    return InputError(
        "output.unwritable",
        f"The output folder {shown} cannot be written to: {error.strerror or error}.",
        _what_to_do(error),
    )


def put_frame(folder: Path, frame: int, png: bytes | memoryview) -> Path:
    """Write a received frame to `folder/%04d.png` atomically and return its path.

    The folder must have passed `prepare_output_folder`. Raises ProtocolError where the bytes are no PNG file.
    """
    check_png(png)
    path = folder / frame_name(frame)
    if path.is_symlink():
        raise InputError(
            "output.symlink", f"{path} is a symbolic link.", "Remove the link, so that the frame can be saved there."
        )
    write_atomic(path, png)
    return path


def check_png(data: bytes | bytearray | memoryview) -> None:
    """Raise ProtocolError unless `data` starts as every PNG file does (PNG specification, section 5.2)."""
    if bytes(data[: len(PNG_SIGNATURE)]) != PNG_SIGNATURE:
        raise ProtocolError("protocol.not_png", "The backend sent a frame that is not a PNG picture.")
