"""Motions as rows of stick figures, to be looked at."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from backend.make.motion.library.sheet import strip_of

_WRISTS = (20, 21)
_YAW, _POSES, _WIDTH = 55.0, 14, 1500


def contact_sheet(motions: Iterable[tuple[str, NDArray[np.float64]]]) -> Image.Image:
    """A row for each motion: its text, and its joints (frames, 22, 3) at equal distances of time."""
    strips = []
    for text, joints in motions:
        row = strip_of(np.concatenate([joints, joints[:, _WRISTS]], axis=1), _YAW, _POSES, _WIDTH)
        ImageDraw.Draw(row).text((2, row.height - 12), text.encode("ascii", "replace").decode(), fill="black")
        strips.append(row)
    image = Image.new("RGB", (_WIDTH, sum(strip.height for strip in strips)), "white")
    top = 0
    for strip in strips:
        image.paste(strip, (0, top))
        top += strip.height
    return image
