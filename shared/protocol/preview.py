"""The small picture of a step on its way to the user: raw RGB, 8 bits a channel, row by row from the top."""

from __future__ import annotations

from .wire import Buffer

MAX_PREVIEW_SIDE = 128  # pixels
_CHANNELS = 3


def is_preview(width: int, height: int, rgb: Buffer) -> bool:
    """Whether the bytes are a picture of this size, in pixels, that is not too large to be a preview."""
    sides_fit = 0 < width <= MAX_PREVIEW_SIDE and 0 < height <= MAX_PREVIEW_SIDE
    return sides_fit and len(rgb) == width * height * _CHANNELS
