"""Pictures with a line of text above them: a caption that fits its width, and frames beside each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from shared.errors import InputError

PAPER = (24, 24, 26)
INK = (225, 225, 225)
BETWEEN = "   "  # separates the parts of a caption; the last parts are dropped if there is no room

_SMALLEST = 8
_GAP = 4
_IN_A_ROW = 3
_STRIP_SHARE = 12  # of a picture's height is the line above it, at least `_LEAST_STRIP`
_LEAST_STRIP = 20

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def fitted(caption: str, width: int, size: int) -> tuple[str, Font]:
    """The caption and a font of at most `size` pixels in which it is no wider than `width` pixels.

    Where not even the smallest font is small enough, parts at the end are left out, and then letters.
    """
    for smaller in range(size, _SMALLEST - 1, -1):
        font = ImageFont.load_default(smaller)
        if font.getlength(caption) <= width:
            return caption, font
    font = ImageFont.load_default(min(size, _SMALLEST))
    while caption and font.getlength(caption) > width:
        shorter = caption.rpartition(BETWEEN)[0] if BETWEEN in caption else caption[:-1]
        caption = shorter.rstrip()
    return caption, font


def draw_caption(draw: ImageDraw.ImageDraw, place: tuple[int, int], caption: str, width: int, size: int) -> None:
    """Write a caption with its upper left corner at a place, no wider than `width`."""
    text, font = fitted(caption, width, size)
    draw.text(place, text, fill=INK, font=font)


def side_by_side(captions: Sequence[str], pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Pictures of one size (H, W, 3), each with its caption above it, three in a row; one alone as it is.

    Height and width of the result are even where those of the pictures are. Raises InputError where sizes differ.
    """
    if len(captions) != len(pictures) or len({picture.shape for picture in pictures}) != 1:
        raise InputError("report.panels", f"The pictures differ: {[picture.shape for picture in pictures]}.")
    if len(pictures) == 1:
        return pictures[0]
    height, width = pictures[0].shape[:2]
    strip = max(_LEAST_STRIP, height // _STRIP_SHARE) // 2 * 2
    columns = min(_IN_A_ROW, len(pictures))
    rows = -(-len(pictures) // columns)
    size = (columns * (width + _GAP) - _GAP, rows * (height + strip + _GAP) - _GAP)
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    for index, (caption, picture) in enumerate(zip(captions, pictures, strict=True)):
        row, column = divmod(index, columns)
        left, top = column * (width + _GAP), row * (height + strip + _GAP)
        draw_caption(draw, (left + _GAP, top + strip // 8), caption, width - 2 * _GAP, strip * 7 // 10)
        sheet.paste(Image.fromarray(picture), (left, top + strip))
    return np.asarray(sheet)
