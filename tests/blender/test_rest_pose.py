"""The rest pose in charts.npz: the body as it was modelled, whatever the pose, the frame and the place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from blender_addon.passes.launcher import PassRequest
from blender_addon.rig.character import characters, import_motion
from shared.body import free_body
from tests.blender.scenes import (
    add_camera,
    context,
    empty_scene,
    plane_body,
    read_exr,
    render_passes,
    standing_motion,
    with_random_correctives,
)


def body_scene(body: Any = None, frames: int = 3) -> Any:
    scene = empty_scene(24)
    armature = import_motion(scene, standing_motion(frames), body or free_body())
    add_camera(scene, (0.1, -3.0, 1.1), (np.pi / 2 + 0.05, 0.03, 0.1))
    return scene, armature


def charts(folder: Path, frames: tuple[int, ...] = (1,)) -> dict[str, NDArray[Any]]:
    render_passes(bpy.context, PassRequest(folder, frames, 32, 32))
    with np.load(folder / "charts.npz") as data:
        return dict(data)


def test_rest_is_the_bodys_basis_and_the_same_from_every_frame_and_place(tmp_path: Path) -> None:
    body = with_random_correctives(free_body())
    _, armature = body_scene(body)
    first = charts(tmp_path / "first")
    assert first["rest"].dtype == np.float32
    assert np.abs(first["rest"] - body.v_template).max() < 1e-6
    assert first["f"].max() < len(first["rest"])
    armature.location, armature.rotation_euler.z = (0.1, 0.2, 0), 0.7
    charts(tmp_path / "moved", (3,))
    assert (tmp_path / "moved/charts.npz").read_bytes() == (tmp_path / "first/charts.npz").read_bytes()


def test_rest_is_in_metres(tmp_path: Path) -> None:
    _, armature = body_scene()
    armature.scale = (0.5, 0.5, 0.5)
    assert np.abs(charts(tmp_path)["rest"] - free_body().v_template / 2).max() < 1e-5


def test_two_bodies_rest_one_after_the_other_each_in_its_own_place(tmp_path: Path) -> None:
    scene, _ = body_scene()
    board = plane_body(0.3, 24)
    import_motion(scene, standing_motion(3), board, name="board").location.x = 0.9
    order = [len(one.body.data.vertices) for one in characters(scene)]
    rest = charts(tmp_path)["rest"]
    bodies = {len(one.v_template): one.v_template for one in (free_body(), board)}
    expected = np.concatenate([bodies[count] for count in order])
    assert np.abs(rest - expected).max() < 1e-6


def test_modifiers_count_and_moving_shape_keys_do_not(tmp_path: Path) -> None:
    body = plane_body()
    scene, _ = body_scene(body)
    item = characters(scene)[0].body
    item.shape_key_add(name="Basis")
    for name, value in (("own", 0.5), ("keyed", 1.0), ("driven", 0.0)):
        key = item.shape_key_add(name=name)
        key.data[0].co.z += 1
        key.value = value
    item.data.shape_keys.key_blocks["keyed"].keyframe_insert("value", frame=1)
    item.data.shape_keys.key_blocks["driven"].driver_add("value").driver.expression = "1.0"
    subdivision = item.modifiers.new("Subdivision", "SUBSURF")
    subdivision.levels, subdivision.render_levels, subdivision.subdivision_type = 0, 1, "SIMPLE"
    rest = charts(tmp_path)["rest"]
    assert len(rest) == 49 * 49  # as rendered: 24 cells were halved
    assert np.isclose(rest[:, 2].max(), 0.5)
    assert np.abs(rest[: len(body.v_template), :2] - body.v_template[:, :2]).max() < 1e-6


def test_physics_that_the_file_has_computed_stays(tmp_path: Path) -> None:
    scene, _ = body_scene(plane_body(), 6)
    characters(scene)[0].body.modifiers.new("Collision", "COLLISION")
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=4, y_subdivisions=4, size=0.6, location=(0, -0.5, 1.8))
    cloth = context.object
    cloth.modifiers.new("Cloth", "CLOTH").point_cache.frame_end = 6
    for frame in range(1, 7):
        scene.frame_set(frame)
    assert "rest" in charts(tmp_path / "fallen", (6,))  # a jump: only what is in the cache is there
    shape = cloth.evaluated_get(context.evaluated_depsgraph_get())
    frozen: Any = bpy.data.objects.new("frozen", bpy.data.meshes.new_from_object(shape))
    frozen.matrix_world = cloth.matrix_world
    scene.collection.objects.link(frozen)
    assert min(vertex.co.z for vertex in frozen.data.vertices) < -0.1
    bpy.data.objects.remove(cloth)
    charts(tmp_path / "frozen", (6,))
    bpy.data.objects.remove(frozen)
    charts(tmp_path / "without", (6,))
    fallen, held, free = (read_exr(tmp_path / name / "0006.exr")["iuv.R"] for name in ("fallen", "frozen", "without"))
    assert (fallen == held).all() and (fallen != free).any()


def test_without_a_rest_pose_of_as_many_vertices_there_is_none(tmp_path: Path) -> None:
    scene, armature = body_scene(plane_body())
    build = characters(scene)[0].body.modifiers.new("Build", "BUILD")
    build.frame_start, build.frame_duration = 1, 3
    scene.frame_start = 2
    assert set(charts(tmp_path, (3,))) == {"f", "part", "chart_uv"}
    assert armature.data.pose_position == "POSE"
