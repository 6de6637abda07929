"""A body is a character for the whole shot or background, never both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from blender_addon.passes.launcher import PassRequest
from blender_addon.rig.character import BODY, characters, import_motion, others_in_picture
from shared.errors import InputError
from shared.shot import Shot, parse_shot
from tests.blender.scenes import (
    add_camera,
    context,
    eevee_runs,
    empty_scene,
    plane_body,
    read_exr,
    render_passes,
    still_motion,
)

WIDTH, HEIGHT = 80, 24
HALF_M = 0.5
FRAMES = (1, 2, 3)


def board(x_m: float, frames: int = 3) -> Any:
    """A square of 1 m, upright at (x, 0, 0): a body with all 24 parts. Returns its armature."""
    armature = import_motion(context.scene, still_motion(frames), plane_body(HALF_M), name="board")
    armature.location.x = x_m
    return armature


def body_of(armature: Any) -> Any:
    return next(one.body for one in characters(context.scene) if one.armature == armature)


@pytest.fixture
def scene() -> Any:
    """A camera that sees 8 m of the x axis: 10 pixels a metre."""
    made = empty_scene(24)
    add_camera(made, (0, -10, 0), (np.pi / 2, 0, 0), 2 * np.arctan(0.12))
    return made


def render(folder: Path, frames: tuple[int, ...] = (1,), engine: str = "cycles") -> Shot:
    render_passes(bpy.context, PassRequest(folder, frames, WIDTH, HEIGHT, engine))
    return parse_shot((folder / "shot.json").read_bytes())


def label_at(folder: Path, x_m: float, frame: int = 1) -> float:
    """The label in the middle of the picture's height, a little beside the middle of a board at x."""
    part = read_exr(folder / f"{frame:04d}.exr")["iuv.R"]
    return float(part[HEIGHT // 2, int(WIDTH / 2 + 10 * x_m)])


def key_visibility(item: Any, hidden: dict[int, bool]) -> None:
    for frame, value in hidden.items():
        item.hide_render = value
        item.keyframe_insert("hide_render", frame=frame)
    context.scene.frame_set(1)


def test_one_that_enters_by_keys_is_a_character_in_all_frames(scene: Any, tmp_path: Path) -> None:
    first, second = board(-2), board(2)
    key_visibility(body_of(second), {1: True, 3: False})
    second.location.x = 1
    second.keyframe_insert("location", frame=1)
    second.location.x = 2
    second.keyframe_insert("location", frame=3)
    scene.frame_set(1)
    shot = render(tmp_path, FRAMES)
    assert [one.name for one in shot.characters] == [first.name, second.name]
    assert [label_at(tmp_path, 2, frame) > 0 for frame in FRAMES] == [False, False, True]
    assert [label_at(tmp_path, 1, frame) > 0 for frame in FRAMES] == [False, False, False]
    entering = shot.characters[1]
    rows = slice(entering.vertex_start, entering.vertex_start + entering.vertex_count)
    middle = np.load(tmp_path / "vertices.npy")[:, rows].mean(axis=1)
    assert np.allclose(middle, [(1, 0, 0), (1.5, 0, 0), (2, 0, 0)], atol=1e-5)
    assert np.allclose(entering.joints_world[:, 0], middle, atol=1e-5)


def test_one_that_leaves_and_one_that_is_only_here_after_the_shot(scene: Any, tmp_path: Path) -> None:
    leaving, later = board(-2), board(2)
    key_visibility(body_of(leaving), {1: False, 2: True})
    key_visibility(body_of(later), {1: True, 4: False})
    shot = render(tmp_path, FRAMES)
    assert [one.name for one in shot.characters] == [leaving.name]
    assert [label_at(tmp_path, -2, frame) > 0 for frame in FRAMES] == [True, False, False]
    assert others_in_picture(scene, context.view_layer) == []


def test_the_depth_range_is_that_of_the_frames_that_render_it(scene: Any, tmp_path: Path) -> None:
    board(-2)
    near = board(2)
    near.location.y = -5
    key_visibility(body_of(near), {1: True, 4: False})
    assert abs(render(tmp_path, FRAMES).near_m - 10) < 1e-3


def test_instances_and_copies_without_a_rig_are_background(scene: Any, tmp_path: Path) -> None:
    armature = board(0)
    body = body_of(armature)
    collection = bpy.data.collections.new("hero")
    collection.objects.link(body)
    instance = bpy.data.objects.new("instance", None)
    instance.instance_type, instance.instance_collection = "COLLECTION", collection
    copy = bpy.data.objects.new("copy", body.data)
    copy[BODY] = True  # as Blender copies it
    nodes = bpy.data.objects.new("nodes", bpy.data.meshes.new("nodes"))
    for item, x_m in ((instance, -3), (copy, 2), (nodes, 3.4)):
        scene.collection.objects.link(item)
        item.location.x = x_m
    copy.rotation_euler = nodes.rotation_euler = (np.pi / 2, 0, 0)
    tree: Any = bpy.data.node_groups.new("realised", "GeometryNodeTree")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    info = tree.nodes.new("GeometryNodeObjectInfo")
    info.inputs["Object"].default_value = body
    tree.links.new(info.outputs["Geometry"], tree.nodes.new("NodeGroupOutput").inputs[0])
    realised: Any = nodes.modifiers.new("Nodes", "NODES")
    realised.node_group = tree
    wall = board(-3)  # behind the instance
    wall.location.y = 1
    engines = ("cycles", "eevee") if eevee_runs() else ("cycles",)
    for engine in engines:
        shot = render(tmp_path / engine, engine=engine)
        assert [one.name for one in shot.characters] == [armature.name, wall.name]
        assert label_at(tmp_path / engine, 0) > 0
        assert [label_at(tmp_path / engine, x_m) for x_m in (-3, 2, 3.4)] == [0, 0, 0]
    assert others_in_picture(scene, context.view_layer) == ["copy", "instance", "nodes"]


def test_a_copy_with_a_rig_is_a_character_of_its_own(scene: Any, tmp_path: Path) -> None:
    armature = board(-2)
    body = body_of(armature)
    rig, copy = armature.copy(), body.copy()  # as Alt D of both: they share mesh and armature data
    for item in (rig, copy):
        scene.collection.objects.link(item)
    copy.parent = copy.modifiers[0].object = rig
    rig.location.x = 2
    shot = render(tmp_path)
    assert [one.name for one in shot.characters] == [armature.name, rig.name]
    assert (label_at(tmp_path, -2) > 0, label_at(tmp_path, 2) > 0) == (True, True)
    assert np.load(tmp_path / "vertices.npy").shape[1] == 2 * len(body.data.vertices)


def test_a_body_under_an_empty_has_the_rig_that_deforms_it(scene: Any, tmp_path: Path) -> None:
    armature = board(0)
    empty = bpy.data.objects.new("mover", None)
    scene.collection.objects.link(empty)
    body = body_of(armature)
    body.parent, body.matrix_parent_inverse = empty, armature.matrix_world
    shot = render(tmp_path)
    assert [one.name for one in shot.characters] == [armature.name]
    assert label_at(tmp_path, 0) > 0


def test_one_that_no_frame_renders_is_refused_by_its_cause(scene: Any, tmp_path: Path) -> None:
    body = body_of(board(0))
    key_visibility(body, {1: True, 4: False})
    with pytest.raises(InputError, match=r"'board body' is not rendered in any of the shot's frames 1-3: .* keyed"):
        render(tmp_path, FRAMES)
    assert list(tmp_path.iterdir()) == []


def test_what_nodes_make_beside_a_bodys_mesh_hides_and_is_not_labelled(scene: Any, tmp_path: Path) -> None:
    armature = board(0)
    render(tmp_path / "plain")
    plain = read_exr(tmp_path / "plain/0001.exr")["iuv.R"]
    tree: Any = bpy.data.node_groups.new("beside", "GeometryNodeTree")
    for in_out in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=in_out, socket_type="NodeSocketGeometry")
    body, join = tree.nodes.new("NodeGroupInput"), tree.nodes.new("GeometryNodeJoinGeometry")
    points, instance = tree.nodes.new("GeometryNodeMeshToPoints"), tree.nodes.new("GeometryNodeGeometryToInstance")
    aside = tree.nodes.new("GeometryNodeTransform")
    points.inputs["Radius"].default_value = 0.02
    aside.inputs["Translation"].default_value = (2.4, 0, 0)
    for start, end in ((body, points), (body, instance), (instance, aside), (body, join), (aside, join)):
        tree.links.new(start.outputs[0], end.inputs[0])
    tree.links.new(points.outputs[0], join.inputs[0])
    tree.links.new(join.outputs[0], tree.nodes.new("NodeGroupOutput").inputs[0])
    body_of(armature).modifiers.new("Nodes", "NODES").node_group = tree
    render(tmp_path / "beside")
    beside = read_exr(tmp_path / "beside/0001.exr")["iuv.R"]
    assert ((beside == plain) | (beside == 0)).all()  # nothing of the instance; points hide the body
    assert 0 < (beside > 0).sum() < (plain > 0).sum()
