"""Each refusal names its own cause and the object, in the panel as in the passes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from blender_addon.look.camera import frame_shot
from blender_addon.look.motion_check import check_motion
from blender_addon.passes.launcher import PassRequest
from blender_addon.rig.character import bodies, characters, import_motion
from blender_addon.rig.joints import JOINT, joint_bones
from shared.errors import LatentManError
from tests.blender.scenes import add_camera, context, empty_scene, plane_body, render_passes, still_motion

FRAMES = (1, 2)


@pytest.fixture
def scene() -> Any:
    """A square of 2 m before a camera at 4 m."""
    made = empty_scene(24)
    import_motion(made, still_motion(2), plane_body(), name="board")
    add_camera(made, (0, -4, 0), (np.pi / 2, 0, 0))
    return made


def render(folder: Path) -> None:
    render_passes(bpy.context, PassRequest(folder, FRAMES, 32, 32))


def body() -> Any:
    return bodies(context.scene)[0]


def apart(item: Any) -> Any:
    """Put an object into a collection of its own; returns that collection's entry in the view layer."""
    collection = bpy.data.collections.new("apart")
    context.scene.collection.children.link(collection)
    for other in item.users_collection:
        other.objects.unlink(item)
    collection.objects.link(item)
    return context.view_layer.layer_collection.children["apart"]


def disabled() -> None:
    body().hide_render = True


def excluded() -> None:
    apart(body()).exclude = True


def collection_disabled() -> None:
    apart(body()).collection.hide_render = True


def indirect_only() -> None:
    apart(body()).indirect_only = True


def without_armature() -> None:
    bpy.data.objects.remove(body().parent)


def instance_only() -> None:
    collection = bpy.data.collections.new("hero")
    for item in (body().parent, body()):
        collection.objects.link(item)
        context.scene.collection.objects.unlink(item)
    instance = bpy.data.objects.new("hero 1", None)
    instance.instance_type, instance.instance_collection = "COLLECTION", collection
    context.scene.collection.objects.link(instance)


def elsewhere() -> None:
    other = bpy.data.scenes.new("other")
    for item in (body().parent, body()):
        other.collection.objects.link(item)
        context.scene.collection.objects.unlink(item)


def renamed_without_a_mark() -> None:
    bone = body().parent.data.bones["left_wrist"]
    del bone[JOINT]
    bone.name = "Hand.L"


def no_labels() -> None:
    mesh = body().data
    mesh.attributes.remove(mesh.attributes["latentman_part"])


def labels_removed() -> None:
    body().modifiers.new("Voxels", "REMESH").voxel_size = 0.2


def other_topology() -> None:
    modifier = body().modifiers.new("Mask", "BUILD")
    modifier.frame_start, modifier.frame_duration = -2, 8


def behind() -> None:
    context.scene.camera.rotation_euler.z = np.pi


def clipped() -> None:
    context.scene.camera.data.clip_end = 2


def beside() -> None:
    context.scene.camera.rotation_euler.z = np.pi / 3


def hidden() -> None:
    bpy.ops.mesh.primitive_plane_add(size=9, location=(0, -1, 0), rotation=(np.pi / 2, 0, 0))
    context.object.name = "wall"
    bpy.ops.mesh.primitive_cube_add(location=(3, 3, 0))
    context.object.name = "behind"
    hair = bpy.data.objects.new("without faces", bpy.data.hair_curves.new("hair"))
    context.scene.collection.objects.link(hair)


def far_away() -> None:
    scene = context.scene
    scene.camera.location.y, scene.camera.data.clip_end = -4e4, 1e6
    scene.camera.location.x = 0.3  # not in the middle of a pixel


def bound_camera() -> None:
    scene = context.scene
    camera: Any = bpy.data.objects.new("flat", bpy.data.cameras.new("flat"))
    camera.data.type = "ORTHO"
    scene.collection.objects.link(camera)
    scene.timeline_markers.new("start", frame=1).camera = scene.camera
    scene.timeline_markers.new("cut", frame=2).camera = camera


def no_camera_but_a_lamp() -> None:
    scene = context.scene
    lamp = bpy.data.objects.new("lamp", bpy.data.lights.new("lamp", "POINT"))
    scene.collection.objects.link(lamp)
    scene.camera = lamp


CAUSES: dict[Callable[[], None], tuple[str, str]] = {
    disabled: ("rig.not_rendered", "'board body' is disabled in renders"),
    excluded: ("rig.not_rendered", "'board body' is in the collection 'apart', which is excluded from the view layer"),
    collection_disabled: ("rig.not_rendered", "in the collection 'apart', which is disabled in renders"),
    indirect_only: ("rig.not_rendered", "'board body' is in a collection that is Indirect Only"),
    without_armature: ("rig.no_character", "the armature of 'board body' is missing"),
    instance_only: ("rig.no_character", "'hero 1' is an instance of a character"),
    elsewhere: ("rig.no_character", "it is in the scene 'other'"),
    renamed_without_a_mark: ("rig.joints", "'board' has no bone 'left_wrist'"),
    no_labels: ("render.charts", "The mesh of 'board body' has no part labels"),
    labels_removed: ("render.charts", "The modifier 'Voxels' of 'board body' removes its part labels"),
    other_topology: ("render.topology", "The body of 'board' has "),
    behind: ("passes.out_of_view", "'camera' has it behind it"),
    clipped: ("passes.out_of_view", "outside its clip range of 0.1 to 2 m"),
    beside: ("passes.out_of_view", "beside its picture"),
    hidden: ("render.hidden", "hidden by other objects in every frame: 'wall'."),
    far_away: ("render.too_small", "covers no pixel in any frame, although nothing hides it"),
    bound_camera: ("passes.no_camera", "no perspective camera in frame 2: 'flat' is orthographic, and markers switch"),
    no_camera_but_a_lamp: ("passes.no_camera", "in frame 1: 'lamp' is not a camera"),
}


@pytest.mark.parametrize("make", CAUSES, ids=lambda make: make.__name__)
def test_the_sentence_names_the_cause(make: Any, scene: Any, tmp_path: Path) -> None:
    make()
    code, sentence = CAUSES[make]
    with pytest.raises(LatentManError) as refused:
        render(tmp_path)
    assert (refused.value.code, refused.value.exit_code) == (code, 2)  # what the scene lacks is the user's to mend
    assert sentence in refused.value.message


def test_an_empty_scene_asks_for_an_import(tmp_path: Path) -> None:
    empty_scene()
    with pytest.raises(LatentManError, match="has no character yet. Import a motion."):
        render(tmp_path)


def test_a_missing_library_is_the_cause_of_a_missing_character(scene: Any, tmp_path: Path) -> None:
    hero = bpy.data.collections.new("hero")
    scene.collection.children.link(hero)
    for item in (body().parent, body()):
        hero.objects.link(item)
        scene.collection.objects.unlink(item)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hero.blend"))
    shot = empty_scene(24)
    libraries: Any = bpy.data.libraries
    with libraries.load(str(tmp_path / "hero.blend"), link=True) as (_, chosen):
        chosen.collections = ["hero"]
    shot.collection.children.link(chosen.collections[0])
    chosen.collections[0].override_hierarchy_create(shot, context.view_layer)
    add_camera(shot, (0, -4, 0), (np.pi / 2, 0, 0))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    render(tmp_path / "there")
    (tmp_path / "hero.blend").unlink()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    with pytest.raises(LatentManError, match=r"the linked library '.*hero.blend' cannot be found") as refused:
        render(tmp_path / "gone")
    assert refused.value.code == "rig.library"


def test_a_camera_that_only_markers_bind_is_enough(scene: Any, tmp_path: Path) -> None:
    scene.timeline_markers.new("start", frame=1).camera = scene.camera
    scene.camera = None
    render(tmp_path)
    assert all((tmp_path / f"{frame:04d}.exr").is_file() for frame in FRAMES)


def test_renamed_bones_stay_joints_for_all_who_use_them(scene: Any, tmp_path: Path) -> None:
    armature = characters(scene)[0].armature
    before = joint_bones(armature)
    for name, other in (("left_wrist", "Hand.L"), ("pelvis", "Hips"), ("left_hip", "right")):
        armature.data.bones[name].name = other
    renamed = {"left_wrist": "Hand.L", "pelvis": "Hips", "left_hip": "right"}
    assert joint_bones(armature) == tuple(renamed.get(name, name) for name in before)
    assert check_motion(scene, characters(scene)[0], FRAMES, 32, 32).floor_penetration_cm >= 0
    frame_shot(scene, armature, FRAMES, replace=True)
    render(tmp_path)


def test_swapped_names_do_not_swap_joints(scene: Any) -> None:
    bones = characters(scene)[0].armature.data.bones
    bones["left_wrist"].name = "kept"
    bones["right_wrist"].name = "left_wrist"
    bones["kept"].name = "right_wrist"
    found = joint_bones(characters(scene)[0].armature)
    assert found[20:22] == ("right_wrist", "left_wrist")
