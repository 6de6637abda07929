"""The 24 parts as colours on the body, for the viewport. The passes do not look at them."""

from __future__ import annotations

import colorsys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..shared.shot import PART_COUNT
from .body_mesh import PART_ATTRIBUTE

COLOUR_ATTRIBUTE = "latentman_part_colours"
_GOLDEN = 0.618034  # steps of the golden section keep neighbouring parts apart
_GREY = (0.5, 0.5, 0.5, 1.0)


def part_palette() -> NDArray[np.float32]:
    """A colour a label, (25, 4) RGBA; label 0 is grey."""
    colours = [(*colorsys.hsv_to_rgb((part * _GOLDEN) % 1.0, 0.65, 0.9), 1.0) for part in range(1, PART_COUNT + 1)]
    return np.array([_GREY, *colours], np.float32)


def colour_parts(body: Any) -> None:
    """Give a body's mesh its colours and make them the ones that the viewport shows."""
    mesh = body.data
    part = np.zeros(len(mesh.polygons), np.float32)
    mesh.attributes[PART_ATTRIBUTE].data.foreach_get("value", part)
    corners = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("loop_total", corners)
    colours = np.repeat(part_palette()[np.rint(part).astype(int).clip(0, PART_COUNT)], corners, axis=0)
    layer = mesh.color_attributes.get(COLOUR_ATTRIBUTE) or mesh.color_attributes.new(
        COLOUR_ATTRIBUTE, "BYTE_COLOR", "CORNER"
    )
    layer.data.foreach_set("color_srgb", colours.ravel())
    mesh.color_attributes.active_color = layer
    mesh.update()
