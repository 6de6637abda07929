"""The consistency figures, pixel by pixel, in Python's own numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, pvariance, variance
from typing import Any

from numpy.typing import NDArray

from backend.measure.metrics.followed import BackwardFlow


def surface_variance(images: NDArray[Any], pixel: NDArray[Any]) -> float:
    """Mean over points and channels of the unbiased variance over the frames that see the point."""
    found = []
    for row in pixel.tolist():
        seen = [divmod(place, images.shape[2]) + (frame,) for frame, place in enumerate(row) if place >= 0]
        for channel in range(3):
            values = [float(images[frame, y, x, channel]) for y, x, frame in seen]
            if len(values) > 1:
                found.append(variance(values))
    return fmean(found)


def body_variance(images: NDArray[Any], part: NDArray[Any]) -> list[float]:
    """The population variance of each frame's body pixels, mean over the channels."""
    return [
        fmean(pvariance(picture[..., channel][labels > 0].astype(float).tolist()) for channel in range(3))
        for picture, labels in zip(images, part, strict=True)
    ]


def warp_error(images: NDArray[Any], part: NDArray[Any], flows: Sequence[BackwardFlow]) -> list[float]:
    """Frame k + 1 against frame k sampled bilinearly, where all four neighbours exist and show the body."""
    height, width = part.shape[1:]
    values = []
    for k, flow in enumerate(flows):
        squares = []
        for pixel, (x, y) in zip(flow.pixel.tolist(), flow.position.tolist(), strict=True):
            left, top = math.floor(x - 0.5), math.floor(y - 0.5)
            taps = [(r, c) for r in (top, top + 1) for c in (left, left + 1)]
            if not all(0 <= r < height and 0 <= c < width and part[k, r, c] for r, c in taps):
                continue
            for channel in range(3):
                colour = sum(
                    (1 - abs(x - 0.5 - c)) * (1 - abs(y - 0.5 - r)) * float(images[k, r, c, channel]) for r, c in taps
                )
                squares.append((float(images[k + 1][divmod(pixel, width)][channel]) - colour) ** 2)
        values.append(fmean(squares))
    return values


def background_change(images: NDArray[Any], part: NDArray[Any], margin: int) -> list[float]:
    """Consecutive frames, at pixels with no body pixel within `margin` rows and columns in either."""
    height, width = part.shape[1:]

    def clear(frame: int, row: int, column: int) -> bool:
        window = part[frame, max(row - margin, 0) : row + margin + 1, max(column - margin, 0) : column + margin + 1]
        return not window.any()

    values = []
    for k in range(1, len(images)):
        squares = [
            (float(images[k, row, column, channel]) - float(images[k - 1, row, column, channel])) ** 2
            for row in range(height)
            for column in range(width)
            if clear(k, row, column) and clear(k - 1, row, column)
            for channel in range(3)
        ]
        values.append(fmean(squares))
    return values


def wrapped_mse(textures: NDArray[Any]) -> float:
    """Differences and squares modulo 256 of each frame and the one before it, the last before the first."""
    values = []
    for k in range(len(textures)):
        for here, there in zip(textures[k].ravel().tolist(), textures[k - 1].ravel().tolist(), strict=True):
            if here and there:
                values.append(((here - there) % 256) ** 2 % 256)
    return fmean(values)


def shading(
    images: NDArray[Any], inside: NDArray[Any], pixel: NDArray[Any], light: NDArray[Any]
) -> tuple[float, float]:
    """Slope and correlation of luma on light, both less their means over the frames that see the point."""
    width, bright, lit = images.shape[2], [], []
    for places, terms in zip(pixel.tolist(), light.tolist(), strict=True):
        seen = [
            (f, *divmod(place, width))
            for f, place in enumerate(places)
            if place >= 0 and inside[(f, *divmod(place, width))]
        ]
        if len(seen) < 2:
            continue
        lumas = [sum(w * float(v) for w, v in zip((0.2126, 0.7152, 0.0722), images[at], strict=True)) for at in seen]
        own = [terms[f] for f, _, _ in seen]
        bright += [luma - fmean(lumas) for luma in lumas]
        lit += [term - fmean(own) for term in own]
    across = sum(b * x for b, x in zip(bright, lit, strict=True))
    square = sum(x * x for x in lit)
    return across / square, across / math.sqrt(square * sum(b * b for b in bright))
