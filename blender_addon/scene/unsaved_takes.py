"""Where the takes of an unsaved file go: a folder in the user's home, which the panel names. No bpy in here."""

from __future__ import annotations

from pathlib import Path

_FOLDER = "LatentMan"
_PREFIX = "unsaved-"


def next_unsaved_folder() -> Path:
    """`~/LatentMan/unsaved-001` and so on: the first number after all that are there. Nothing is made."""
    parent = Path.home() / _FOLDER
    try:
        numbers = [path.name.removeprefix(_PREFIX) for path in parent.glob(f"{_PREFIX}*")]
    except OSError:  # a folder that cannot be read is reported when it is to be written to
        numbers = []
    return parent / f"{_PREFIX}{1 + max((int(number) for number in numbers if number.isdigit()), default=0):03d}"
