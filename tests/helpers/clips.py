"""A square that slides before the camera by whole pixels: every figure of it can be worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.passes.shot_passes import Charts, ShotPasses
from tests.helpers.synthetic_passes import render_passes, shape_of


def sliding_square(frames: int = 10, pixels: float = 1.0) -> ShotPasses:
    """A square of two triangles, 30 pixels wide, that moves `pixels` to the right a frame; 48 x 64 pixels."""
    corners = np.array([[-0.3, 0, -0.3], [0.3, 0, -0.3], [0.3, 0, 0.3], [-0.3, 0, 0.3]])
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    f = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    steps = np.arange(frames)[:, None, None] * np.array([0.02 * pixels, 0, 0]) - (0.1, 0, 0)
    charts = Charts(f, np.full(2, 1, np.uint8), uv[f])
    return render_passes(corners + steps, charts, size=(48, 64), focal_px=100.0, camera_m=(0.0, -2.0, 0.0))


def painted(passes: ShotPasses, period: float) -> NDArray[Any]:
    """Pictures of a texture that is fixed on the surface, before grey."""
    frames = passes.read(passes.positions)
    wave = 127 + 100 * np.sin(2 * np.pi * frames.uv / period).prod(-1, keepdims=True)
    return np.where(frames.part[..., None] > 0, np.repeat(wave, 3, -1), 128.0)


def noisy(passes: ShotPasses, deviation: float = 20.0, seed: int = 1) -> NDArray[Any]:
    """Pictures of independent noise about grey."""
    shape = (*shape_of(passes), 3)
    return np.random.default_rng(seed).normal(128, deviation, shape).clip(0, 255)
