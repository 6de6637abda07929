"""Depth, labels and charts of a plane, whose every pixel is known by a formula; with Cycles, and EEVEE beside it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from blender_addon.passes.launcher import PassRequest
from blender_addon.rig.character import import_motion
from shared.motion import SMPLMotion
from tests.blender.scenes import add_camera, eevee_runs, empty_scene, plane_body, read_exr, render_passes

SIZE = 96
DISTANCE_M = 4.0
FOV_RAD = math.radians(40)


def plane_scene(frames: int = 3, tilt_rad: float = 0.0) -> Any:
    """A plane of 2 m that faces the camera, tilted about the vertical, and slides sideways from frame to frame."""
    scene = empty_scene(24)
    poses = np.zeros((frames, 24, 3))
    poses[:, 0, 1] = tilt_rad
    root = np.zeros((frames, 3))
    root[:, 0] = np.linspace(-0.3, 0.3, frames)
    import_motion(scene, SMPLMotion(poses, root, np.zeros(10), 24.0), plane_body())
    add_camera(scene, (0, -DISTANCE_M, 0), (math.pi / 2, 0, 0), FOV_RAD)
    return root


def rays() -> Any:
    """x and y of every pixel centre's ray at one metre, y up."""
    focal = SIZE / 2 / math.tan(FOV_RAD / 2)
    centre = (np.arange(SIZE) + 0.5 - SIZE / 2) / focal
    return np.meshgrid(centre, -centre)


def render(folder: Path, frames: Any, engine: str = "cycles") -> Any:
    render_passes(bpy.context, PassRequest(folder, frames, SIZE, SIZE, engine))
    return [read_exr(folder / f"{frame:04d}.exr") for frame in frames]


def test_depth_of_a_plane_is_planar_and_constant_over_frames(tmp_path: Path) -> None:
    plane_scene(3)
    for layers in render(tmp_path, (1, 2, 3)):
        body = layers["iuv.R"] > 0
        assert body.sum() > 2000
        assert np.abs(layers["Depth.Z"][body] - DISTANCE_M).max() < 1e-4  # planar: equal in the corners and the middle
        assert np.isposinf(layers["Depth.Z"][~body]).all()


def test_depth_of_a_tilted_plane_follows_its_formula(tmp_path: Path) -> None:
    tilt = 0.5
    plane_scene(1, tilt)
    (layers,) = render(tmp_path, (1,))
    x, _ = rays()
    # The point s across the plane lies -0.3 + s cos sideways and 4 + s sin deep; its ray is one over the other.
    s = (DISTANCE_M * x + 0.3) / (math.cos(tilt) - x * math.sin(tilt))
    body = (layers["iuv.R"] > 0) & (np.abs(s) < 0.98)
    assert body.sum() > 2000
    assert np.abs(layers["Depth.Z"] - (DISTANCE_M + s * math.sin(tilt)), where=body, out=np.zeros_like(s)).max() < 1e-3


@pytest.mark.parametrize("engine", ["cycles", "eevee"])
def test_labels_and_charts_are_those_of_the_point_under_the_pixel_centre(tmp_path: Path, engine: str) -> None:
    if engine == "eevee" and not eevee_runs():
        pytest.skip("this Blender cannot render with EEVEE here")
    root = plane_scene(2)
    frames = (2,) if engine == "eevee" else (1, 2)
    half_precision = 2**-11 if engine == "eevee" else 2e-6
    x, y = rays()
    for frame, layers in zip(frames, render(tmp_path, frames, engine), strict=True):
        across = (x * DISTANCE_M - root[frame - 1, 0] + 1) / 2  # 0..1 over the plane
        up = (y * DISTANCE_M + 1) / 2
        column = np.floor(across * 24)
        inside = (across > 0) & (across < 1) & (up > 0) & (up < 1)
        expected = np.where(inside, column + 1, 0)
        border = np.abs(across * 24 - np.rint(across * 24)) < 0.02
        border |= (np.abs(up) < 0.002) | (np.abs(up - 1) < 0.002)
        part = layers["iuv.R"]
        assert set(np.unique(part)) == set(range(25))
        assert (part == expected)[~border].all()
        known = inside & ~border
        pixel = 2 * DISTANCE_M * math.tan(FOV_RAD / 2) / SIZE  # metres
        slack_u, slack_v = 0.01 * pixel * 12, 0.01 * pixel / 2  # the sample lies within 1 % of the pixel's centre
        assert np.abs(layers["iuv.G"] - (across * 24 - column))[known].max() < slack_u + half_precision + 1e-5
        assert np.abs(layers["iuv.B"] - up)[known].max() < slack_v + half_precision + 1e-5
        if engine == "eevee":
            assert np.abs(layers["Depth.Z"][known] - DISTANCE_M).max() < 2e-3
