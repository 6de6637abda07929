"""Rendered passes of the body with Cycles: labels, charts, depth, the files beside them, equality and refusals."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from numpy.typing import NDArray

from blender_addon import compat
from blender_addon.passes.launcher import PassRender, PassRequest
from blender_addon.passes.saved_copy import save_copy
from blender_addon.rig.character import characters, import_motion
from shared.body import free_body, pose_vertices_batch
from shared.errors import InputError, RenderError
from shared.shot import parse_shot
from tests.blender.fingerprint import fingerprint
from tests.blender.scenes import (
    add_camera,
    context,
    empty_scene,
    plane_body,
    read_exr,
    render_passes,
    standing_motion,
    wait,
    with_random_correctives,
)
from tests.reference.raster import Raster, rasterise

ROOT = Path(__file__).resolve().parents[2]
TO_BLENDER = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])
CHANNELS = {"Depth.Z", "iuv.R", "iuv.G", "iuv.B"}


def body_scene(frames: int = 3, body: Any = None) -> Any:
    scene = empty_scene(24)
    motion = standing_motion(frames)
    armature = import_motion(scene, motion, body or free_body())
    add_camera(scene, (0.1, -3.0, 1.1), (np.pi / 2 + 0.05, 0.03, 0.1))
    return scene, armature, motion


def render(
    folder: Path, frames: tuple[int, ...] = (1, 2), width: int = 160, height: int = 120, engine: str = "cycles"
) -> Any:
    return render_passes(bpy.context, PassRequest(folder, tuple(frames), width, height, engine))


def inner(raster: Raster) -> NDArray[Any]:
    """Pixels whose neighbours show the same part at about the same depth: no silhouette, no border of parts."""
    keep = raster.part > 0
    depth = np.where(raster.part > 0, raster.depth_m, 1e3)
    for axis in (0, 1):
        for step in (-1, 1):
            keep &= np.roll(raster.part, step, axis) == raster.part
            keep &= np.abs(np.roll(depth, step, axis) - depth) < 0.03
    return keep


def test_pixels_agree_with_an_independent_rasterisation_of_the_posed_body(tmp_path: Path) -> None:
    body = free_body()
    assert body.part is not None and body.chart_uv is not None
    _, _, motion = body_scene(3, body)
    frames = render(tmp_path, (1, 3))
    assert [(one.frame, one.path.name) for one in frames] == [(1, "0001.exr"), (3, "0003.exr")]
    shot = parse_shot((tmp_path / "shot.json").read_bytes())
    world = pose_vertices_batch(body, motion.poses, motion.betas, motion.root) @ TO_BLENDER.T
    for index, frame in enumerate((1, 3)):
        view = shot.camera.world_to_camera[index], shot.camera.intrinsics[index]
        twin = rasterise(world[frame - 1], body.f, body.part, body.chart_uv, *view, 160, 120)
        layers = read_exr(tmp_path / f"{frame:04d}.exr")
        assert set(layers) == CHANNELS
        part, uv, depth = layers["iuv.R"], np.stack([layers["iuv.G"], layers["iuv.B"]], -1), layers["Depth.Z"]
        assert set(np.unique(part)) <= set(range(25))
        assert len(np.unique(part)) > 12
        assert (part != twin.part).mean() < 0.003
        safe = inner(twin)
        assert safe.sum() > 800
        assert (part[safe] == twin.part[safe]).all()
        assert np.abs(depth[safe] - twin.depth_m[safe]).max() < 2e-3
        assert np.quantile(np.abs(depth[safe] - twin.depth_m[safe]), 0.99) < 1e-4
        error = np.abs(uv[safe] - twin.uv[safe]).max(-1)
        assert np.quantile(error, 0.98) < 2e-3  # the rest lies on seams inside a part's chart
        background = part == 0
        assert np.isposinf(depth[background]).all()
        assert (uv[background] == 0).all()
        assert shot.near_m <= depth[~background].min() + 1e-3
        assert shot.far_m >= depth[~background].max() - 1e-3


def test_the_files_beside_the_frames_describe_them(tmp_path: Path) -> None:
    body = free_body()
    assert body.part is not None
    scene, armature, motion = body_scene(3, body)
    render(tmp_path, (2, 3), 64, 48)
    shot = parse_shot((tmp_path / "shot.json").read_bytes())
    assert (shot.frames, shot.fps, shot.width, shot.height) == ((2, 3), 24.0, 64, 48)
    world = pose_vertices_batch(body, motion.poses, motion.betas, motion.root) @ TO_BLENDER.T
    vertices = np.load(tmp_path / "vertices.npy")
    assert vertices.dtype == np.float32
    assert np.abs(vertices - world[1:]).max() < 2e-5
    with np.load(tmp_path / "charts.npz") as charts:
        f, part, chart_uv = charts["f"], charts["part"], charts["chart_uv"]
    assert (f.dtype, part.dtype, chart_uv.dtype) == (np.int32, np.uint8, np.float32)
    ours = {tuple(np.sort(corners)): label for corners, label in zip(f.tolist(), part, strict=True)}
    bodys = {tuple(np.sort(corners)): label for corners, label in zip(body.f.tolist(), body.part, strict=True)}
    assert len(ours) == len(bodys)
    assert all(ours[corners] == label for corners, label in bodys.items() if corners in ours)
    (character,) = shot.characters
    assert (character.name, character.vertex_start, character.vertex_count) == (armature.name, 0, len(body.v_template))
    scene.frame_set(2)
    pelvis = armature.matrix_world @ armature.pose.bones["pelvis"].head
    assert np.allclose(character.joints_world[0, 0], pelvis, atol=1e-5)
    scene.render.resolution_x, scene.render.resolution_y = 64, 48
    head: Any = world_to_camera_view(scene, scene.camera, armature.matrix_world @ armature.pose.bones["head"].head)
    assert np.allclose(character.joints_picture[0, 15], (head.x * 64, (1 - head.y) * 48), atol=1e-3)


def test_nothing_about_the_open_file_or_scene_changes(tmp_path: Path) -> None:
    scene, _, _ = body_scene(3)
    scene.frame_set(2)
    scene.render.resolution_x, scene.render.engine, scene.render.filepath = 333, "CYCLES", "//mine"
    scene.cycles.samples = 77
    before = fingerprint()
    state = bpy.data.filepath, bpy.data.is_dirty, scene.frame_current
    render(tmp_path, (1, 2), 48, 48)
    assert fingerprint() == before
    assert (bpy.data.filepath, bpy.data.is_dirty, scene.frame_current) == state
    scene.render.dither_intensity += 0.25
    assert fingerprint() != before


def test_panel_and_batch_give_equal_bytes_and_so_does_a_second_run(tmp_path: Path) -> None:
    scene, _, _ = body_scene(3)
    render_by_panel = PassRender.start(bpy.context, PassRequest(tmp_path / "panel", (1, 2, 3), 96, 96))
    seen = []
    while not render_by_panel.done:
        seen += [one.frame for one in render_by_panel.step()]  # as a timer calls it
        assert render_by_panel.shot_ready or not seen
    assert seen == [1, 2, 3]
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"), copy=True)
    code = (
        "import bpy, sys; from pathlib import Path; import blender_addon;"
        "from blender_addon.passes.launcher import PassRequest; from tests.blender.scenes import render_passes;"
        "bpy.ops.wm.open_mainfile(filepath=sys.argv[1]);"
        "render_passes(bpy.context, PassRequest(Path(sys.argv[2]), (1, 2, 3), 96, 96))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "shot.blend"), str(tmp_path / "batch")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    files = sorted(path.name for path in (tmp_path / "panel").iterdir())
    assert files == ["0001.exr", "0002.exr", "0003.exr", "charts.npz", "shot.json", "vertices.npy"]
    for name in files:
        assert (tmp_path / "panel" / name).read_bytes() == (tmp_path / "batch" / name).read_bytes(), name


def test_a_second_run_takes_equal_whole_frames_over_and_an_edit_of_one_bone_renders_one_frame(tmp_path: Path) -> None:
    _, armature, _ = body_scene(3)
    render(tmp_path, (1, 2, 3), 96, 96)
    first = {name: (tmp_path / name).read_bytes() for name in ("0001.exr", "0002.exr", "0003.exr")}
    curve = next(
        curve
        for curve in compat.fcurves_of(armature)
        if curve.data_path == 'pose.bones["left_elbow"].rotation_quaternion' and curve.array_index == 2
    )
    curve.keyframe_points[1].co[1] += 0.5  # frame 2
    curve.update()
    (tmp_path / "0003.exr").write_bytes(first["0003.exr"][:-100])  # not whole any more
    assert [one.reused for one in render(tmp_path, (1, 2, 3), 96, 96)] == [True, False, False]
    assert (tmp_path / "0001.exr").read_bytes() == first["0001.exr"]
    assert (tmp_path / "0003.exr").read_bytes() == first["0003.exr"]
    (tmp_path / "before.exr").write_bytes(first["0002.exr"])
    changed = read_exr(tmp_path / "0002.exr")["iuv.R"] != read_exr(tmp_path / "before.exr")["iuv.R"]
    assert changed.sum() > 20


def test_pose_correctives_are_in_the_passes(tmp_path: Path) -> None:
    body = with_random_correctives(free_body())
    assert body.part is not None and body.chart_uv is not None
    _, _, motion = body_scene(2, body)
    render(tmp_path, (1, 2), 96, 96)
    world = pose_vertices_batch(body, motion.poses, motion.betas, motion.root) @ TO_BLENDER.T
    assert np.abs(np.load(tmp_path / "vertices.npy") - world).max() < 1e-4
    shot = parse_shot((tmp_path / "shot.json").read_bytes())
    view = shot.camera.world_to_camera[1], shot.camera.intrinsics[1]
    twin = rasterise(world[1], body.f, body.part, body.chart_uv, *view, 96, 96)
    plain = pose_vertices_batch(free_body(), motion.poses, motion.betas, motion.root) @ TO_BLENDER.T
    without = rasterise(plain[1], body.f, body.part, body.chart_uv, *view, 96, 96)
    depth = read_exr(tmp_path / "0002.exr")["Depth.Z"]
    both = (twin.part > 0) & (without.part > 0) & np.isfinite(depth)
    assert np.median(np.abs(depth[both] - twin.depth_m[both])) < 1e-4
    assert np.median(np.abs(depth[both] - without.depth_m[both])) > 1e-3


def test_an_object_in_front_hides_the_body_and_is_background(tmp_path: Path) -> None:
    scene, _, _ = body_scene(2)
    render(tmp_path / "free", (1,), 96, 96)
    bpy.ops.mesh.primitive_plane_add(size=0.4, location=(0, -1, 1), rotation=(np.pi / 2, 0, 0))
    render(tmp_path / "hidden", (1,), 96, 96)
    free, hidden = read_exr(tmp_path / "free/0001.exr"), read_exr(tmp_path / "hidden/0001.exr")
    gone = (free["iuv.R"] > 0) & (hidden["iuv.R"] == 0)
    assert gone.sum() > 100
    assert np.isposinf(hidden["Depth.Z"][gone]).all()
    rest = hidden["iuv.R"] > 0
    assert rest.sum() > 100
    assert all((hidden[name][rest] == free[name][rest]).all() for name in CHANNELS)
    context.object.scale = (20, 20, 20)
    with pytest.raises(InputError, match="hidden by other objects"):
        render(tmp_path / "all", (1,), 32, 32)


def test_what_the_viewport_hides_or_shows_does_not_matter(tmp_path: Path) -> None:
    scene, _, _ = body_scene(2)
    render(tmp_path / "shown", (1,), 64, 64)
    character = characters(scene)[0]
    character.body.hide_viewport = True
    character.body.modifiers[0].show_viewport = False
    scene.render.use_motion_blur = True
    scene.render.use_border = True
    scene.render.border_max_x = 0.4
    scene.camera.data.dof.use_dof = True
    render(tmp_path / "hidden", (1,), 64, 64)
    assert (tmp_path / "shown/0001.exr").read_bytes() == (tmp_path / "hidden/0001.exr").read_bytes()


def test_two_characters_share_one_vertex_file(tmp_path: Path) -> None:
    scene, first, _ = body_scene(2)
    second = import_motion(scene, standing_motion(2), plane_body(0.3, 24), name="board")
    second.location.x = 0.9
    render(tmp_path, (1,), 64, 64)
    shot = parse_shot((tmp_path / "shot.json").read_bytes())
    assert {one.name for one in shot.characters} == {first.name, second.name}
    assert np.load(tmp_path / "vertices.npy").shape[1] == sum(one.vertex_count for one in shot.characters)
    assert shot.characters[1].vertex_start == shot.characters[0].vertex_count
    with np.load(tmp_path / "charts.npz") as charts:
        assert charts["f"].max() == shot.characters[1].vertex_start + shot.characters[1].vertex_count - 1


def test_refusals_name_what_is_wrong(tmp_path: Path) -> None:
    scene, _, _ = body_scene(2)
    with pytest.raises(InputError, match="contains no frame"):
        render(tmp_path, ())
    with pytest.raises(InputError, match="no pass engine"):
        render(tmp_path, (1,), engine="workbench")
    with pytest.raises(InputError, match="9000x120"):
        render(tmp_path, (1,), 9000)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file"):
        render(tmp_path / "file", (1,))
    scene.camera.rotation_euler = (np.pi / 2, 0, np.pi)
    with pytest.raises(InputError, match="out of the camera's view"):
        render(tmp_path / "out", (1, 2))
    assert list((tmp_path / "out").iterdir()) == []
    scene.camera.data.type = "ORTHO"
    with pytest.raises(InputError, match="no perspective camera"):
        render(tmp_path / "out", (1,))
    scene.camera = None
    with pytest.raises(InputError, match="no perspective camera in frame 1: it has no camera"):
        render(tmp_path, (1,))
    scene.camera = add_camera(scene, (0, -3, 1), (np.pi / 2, 0, 0))
    apart = bpy.data.collections.new("apart")
    scene.collection.children.link(apart)
    body = characters(scene)[0].body
    scene.collection.objects.unlink(body)
    apart.objects.link(body)
    context.view_layer.layer_collection.children["apart"].exclude = True
    with pytest.raises(InputError, match="no character"):
        render(tmp_path, (1,))
    for character in characters(scene):
        bpy.data.objects.remove(character.body)
    with pytest.raises(InputError, match="no character"):
        render(tmp_path, (1,))


def test_cancel_ends_the_child_and_keeps_whole_frames(tmp_path: Path) -> None:
    body_scene(40)
    run = PassRender.start(bpy.context, PassRequest(tmp_path, tuple(range(1, 41)), 64, 64))
    while not wait(run):
        pass
    process = run._process
    run.cancel()
    assert run.done
    assert process.poll() is not None
    assert run.step() == []
    left = sorted(path.name for path in tmp_path.glob("*"))
    assert "0001.exr" in left
    assert "0040.exr" not in left
    kept = {path.name: path.read_bytes() for path in tmp_path.glob("*.exr")}
    assert all(set(read_exr(tmp_path / name)) == CHANNELS for name in kept)


def test_a_killed_child_becomes_an_error_and_the_next_run_goes_on(tmp_path: Path) -> None:
    body_scene(6)
    run = PassRender.start(bpy.context, PassRequest(tmp_path, (1, 2, 3, 4, 5, 6), 64, 64))
    while not wait(run):
        pass
    run._process.kill()
    with pytest.raises(RenderError, match="was stopped by the system"):
        while not run.done:
            wait(run)
    again = render(tmp_path, (1, 2, 3, 4, 5, 6), 64, 64)
    assert again[0].reused
    assert [one.frame for one in again] == [1, 2, 3, 4, 5, 6]


def test_the_copy_that_is_rendered_changes_no_preference(tmp_path: Path) -> None:
    preferences = context.preferences
    preferences.filepaths.file_preview_type, preferences.is_dirty = "CAMERA", False
    save_copy(tmp_path)
    assert (tmp_path / "copy.blend").is_file()
    assert (preferences.filepaths.file_preview_type, preferences.is_dirty) == ("CAMERA", False)
