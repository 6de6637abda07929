"""What hides a character is found, said, and forgotten with its cause."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import bpy
import numpy as np
import pytest

import blender_addon
from blender_addon.look.hiders import Hider, find_hiders
from blender_addon.look.keyed_places import KeyedPlaces
from blender_addon.rig.character import characters
from blender_addon.rig.left_out import keep, leave_out
from blender_addon.shot.hider_watch import hiders_now, look_again, step
from shared.motion import sample_path
from tests.blender.scenes import context, operators

FRAMES = tuple(range(1, 101))
SIZE = (256, 256)


@pytest.fixture
def scene() -> Iterator[Any]:
    """Blender's start-up scene with a walk, framed: the cube stands where the walk begins."""
    bpy.ops.wm.read_factory_settings()
    blender_addon.register()
    assert operators.latentman.import_motion(filepath=str(sample_path("walk"))) == {"FINISHED"}
    assert operators.latentman.frame_shot() == {"FINISHED"}
    context.view_layer.update()
    yield context.scene
    blender_addon.unregister()


def cube() -> Any:
    return bpy.data.objects["Cube"]


def found() -> dict[str, float]:
    """The share by name."""
    context.view_layer.update()
    return {one.name: one.share for one in find_hiders(context.scene, context.view_layer, FRAMES, SIZE)}


def test_the_start_up_cube_is_named_with_the_share_that_it_hides(scene: Any) -> None:
    scene.frame_set(40)
    armature = characters(scene)[0].armature
    armature.pose.bones["left_shoulder"].rotation_quaternion = (0, 1, 0, 0)  # not keyed
    (one,) = find_hiders(scene, context.view_layer, FRAMES, SIZE)
    assert (one.name, one.character) == ("Cube", armature.name)
    assert 0.3 < one.share < 0.9
    assert one.sentence_of("the character") == f"Cube hides {100 * one.share:.0f} % of the character"
    assert scene.frame_current == 40
    assert tuple(armature.pose.bones["left_shoulder"].rotation_quaternion) == (0, 1, 0, 0)


def disabled() -> None:
    cube().hide_render = True


def moved() -> None:
    cube().location.x = 20


def behind() -> None:
    camera = context.scene.camera.location
    cube().location = -5 * camera.x, -5 * camera.y, 0


def deleted() -> None:
    bpy.data.objects.remove(cube())


def left_out() -> None:
    leave_out(context.scene, "Cube")


def kept() -> None:
    keep(context.scene, "Cube")


def excluded() -> None:
    context.view_layer.layer_collection.children["Collection"].exclude = True


def unseen_by_the_camera() -> None:
    cube().visible_camera = False


CAUSES = (disabled, moved, behind, deleted, left_out, kept, excluded, unseen_by_the_camera)


@pytest.mark.parametrize("end", CAUSES, ids=lambda end: end.__name__)
def test_the_warning_ends_with_its_cause(end: Callable[[], None], scene: Any) -> None:
    assert [one.name for one in look_again(context)] == ["Cube"]
    end()
    context.view_layer.update()
    assert end in (moved, behind) or hiders_now(context) == ()  # at once, before the next look
    _settle()
    assert hiders_now(context) == ()
    assert found() == {}


def test_a_look_waits_until_nothing_has_changed_for_a_moment(scene: Any) -> None:
    look_again(context)
    cube().location.x = 20
    context.view_layer.update()
    assert not step(context) and [one.name for one in hiders_now(context)] == ["Cube"]
    assert _settle() and hiders_now(context) == ()
    assert not _settle()  # the look itself is no change
    cube().location.x = 0
    context.view_layer.update()
    assert _settle() and [one.name for one in hiders_now(context)] == ["Cube"]


def test_selecting_is_no_change_and_the_frames_are(scene: Any) -> None:
    look_again(context)
    cube().select_set(not cube().select_get())
    context.view_layer.update()
    cube().location.x, before = 20, hiders_now(context)
    assert before and not step(context)
    context.view_layer.update()
    _settle()
    cube().location = (0, 0, 0)
    context.view_layer.update()
    _settle()
    scene.latentman.frames = "90-100"  # where the walk has left the cube behind it
    share = hiders_now(context)[0].share
    _settle()
    assert not hiders_now(context) or hiders_now(context)[0].share != share


def _settle() -> bool:
    """Step as the timer does, for long enough; whether something else was found."""
    deadline, changed = time.monotonic() + 1.0, False
    while time.monotonic() < deadline:
        changed |= step(context)
        time.sleep(0.05)
    return changed


def test_the_floor_that_feet_touch_does_not_hide_them_and_a_low_wall_does(scene: Any) -> None:
    deleted()
    bpy.ops.mesh.primitive_plane_add(size=40)
    assert found() == {}
    context.object.location.z = 0.3
    assert found()["Plane"] > 0.1


def test_what_the_eye_hides_in_the_viewport_still_hides_the_character(scene: Any) -> None:
    before = found()
    cube().hide_set(True)
    assert found() == before
    cube().hide_set(False)
    cube().hide_viewport = True
    assert found() == before


def test_an_instance_counts_for_what_shows_it(scene: Any) -> None:
    before = found()["Cube"]
    collection = bpy.data.collections.new("set")
    collection.objects.link(cube())
    context.view_layer.layer_collection.children["Collection"].collection.objects.unlink(cube())
    instance = bpy.data.objects.new("instance", None)
    instance.instance_type, instance.instance_collection = "COLLECTION", collection
    scene.collection.objects.link(instance)
    assert found() == {"instance": pytest.approx(before)}
    cube().hide_render = True
    assert found() == {}


def test_keys_count_in_the_frames_that_they_are_for(scene: Any) -> None:
    cube().scale = 6, 6, 1  # wide enough for the whole walk
    assert found()["Cube"] > 0.3
    for frame, z_m in ((1, -20.0), (74, -20.0), (75, 0.0)):  # 75 is one of the frames that are looked at
        cube().location.z = z_m
        cube().keyframe_insert("location", frame=frame)
    scene.frame_set(1)
    assert found()["Cube"] > 0.3
    for frame, hidden in ((1, False), (74, True)):
        cube().hide_render = hidden
        cube().keyframe_insert("hide_render", frame=frame)
    scene.frame_set(1)
    assert found() == {}


def test_places_by_keys_are_those_of_the_frame(scene: Any) -> None:
    armature = characters(scene)[0].armature
    parent = bpy.data.objects.new("mover", None)
    scene.collection.objects.link(parent)
    armature.parent = parent
    for frame, x_m in ((1, 0.0), (80, 3.0)):
        parent.location.x = parent.rotation_euler.z = x_m
        parent.keyframe_insert("location", frame=frame)
        parent.keyframe_insert("rotation_euler", frame=frame)
    scene.frame_set(1)
    frames = (33, 77)
    guessed = [(KeyedPlaces(1).matrix(armature, frame), KeyedPlaces(1).pose(armature, frame)) for frame in frames]
    for frame, (place, pose) in zip(frames, guessed, strict=True):
        scene.frame_set(frame)
        assert np.allclose(place, armature.matrix_world, atol=1e-5)
        for bone in armature.pose.bones:
            assert np.allclose(pose[bone.name], bone.matrix, atol=1e-5)


def test_no_camera_and_no_character_hide_nothing(scene: Any) -> None:
    camera, scene.camera = scene.camera, None
    assert found() == {}
    scene.camera = camera
    leave_out(scene, characters(scene)[0].body.name)
    assert found() == {}


def test_what_hides_most_comes_first_and_one_button_leaves_all_out(scene: Any) -> None:
    bpy.ops.mesh.primitive_cube_add(size=0.5, location=(0, 0, 0.25))
    context.object.name = "small"
    context.view_layer.update()
    shares = [one.share for one in look_again(context)]
    assert len(shares) >= 1 and shares == sorted(shares, reverse=True)
    assert operators.latentman.leave_out() == {"FINISHED"}
    assert look_again(context) == ()
    with pytest.raises(RuntimeError, match="No object hides a character"):
        operators.latentman.leave_out()


def test_a_hider_is_a_plain_value() -> None:
    assert Hider("Cube", "walk", 0.625).sentence == "Cube hides 62 % of walk"
