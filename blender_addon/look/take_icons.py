"""Each take's first frame as an icon that a panel can draw; read once, and again where the file has changed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import bpy.utils.previews

_LOOK_S = 1.0  # how old what is known of a file may be


@dataclass(slots=True)
class _Look:
    """When a file was looked at, and when it had been changed; 0 if it is not there."""

    at: float
    changed: int


class TakeIcons:
    """Pictures by their files, in a collection of its own that exists while there is a picture."""

    def __init__(self) -> None:
        self._collection: Any = None
        self._looks: dict[Path, _Look] = {}

    def icon_id(self, picture: Path) -> int:
        """What `layout.template_icon` takes; 0 if there is no such file, and in the background."""
        if bpy.app.background:
            return 0
        now, look = time.monotonic(), self._looks.get(picture)
        if look is None or now - look.at >= _LOOK_S:
            before = 0 if look is None else look.changed
            look = self._looks[picture] = _Look(now, _changed_at(picture))
            if look.changed and look.changed != before:
                self._read(str(picture))
        return int(self._collection[str(picture)].icon_id) if look.changed else 0

    def close(self) -> None:
        """Give all pictures back. Harmless when called twice."""
        if self._collection is not None:
            bpy.utils.previews.remove(self._collection)
        self._collection = None
        self._looks = {}

    def _read(self, name: str) -> None:
        if self._collection is None:
            self._collection = bpy.utils.previews.new()
        if name in self._collection:
            self._collection[name].reload()
        else:
            self._collection.load(name, name, "IMAGE")


def _changed_at(picture: Path) -> int:
    try:
        return picture.stat().st_mtime_ns
    except OSError:
        return 0
