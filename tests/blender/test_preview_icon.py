"""The step preview as Blender has it."""

from __future__ import annotations

from typing import Any

import bpy
import bpy.utils.previews
import numpy as np
import pytest

from blender_addon.look.preview_icon import PreviewIcon
from shared.protocol.client.events import Preview


def picture(frame: int, width: int, height: int) -> Preview:
    """Rows that grow lighter downwards."""
    rows = np.linspace(0, 255, height).astype(np.uint8)
    return Preview(frame, width, height, np.repeat(rows, width * 3).tobytes(), ticket=1, job_id="job")


def collections() -> int:
    """Preview collections that are open in this Blender."""
    previews: Any = bpy.utils.previews
    return len(previews._uuid_open)


def test_a_picture_is_shown_upright_replaced_and_given_back() -> None:
    icon = PreviewIcon()
    images, open_before = len(bpy.data.images), collections()
    for shown in (picture(3, 4, 2), picture(5, 64, 36)):
        icon.show(shown)
        assert collections() == open_before + 1
        held = icon._collection["step"]
        assert (icon.frame, tuple(held.image_size)) == (shown.frame, (shown.width, shown.height))
        pixels = np.array(held.image_pixels_float).reshape(shown.height, shown.width, 4)
        assert pixels[0, 0] == pytest.approx([1, 1, 1, 1]) and pixels[-1, 0] == pytest.approx([0, 0, 0, 1])
    icon.show(None)
    icon.close()
    assert icon.icon_id == 0 and icon.frame == 0
    assert (len(bpy.data.images), collections()) == (images, open_before)
