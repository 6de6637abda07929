"""What is left out is not in the passes: they are those of the scene without it, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

import blender_addon
from blender_addon.passes.launcher import PassRender, PassRequest
from blender_addon.rig.character import import_motion, others_in_picture
from blender_addon.rig.left_out import KEPT, LEFT_OUT, is_left_out, keep, leave_out, take_back
from shared.errors import InputError
from tests.blender.scenes import (
    add_camera,
    context,
    empty_scene,
    operators,
    plane_body,
    read_exr,
    render_passes,
    still_motion,
    wait,
)

FRAMES = (1, 2)
SIZE = 48


@pytest.fixture
def scene() -> Any:
    """A square of 2 m, 4 m before the camera, and Blender's cube 1 m before it."""
    made = empty_scene(24)
    import_motion(made, still_motion(2), plane_body(), name="board")
    add_camera(made, (0, -4, 0), (np.pi / 2, 0, 0))
    bpy.ops.mesh.primitive_cube_add(size=0.8, location=(0, -1, 0))
    context.object.name = "Cube"
    return made


def cube() -> Any:
    return bpy.data.objects["Cube"]


def render(folder: Path) -> list[bool]:
    return [one.reused for one in render_passes(bpy.context, PassRequest(folder, FRAMES, SIZE, SIZE))]


def kept(folder: Path) -> list[bool]:
    """What Count Changes finds."""
    run = PassRender.start(bpy.context, PassRequest(folder, FRAMES, SIZE, SIZE), compare_only=True)
    found = []
    while not run.done:
        found += wait(run)
    run.close()
    return [one.reused for one in found]


def pixels(folder: Path) -> int:
    return int((read_exr(folder / "0001.exr")["iuv.R"] > 0).sum())


def instance_of_a_collection() -> Any:
    collection = bpy.data.collections.new("set")
    collection.objects.link(cube())
    context.scene.collection.objects.unlink(cube())
    instance = bpy.data.objects.new("instance", None)
    instance.instance_type, instance.instance_collection = "COLLECTION", collection
    context.scene.collection.objects.link(instance)
    return instance


def instances_by_nodes() -> Any:
    """An object that shows the cube where it is, by geometry nodes; the cube itself is out of the picture."""
    tree: Any = bpy.data.node_groups.new("nodes", "GeometryNodeTree")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    info = tree.nodes.new("GeometryNodeObjectInfo")
    info.inputs["Object"].default_value, info.inputs["As Instance"].default_value = cube(), True
    tree.links.new(info.outputs["Geometry"], tree.nodes.new("NodeGroupOutput").inputs[0])
    shower = bpy.data.objects.new("shower", bpy.data.meshes.new("shower"))
    context.scene.collection.objects.link(shower)
    modifier: Any = shower.modifiers.new("Nodes", "NODES")
    modifier.node_group = tree
    shower.location = (0, -1, 0)
    cube().location = (9, 9, 9)
    return shower


def test_left_out_is_as_deleted_byte_for_byte(scene: Any, tmp_path: Path) -> None:
    render(tmp_path / "shown")
    leave_out(scene, "Cube")
    assert kept(tmp_path / "shown") == [False, False]
    render(tmp_path / "left_out")
    assert (cube().hide_render, cube().visible_camera) == (False, True)
    assert others_in_picture(scene, context.view_layer) == []
    bpy.data.objects.remove(cube())
    assert kept(tmp_path / "left_out") == [True, True]
    render(tmp_path / "deleted")
    names = [path.name for path in sorted((tmp_path / "deleted").iterdir())]
    assert len(names) == 5
    for name in names:
        assert (tmp_path / "left_out" / name).read_bytes() == (tmp_path / "deleted" / name).read_bytes()
    assert pixels(tmp_path / "shown") < pixels(tmp_path / "deleted")


def test_what_was_rendered_without_it_is_rendered_again_when_it_is_back(scene: Any, tmp_path: Path) -> None:
    leave_out(scene, "Cube")
    render(tmp_path)
    hidden = pixels(tmp_path)
    assert render(tmp_path) == [True, True]
    take_back(scene, "Cube")
    assert render(tmp_path) == [False, False]
    assert pixels(tmp_path) < hidden


def test_no_key_shows_what_is_left_out(scene: Any, tmp_path: Path) -> None:
    other = cube().copy()
    scene.collection.objects.link(other)
    other.location.x = 0.9
    for item in (cube(), other):
        item.animation_data_clear()
    cube().keyframe_insert("hide_render", frame=1)
    other.animation_data_create().action = cube().animation_data.action  # shared: the other keeps its keys
    leave_out(scene, "Cube")
    render(tmp_path / "left_out")
    assert not other.hide_render
    bpy.data.objects.remove(cube())
    assert kept(tmp_path / "left_out") == [True, True]


def test_a_collections_instance_goes_with_the_object_that_shows_it(scene: Any, tmp_path: Path) -> None:
    instance = instance_of_a_collection()
    render(tmp_path / "shown")
    leave_out(scene, instance.name)
    render(tmp_path / "left_out")
    assert pixels(tmp_path / "shown") < pixels(tmp_path / "left_out")
    take_back(scene, instance.name)
    cube()[LEFT_OUT] = True  # the original: its collection shows it no more, wherever it is shown
    assert kept(tmp_path / "left_out") == [True, True]


def test_nodes_show_an_original_that_is_left_out_and_nothing_once_they_are_left_out(scene: Any, tmp_path: Path) -> None:
    shower = instances_by_nodes()
    render(tmp_path / "shown")
    leave_out(scene, "Cube")
    render(tmp_path / "original")
    assert pixels(tmp_path / "original") == pixels(tmp_path / "shown")
    leave_out(scene, shower.name)
    render(tmp_path / "both")
    assert pixels(tmp_path / "both") > pixels(tmp_path / "shown")


def test_a_character_can_be_left_out_and_the_last_one_is_named_as_the_cause(scene: Any, tmp_path: Path) -> None:
    leave_out(scene, "board body")
    with pytest.raises(InputError, match="'board body' is left out of the passes. Press the cross"):
        render(tmp_path)


@pytest.mark.parametrize(
    ("name", "code"), [("Cub", "objects.unknown"), ("camera", "objects.no_surface"), ("board", "objects.no_surface")]
)
def test_what_cannot_be_left_out_has_a_code(scene: Any, name: str, code: str) -> None:
    with pytest.raises(InputError) as refused:
        leave_out(scene, name)
    assert refused.value.code == code
    assert code != "objects.unknown" or "has no object 'Cub'. It has: Cube, board body." in str(refused.value)


def test_what_a_linked_file_holds_is_refused(scene: Any, tmp_path: Path) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "set.blend"))
    other = empty_scene()
    libraries: Any = bpy.data.libraries
    with libraries.load(str(tmp_path / "set.blend"), link=True) as (_, chosen):
        chosen.objects = ["Cube"]
    other.collection.objects.link(chosen.objects[0])
    with pytest.raises(InputError, match="'Cube' belongs to a linked file"):
        leave_out(other, "Cube")


def test_one_flag_at_a_time(scene: Any) -> None:
    keep(scene, "Cube")
    leave_out(scene, "Cube")
    assert is_left_out(cube()) and KEPT not in cube()
    take_back(scene, "Cube")
    assert LEFT_OUT not in cube() and KEPT not in cube()


@pytest.fixture
def addon() -> Iterator[None]:
    blender_addon.register()
    yield
    blender_addon.unregister()


def test_the_choice_is_undone_and_saved_with_the_file(scene: Any, addon: None, tmp_path: Path) -> None:
    bpy.ops.ed.undo_push(message="before")
    assert operators.latentman.leave_out("EXEC_DEFAULT", True, name="Cube") == {"FINISHED"}
    assert is_left_out(cube())
    bpy.ops.ed.undo()
    assert not is_left_out(cube())
    bpy.ops.ed.redo()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    empty_scene()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    assert is_left_out(cube())
    assert operators.latentman.take_back(name="Cube") == {"FINISHED"}
    assert operators.latentman.keep_in_picture(name="Cube") == {"FINISHED"}
    assert cube()[KEPT] and not is_left_out(cube())
    with pytest.raises(RuntimeError, match="has no object 'none'"):
        operators.latentman.leave_out(name="none")
