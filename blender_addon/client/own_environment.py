"""The environments that the add-on has made for its backend: which one counts, and how the others go.

An environment cannot be moved once it is made, so each has a folder of its own, and a file that is written last says
which one is whole. One that is half made, or replaced, is never taken for it.
"""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

from ..shared.files.frame_files import write_atomic

LOG_NAME = "install.log"
_MARKER = "installed.json"
_PREFIX = "env-"
_PYTHONS = ("bin/python", "Scripts/python.exe")  # the first is a link to the Python that made the environment


def own_environment(root: Path) -> Path | None:
    """The environment in use below `root`; None if none is whole, or the Python that made it is gone."""
    try:
        name = json.loads((root / _MARKER).read_text(encoding="utf-8"))["folder"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    folder = root / str(name)
    runs = any((folder / python).is_file() for python in _PYTHONS)
    return folder if folder.parent == root and runs else None


def new_environment(root: Path) -> Path:
    """A folder for one more environment, not made yet. Raises OSError if `root` cannot be read."""
    numbers = [folder.name.removeprefix(_PREFIX) for folder in root.glob(f"{_PREFIX}*")]
    return root / f"{_PREFIX}{max((int(number) for number in numbers if number.isdigit()), default=0) + 1}"


def take_environment(folder: Path) -> None:
    """Use this environment from now on. Raises OSError."""
    write_atomic(folder.parent / _MARKER, json.dumps({"folder": folder.name}).encode())


def drop_environment(root: Path) -> None:
    """Use none from now on, and remove them all. Raises OSError if the use cannot be ended."""
    (root / _MARKER).unlink(missing_ok=True)
    remove_others(root)


def remove_others(root: Path) -> threading.Thread | None:
    """Remove all environments but the one in use, in a thread that touches nothing but these files; what another
    process holds open goes the next time. The thread, or None if there is nothing to remove."""
    kept = own_environment(root)
    others = [folder for folder in root.glob(f"{_PREFIX}*") if folder != kept]
    if not others:
        return None
    thread = threading.Thread(target=_remove, args=(others,), daemon=True)
    thread.start()
    return thread


def _remove(folders: list[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
