"""Where the backend keeps its work when nobody says otherwise."""

from __future__ import annotations

import os
import sys
from pathlib import Path

CONNECTION_FILE = "connection.json"


def data_folder() -> Path:
    """The user's own data folder for LatentMan by the platform's custom."""
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "LatentMan"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "LatentMan"
    return Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "latentman"


def default_work_folder() -> Path:
    """Journal, inputs and job folders."""
    return data_folder() / "work"


def default_connection_file() -> Path:
    """What `latentman serve` writes and `submit`, `status` and `cancel` read."""
    return data_folder() / CONNECTION_FILE
