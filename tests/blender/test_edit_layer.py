"""The edit layer: a few keys over a key a frame, added, kept apart, baked and removed again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Quaternion
from numpy.typing import NDArray

import blender_addon
from blender_addon import compat
from blender_addon.look.keyed_places import KeyedPlaces
from blender_addon.look.motion_check import check_motion
from blender_addon.passes.launcher import PassRender, PassRequest
from blender_addon.rig.character import characters, import_motion
from blender_addon.rig.stack import edit_layer, layers
from shared.body import free_body
from tests.blender.scenes import (
    add_camera,
    context,
    empty_scene,
    operators,
    plane_body,
    random_motion,
    render_passes,
    still_motion,
    wait,
)

FRAMES = 40
BEGIN, MIDDLE, END = 15, 25, 35
SHOULDER = "left_shoulder"
PATH = f'pose.bones["{SHOULDER}"].rotation_quaternion'
TURN = Quaternion((0, 0, 1), 0.8)


@pytest.fixture
def scene() -> Iterator[Any]:
    made = empty_scene(24)
    blender_addon.register()
    yield made
    blender_addon.unregister()


@pytest.fixture
def armature(scene: Any) -> Any:
    made = import_motion(scene, random_motion(FRAMES, 24), free_body())
    context.view_layer.objects.active = made
    return made


def shown(armature: Any, frame: int) -> NDArray[Any]:
    """The 24 bones' matrices in a frame."""
    context.scene.frame_set(frame)
    evaluated = armature.evaluated_get(context.evaluated_depsgraph_get())
    return np.array([np.array(bone.matrix) for bone in evaluated.pose.bones])


def motion(armature: Any) -> NDArray[Any]:
    """All that it shows, from before its first frame to behind its last."""
    return np.stack([shown(armature, frame) for frame in range(-1, FRAMES + 4)])


def key_turn(armature: Any) -> None:
    """As an animator does it in pose mode: two keys of the pose as it is, one of another between them."""
    bone = armature.pose.bones[SHOULDER]
    for frame in (BEGIN, END):
        context.scene.frame_set(frame)
        assert bone.keyframe_insert("rotation_quaternion")
    context.scene.frame_set(MIDDLE)
    bone.rotation_quaternion = bone.rotation_quaternion @ TURN
    assert bone.keyframe_insert("rotation_quaternion")


def key_hop(armature: Any) -> None:
    bone = armature.pose.bones["pelvis"]
    for frame in (BEGIN, END):
        context.scene.frame_set(frame)
        bone.keyframe_insert("location")
    context.scene.frame_set(MIDDLE)
    bone.location.y += 0.3
    bone.keyframe_insert("location")


def angles(before: NDArray[Any], after: NDArray[Any], bone: int) -> NDArray[Any]:
    """By how much a bone is turned against before, radians, a frame each."""
    turn = np.swapaxes(before[:, bone, :3, :3], 1, 2) @ after[:, bone, :3, :3]
    trace = np.trace(turn, axis1=1, axis2=2)
    found: NDArray[Any] = np.arccos(np.clip((trace - 1) / 2, -1, 1))
    return found


def test_an_empty_layer_changes_nothing_and_is_removed_exactly(armature: Any) -> None:
    before, action = motion(armature), armature.animation_data.action
    assert operators.latentman.add_edit_layer() == {"FINISHED"}
    assert armature.animation_data.action != action
    assert np.array_equal(motion(armature), before)
    edit = armature.animation_data.action.name
    assert operators.latentman.remove_edit_layer() == {"FINISHED"}
    assert np.array_equal(motion(armature), before)
    assert armature.animation_data.action == action and not armature.animation_data.nla_tracks
    assert armature.animation_data.action_blend_type == "REPLACE" and edit not in bpy.data.actions


def test_three_keys_bend_the_frames_between_them_smoothly_and_no_others(armature: Any) -> None:
    before = motion(armature)
    assert operators.latentman.add_edit_layer() == {"FINISHED"}
    bpy.ops.object.mode_set(mode="POSE")
    key_turn(armature)
    assert operators.latentman.merge_edit_layer.poll()
    layer = compat.fcurves_played_by(armature.animation_data)
    assert {(curve.data_path, len(curve.keyframe_points)) for curve in layer} == {(PATH, 3)}
    after = motion(armature)
    inside = slice(BEGIN + 2, END + 1)  # the first is frame -1
    outside = np.delete(np.arange(len(before)), np.arange(len(before))[inside])
    assert np.array_equal(after[outside], before[outside])
    bent = angles(before, after, armature.pose.bones.find(SHOULDER))
    assert abs(bent[MIDDLE + 1] - 0.8) < 1e-3
    rise = np.diff(bent[BEGIN + 1 : MIDDLE + 2])
    assert (rise > 0).all() and rise.max() < 0.16 and bent[inside].min() > 0.001
    operators.latentman.remove_edit_layer()
    assert np.array_equal(motion(armature), before)


def test_a_place_is_added_to_and_the_way_goes_on_below(armature: Any) -> None:
    before = motion(armature)
    operators.latentman.add_edit_layer()
    key_hop(armature)
    moved = (motion(armature) - before)[:, 0, :3, 3]
    assert np.allclose(moved[MIDDLE + 1], (0, 0.3, 0), atol=1e-6)
    assert np.array_equal(moved[: BEGIN + 2], np.zeros((BEGIN + 2, 3)))
    assert np.abs(moved[:, [0, 2]]).max() < 1e-6


def test_a_baked_layer_is_a_plain_action_that_shows_the_same_in_every_frame(armature: Any) -> None:
    action = armature.animation_data.action
    untouched = {
        (curve.data_path, curve.array_index): [tuple(point.co) for point in curve.keyframe_points]
        for curve in compat.fcurves_of(armature)
        if SHOULDER not in curve.data_path and "location" not in curve.data_path
    }
    operators.latentman.add_edit_layer()
    key_turn(armature)
    key_hop(armature)
    layered, edit = motion(armature), armature.animation_data.action.name
    context.scene.frame_set(7)
    assert operators.latentman.merge_edit_layer() == {"FINISHED"}
    assert context.scene.frame_current == 7
    assert np.allclose(motion(armature), layered, atol=1e-6)
    assert armature.animation_data.action == action and not armature.animation_data.nla_tracks
    assert edit not in bpy.data.actions
    curves = {(curve.data_path, curve.array_index): curve for curve in compat.fcurves_of(armature)}
    assert len(curves) == 24 * 4 + 3
    assert {len(curve.keyframe_points) for curve in curves.values()} == {FRAMES}
    assert all([tuple(point.co) for point in curves[key].keyframe_points] == keys for key, keys in untouched.items())


def test_a_layer_that_goes_past_the_clip_is_baked_whole(armature: Any) -> None:
    operators.latentman.add_edit_layer()
    bone = armature.pose.bones[SHOULDER]
    for frame, turn in ((FRAMES - 5, 0.0), (FRAMES + 3, 0.8)):
        context.scene.frame_set(frame)
        bone.rotation_quaternion = bone.rotation_quaternion @ Quaternion((0, 0, 1), turn)
        bone.keyframe_insert("rotation_quaternion")
    layered = motion(armature)
    operators.latentman.merge_edit_layer()
    assert np.allclose(motion(armature), layered, atol=1e-6)


def test_a_channel_that_only_the_layer_has_is_baked(armature: Any) -> None:
    operators.latentman.add_edit_layer()
    bone = armature.pose.bones["head"]
    for frame, scale in ((10, 1.0), (20, 2.0)):
        context.scene.frame_set(frame)
        bone.scale = (scale, scale, scale)
        bone.keyframe_insert("scale")
    layered = motion(armature)
    operators.latentman.merge_edit_layer()
    assert np.allclose(motion(armature), layered, atol=1e-6)
    keyed = [curve for curve in compat.fcurves_of(armature) if curve.data_path.endswith("scale")]
    assert [len(curve.keyframe_points) for curve in keyed] == [FRAMES] * 3


def test_a_clip_of_one_frame_and_one_that_others_use_can_be_layered(scene: Any) -> None:
    first = import_motion(scene, still_motion(1), plane_body(), name="first", start_frame=3)
    second = first.copy()
    scene.collection.objects.link(second)
    assert second.animation_data.action == first.animation_data.action
    edit_layer.add_layer(scene, second)
    second.pose.bones["head"].rotation_quaternion = TURN
    second.pose.bones["head"].keyframe_insert("rotation_quaternion", frame=3)
    layered = shown(second, 3)
    assert not np.allclose(layered, shown(first, 3))
    edit_layer.bake_layer(scene, second)
    assert np.allclose(shown(second, 3), layered, atol=1e-6)
    assert np.allclose(shown(first, 3)[1, :3, :3], np.eye(3), atol=1e-6)
    assert second.animation_data.action != first.animation_data.action


def test_curves_that_go_on_beyond_their_keys_go_on_below_a_layer(armature: Any) -> None:
    """A cycle repeats the clip in all of the scene's frames."""
    scene = context.scene
    scene.frame_end = 3 * FRAMES
    for curve in compat.fcurves_of(armature):
        curve.modifiers.new("CYCLES")
    armature.animation_data.action.update_tag()
    before = [shown(armature, frame) for frame in range(1, scene.frame_end + 1)]
    operators.latentman.add_edit_layer()
    layered = [shown(armature, frame) for frame in range(1, scene.frame_end + 1)]
    assert np.array_equal(layered, before) and not np.allclose(before[FRAMES], before[FRAMES - 1])
    context.scene.frame_set(MIDDLE)
    armature.pose.bones[SHOULDER].keyframe_insert("rotation_quaternion")
    operators.latentman.merge_edit_layer()
    baked = [shown(armature, frame) for frame in range(1, scene.frame_end + 1)]
    assert np.allclose(baked, before, atol=1e-5)


def test_buttons_say_why_they_are_grey(armature: Any) -> None:
    assert edit_layer.why_no_bake(armature) == f"{armature.name!r} has no edit layer"
    assert not operators.latentman.merge_edit_layer.poll()
    operators.latentman.add_edit_layer()
    assert "bake or remove it first" in edit_layer.why_no_layer(armature)
    assert not operators.latentman.add_edit_layer.poll()
    operators.latentman.remove_edit_layer()
    action = armature.animation_data.action
    armature.animation_data.nla_tracks.new().strips.new("other", 1, action)
    assert "strips in the NLA editor" in edit_layer.why_no_layer(armature)
    armature.animation_data_clear()
    assert edit_layer.why_no_layer(armature) == f"{armature.name!r} has no keys"


def test_the_motions_length_is_that_of_the_clip(armature: Any) -> None:
    assert layers.clip_range(armature) == (1, FRAMES)
    operators.latentman.add_edit_layer()
    key_turn(armature)
    assert layers.clip_range(armature) == (1, FRAMES)
    operators.latentman.merge_edit_layer()
    assert layers.clip_range(armature) == (1, FRAMES)


def test_a_layer_is_followed_to_frames_that_are_not_shown(armature: Any) -> None:
    operators.latentman.add_edit_layer()
    key_turn(armature)
    key_hop(armature)
    seen = {frame: shown(armature, frame) for frame in (1, 20, MIDDLE, FRAMES)}
    context.scene.frame_set(3)
    places = KeyedPlaces(3)
    for frame, matrices in seen.items():
        assert np.allclose(list(map(np.array, places.pose(armature, frame).values())), matrices, atol=1e-5)


def test_a_layer_is_kept_in_the_file_and_checked_as_it_is_seen(armature: Any, tmp_path: Path) -> None:
    operators.latentman.add_edit_layer()
    key_hop(armature)
    layered, name = motion(armature), armature.name
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "layered.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "layered.blend"))
    opened = bpy.data.objects[name]
    assert layers.has_edit(opened) and np.array_equal(motion(opened), layered)
    (character,) = characters(context.scene)
    around = tuple(range(BEGIN, END))
    hopping = check_motion(context.scene, character, around, 64, 64)
    edit_layer.remove_layer(opened)
    assert check_motion(context.scene, character, around, 64, 64) != hopping


def test_the_child_renders_the_layer_and_counts_the_frames_it_changes(scene: Any, tmp_path: Path) -> None:
    frames = (8, 12, 20)
    armature = import_motion(scene, random_motion(20, 24, spread=0.1), free_body())
    armature.location.z = 0.2
    add_camera(scene, (0, -8, 1.2), (math.pi / 2, 0, 0))
    request = PassRequest(tmp_path / "passes", frames, 32, 32)
    render_passes(context, request)
    edit_layer.add_layer(scene, armature)
    bone = armature.pose.bones[SHOULDER]
    for frame, turn in ((9, 0.0), (16, 0.0), (12, 0.9)):
        scene.frame_set(frame)
        if turn:
            bone.rotation_quaternion = bone.rotation_quaternion @ Quaternion((0, 0, 1), turn)
        bone.keyframe_insert("rotation_quaternion")
    comparison = PassRender.start(context, request, compare_only=True)
    found = []
    try:
        while not comparison.done:
            found += wait(comparison)
    finally:
        comparison.close()
    assert {one.frame: one.reused for one in found} == {8: True, 12: False, 20: True}
