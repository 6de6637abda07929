"""What a file of weights says of itself at its beginning and end, read without its weights and without opening pickles.

A .safetensors file begins with the length of a JSON table that names every weight with its place in the file, so that
a file that was written in part is known by its size. A zipped pickle has its table at the end.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ..errors import ModelError

WEIGHT_SUFFIXES = (".safetensors", ".ckpt", ".pth", ".pt", ".bin")
_LENGTH_BYTES = 8
_MOST_NAMES = 3
_MAX_HEADER_BYTES = 1 << 24  # of Stable Diffusion 1.5: about 150 kB
_ZIP_START = b"PK\x03\x04"
_PICKLE_START = b"\x80"
_POINTER_START = b"version https://git-lfs"
_AGAIN = "Copy or download it again."


@dataclass(frozen=True, slots=True)
class WeightHeader:
    """The size of a file, and the shapes of its weights by name; None for a pickle, which is not opened."""

    size_bytes: int
    shapes: dict[str, tuple[int, ...]] | None


def is_weight_file(path: Path) -> bool:
    """Whether a file's name, in upper or lower case, is that of a weight file."""
    return path.suffix.lower() in WEIGHT_SUFFIXES


def is_safetensors(path: Path) -> bool:
    """Whether a file's name, in upper or lower case, ends in .safetensors."""
    return path.suffix.lower() == ".safetensors"


def read_weight_header(path: Path) -> WeightHeader:
    """Read the file's header. Raises ModelError `model.partial` for an incomplete file, `model.no_weights` for a file
    that is something else; OSError if it cannot be read."""
    size = path.stat().st_size
    if not size:
        raise ModelError("model.partial", "It is empty.", _AGAIN)
    with path.open("rb") as file:
        start = file.read(len(_POINTER_START))
        if start.startswith(_POINTER_START):
            raise ModelError("model.no_weights", "It is only a pointer to the weights (Git LFS).", "Run: git lfs pull")
        if start.lstrip()[:1] == b"<":
            raise ModelError("model.no_weights", "It is a web page saved under this name, not the file itself.", _AGAIN)
        if not is_safetensors(path):
            return _pickled(path, start, size)
        file.seek(0)
        length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
        if size < _LENGTH_BYTES:
            raise ModelError("model.partial", f"It is cut off after {size_text(size)}.", _AGAIN)
        if not 0 < length <= _MAX_HEADER_BYTES:
            raise ModelError(
                "model.no_weights", "It is not a .safetensors file, in spite of its name.", "Choose another file."
            )
        table = file.read(length)
    if len(table) < length:
        raise _cut(size, _LENGTH_BYTES + length)
    return _from_table(table, size)


def size_text(size_bytes: int) -> str:
    """A file's size as a user reads it."""
    for unit, bytes_each in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size_bytes >= bytes_each:
            return f"{size_bytes / bytes_each:.{1 if unit == 'GB' else 0}f} {unit}"
    return f"{size_bytes} bytes"


def some_names(names: list[str], most: int = _MOST_NAMES) -> str:
    """The first few of many names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _from_table(table: bytes, size: int) -> WeightHeader:
    try:
        rows = json.loads(table)
        rows.pop("__metadata__", None)
        shapes = {str(name): tuple(map(int, row["shape"])) for name, row in rows.items()}
        whole = _LENGTH_BYTES + len(table) + max((int(row["data_offsets"][1]) for row in rows.values()), default=0)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise ModelError(
            "model.no_weights", "It is not a .safetensors file: its table cannot be read.", _AGAIN
        ) from error
    if size < whole:
        raise _cut(size, whole)
    if not shapes:
        raise ModelError("model.no_weights", "It contains no weights.", _AGAIN)
    return WeightHeader(size, shapes)


def _pickled(path: Path, start: bytes, size: int) -> WeightHeader:
    if start.startswith(_ZIP_START):
        if not zipfile.is_zipfile(path):
            raise ModelError("model.partial", f"It is cut off after {size_text(size)}.", _AGAIN)
        try:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
        except zipfile.BadZipFile as error:
            raise ModelError("model.no_weights", "It is damaged: its header cannot be read.", _AGAIN) from error
        if not any(name.endswith("/data.pkl") for name in names):
            raise ModelError("model.no_weights", "It is a zip archive without weights.", "Choose another file.")
    elif not start.startswith(_PICKLE_START):
        raise ModelError("model.no_weights", "It is not a weight file.", "Choose another file.")
    return WeightHeader(size, None)


def _cut(size: int, whole: int) -> ModelError:
    return ModelError("model.partial", f"It is incomplete: {size_text(size)} of {size_text(whole)}.", _AGAIN)
