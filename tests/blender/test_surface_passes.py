"""The surface that the backend draws again is the one that Cycles rendered, an object before the body included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np

from backend.passes.shot_passes import open_passes
from backend.surface.gbuffer import camera_frame, drawn, g_buffer
from backend.surface.texels import shot_texels
from backend.surface.views import frame_view
from blender_addon.passes.launcher import PassRequest
from blender_addon.rig.character import import_motion
from shared.body import free_body
from tests.blender.scenes import add_camera, empty_scene, render_passes, standing_motion

WIDTH, HEIGHT = 96, 128


def test_the_backend_draws_what_cycles_rendered_under_a_moving_camera_and_behind_a_board(tmp_path: Path) -> None:
    scene = empty_scene(24)
    import_motion(scene, standing_motion(2), free_body())
    camera = add_camera(scene, (0.1, -3.0, 1.1), (np.pi / 2 + 0.05, 0.03, 0.1))
    camera.keyframe_insert("location", frame=1)
    camera.location.x = -0.25
    camera.keyframe_insert("location", frame=2)
    bpy.ops.mesh.primitive_cube_add(size=1, location=(0.0, -0.6, 0.9))
    board: Any = bpy.context.object
    board.scale = (0.15, 0.02, 0.3)
    render_passes(bpy.context, PassRequest(tmp_path, (1, 2), WIDTH, HEIGHT, "cycles"))
    files = [tmp_path / f"{frame:04d}.exr" for frame in (1, 2)]
    passes = open_passes(files, *(tmp_path / name for name in ("shot.json", "vertices.npy", "charts.npz")))
    mesh = shot_texels(passes)
    for frame in passes.positions:
        rendered, buffer = passes.frame(frame), g_buffer(passes, frame)
        found = drawn(passes, camera_frame(passes, frame), 1)
        part, depth = np.zeros(WIDTH * HEIGHT, np.uint8), np.full(WIDTH * HEIGHT, np.inf)
        part[found.pixel], depth[found.pixel] = passes.charts.part[found.face], found.depth
        body = rendered.part.ravel() > 0
        assert body.sum() > 500 and buffer.hidden.sum() > 100
        # Float32 rays and ours part ways at edges alone.
        assert (part[body] != rendered.part.ravel()[body]).mean() < 0.003
        assert np.quantile(np.abs(depth[body] - rendered.depth_m.ravel()[body]), 0.99) < 2e-4
        assert (buffer.alpha.ravel()[body] > 0).all()
        view = frame_view(passes, mesh, frame)
        hidden = buffer.hidden.ravel()
        assert not hidden[view.pixel].any() and not hidden[view.tap_pixel].any()
        assert len(view.seen) > 1000
