"""The step preview as an icon that a panel can draw; nothing of it is stored in the file."""

from __future__ import annotations

from typing import Any

import bpy.utils.previews
import numpy as np
from numpy.typing import NDArray

from ..shared.protocol.client.events import Preview

_NAME = "step"


class PreviewIcon:
    """One picture at a time, in a collection of its own that exists while there is a picture."""

    def __init__(self) -> None:
        self._collection: Any = None
        self._shown: Preview | None = None

    @property
    def frame(self) -> int:
        """The frame that is shown; only while there is one."""
        return 0 if self._shown is None else self._shown.frame

    @property
    def icon_id(self) -> int:
        """What `layout.template_icon` takes; 0 if nothing is shown, and in the background."""
        return 0 if self._shown is None else int(self._collection[_NAME].icon_id)

    def show(self, picture: Preview | None) -> None:
        """Show this picture, or none; the same again costs nothing."""
        if picture is self._shown:
            return
        if picture is None:
            self.close()
            return
        if self._collection is None:
            self._collection = bpy.utils.previews.new()
            self._collection.new(_NAME)
        preview = self._collection[_NAME]
        preview.image_size = (picture.width, picture.height)
        preview.image_pixels_float = icon_pixels(picture)
        self._shown = picture

    def close(self) -> None:
        """Give it back. Harmless when called twice."""
        if self._collection is not None:
            bpy.utils.previews.remove(self._collection)
        self._collection = self._shown = None


def icon_pixels(picture: Preview) -> NDArray[np.float32]:
    """RGBA from 0 to 1, flat, row by row from the bottom as Blender has them."""
    rgb = np.frombuffer(picture.rgb, np.uint8).reshape(picture.height, picture.width, 3)[::-1]
    pixels = np.ones((picture.height, picture.width, 4), np.float32)
    pixels[..., :3] = rgb / np.float32(255)
    return pixels.ravel()
