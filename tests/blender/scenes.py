"""Small scenes for the Blender tests."""

from __future__ import annotations

import dataclasses
import functools
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from blender_addon.passes.launcher import PassRender, PassRequest, RenderedFrame
from shared.body import Body
from shared.motion import SMPLMotion

# Blender's stubs allow None for what every context has, and do not know an add-on's operators and properties.
context: Any = bpy.context
operators: Any = bpy.ops

_PICTURE_BY_EEVEE = """
import sys, bpy
render = bpy.context.scene.render
render.engine = "BLENDER_EEVEE" if bpy.app.version >= (5, 0) else "BLENDER_EEVEE_NEXT"
render.resolution_x = render.resolution_y = 8
render.filepath = sys.argv[1]
bpy.ops.render.render(write_still=True)
"""


@functools.cache
def eevee_runs() -> bool:
    """Whether EEVEE renders here. It needs OpenGL, and in the modules of 4.2 and 4.5 a display for it."""
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "picture.png"
        try:
            command = [sys.executable, "-c", _PICTURE_BY_EEVEE, str(picture)]
            subprocess.run(command, capture_output=True, timeout=120, check=False)
        except subprocess.TimeoutExpired:  # without a screen 4.2 may wait for ever
            return False
        return picture.exists()


def empty_scene(fps: float = 24.0) -> Any:
    """A new, empty file's scene."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = context.scene
    scene.render.fps, scene.render.fps_base = math.ceil(fps), math.ceil(fps) / fps
    return scene


def random_motion(frames: int, fps: float, seed: int = 0, spread: float = 0.35, betas: Any = None) -> SMPLMotion:
    """Random joint rotations, `spread` radians a component."""
    random = np.random.default_rng(seed)
    return SMPLMotion(
        poses=random.normal(0, spread, (frames, 24, 3)),
        root=random.normal(0, 0.5, (frames, 3)) + (0, 1.2, 0),
        betas=np.zeros(10) if betas is None else betas,
        fps=fps,
        source="random",
    )


def standing_motion(frames: int, fps: float = 24.0) -> SMPLMotion:
    """Arms half lowered, one knee bent, swaying a little: every frame differs from the last."""
    phase = np.linspace(0, 2, frames)
    poses = np.zeros((frames, 24, 3))
    poses[:, 16, 2], poses[:, 17, 2] = -0.9 + 0.2 * np.sin(phase), 0.9
    poses[:, 1, 0], poses[:, 4, 0] = -0.5, 0.7
    poses[:, 0, 1] = 0.3 * phase
    root = np.stack([0.05 * phase, np.full(frames, 1.2), np.zeros(frames)], axis=1)
    return SMPLMotion(poses=poses, root=root, betas=np.zeros(10), fps=fps, source="standing")


def still_motion(frames: int, fps: float = 24.0) -> SMPLMotion:
    """The rest pose at the origin."""
    return SMPLMotion(
        poses=np.zeros((frames, 24, 3)), root=np.zeros((frames, 3)), betas=np.zeros(10), fps=fps, source="still"
    )


def plane_body(half_m: float = 1.0, cells: int = 24) -> Body:
    """A square in the x, y plane at z = 0, all of it carried by the pelvis; part i is the i-th column of cells.

    Every part's chart is that column: u across it, v from bottom to top.
    """
    edge = np.linspace(-half_m, half_m, cells + 1)
    x, y = np.meshgrid(edge, edge)
    vertices = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1).astype(np.float32)
    row, column = (index.ravel() for index in np.mgrid[0:cells, 0:cells])
    corner = row * (cells + 1) + column
    quads = np.stack([corner, corner + 1, corner + cells + 2, corner + cells + 1], axis=1).astype(np.int32)
    f = np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], axis=1).reshape(-1, 3)
    labels = np.repeat((column * 24 // cells + 1).astype(np.uint8), 2)
    left = (labels - 1) / 24 * 2 * half_m - half_m
    corners = vertices[f]
    u = (corners[:, :, 0] - left[:, None]) / (2 * half_m / 24)
    v = (corners[:, :, 1] + half_m) / (2 * half_m)
    weights = np.zeros((len(vertices), 24), np.float32)
    weights[:, 0] = 1
    regressor = np.zeros((24, len(vertices)), np.float32)
    regressor[:, :] = 1 / len(vertices)
    parents = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)
    return Body(
        v_template=vertices,
        shapedirs=np.zeros((len(vertices), 3, 10), np.float32),
        posedirs=np.zeros((len(vertices), 3, 207), np.float32),
        joint_regressor=regressor,
        weights=weights,
        parents=parents,
        f=f,
        part=labels,
        chart_uv=np.stack([u, v], axis=-1).astype(np.float32),
        quads=quads,
        has_pose_correctives=False,
        licence="none",
    )


def with_random_correctives(body: Body, seed: int = 0) -> Body:
    """The body with pose correctives of a few millimetres."""
    random = np.random.default_rng(seed)
    posedirs = random.normal(0, 0.002, (*body.v_template.shape, 207)).astype(np.float32)
    return dataclasses.replace(body, posedirs=posedirs, has_pose_correctives=True)


def add_camera(scene: Any, location: Any, rotation: Any, fov_rad: float = math.radians(40)) -> Any:
    """A camera with a vertical field of view, made the scene's."""
    data = bpy.data.cameras.new("camera")
    camera = bpy.data.objects.new("camera", data)
    scene.collection.objects.link(camera)
    camera.location, camera.rotation_euler = location, rotation
    data.sensor_fit, data.angle_y = "VERTICAL", fov_rad
    scene.camera = camera
    return camera


def wait(render: PassRender, limit_s: float = 10.0) -> list[RenderedFrame]:
    """The next finished frames; none where the child has ended, or the time is over."""
    deadline = time.monotonic() + limit_s
    while not (finished := render.step()) and not render.done and time.monotonic() < deadline:
        time.sleep(0.01)
    return finished


def render_passes(context: Any, request: PassRequest) -> list[RenderedFrame]:
    """Render a shot's passes and wait for them all."""
    render = PassRender.start(context, request)
    frames: list[RenderedFrame] = []
    try:
        while not render.done:
            frames += wait(render)
    finally:
        render.close()
    return frames


def read_exr(path: Path) -> dict[str, NDArray[Any]]:
    """All channels of a passes file by the OpenEXR library, not by the add-on's own reader."""
    import OpenEXR

    with OpenEXR.File(str(path), separate_channels=True) as file:
        return {name: np.asarray(channel.pixels) for part in file.parts for name, channel in part.channels.items()}
