"""Repairs as layers: what is seen is what the repair wants, and without it the motion is what it was, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Quaternion
from numpy.typing import NDArray

import blender_addon
from blender_addon.look.keyed_places import KeyedPlaces
from blender_addon.rig.character import characters, import_motion
from blender_addon.rig.motion_figures import stored_check
from blender_addon.rig.read_motion import reading_steps, rest_joints
from blender_addon.rig.stack import layers
from blender_addon.rig.stack.problem_frames import Problems, stored_problems
from blender_addon.rig.stack.repair_layer import why_no_repair
from blender_addon.rig.stack.repair_motion import ground_of, repairs_of
from blender_addon.scene_time import at_once
from shared.body import free_body
from shared.motion import SMPLMotion
from shared.motion.quality import measure_quality, motion_joints
from shared.motion.repair import repair_named
from tests.blender.scenes import add_camera, context, empty_scene, operators
from tests.helpers.worn_motions import sample, sinking, sliding, trembling

NAMES = ("plant_feet", "smooth_motion", "put_on_floor")
SHOULDER = "left_shoulder"


@pytest.fixture
def scene() -> Iterator[Any]:
    made = empty_scene(20)
    blender_addon.register()
    yield made
    blender_addon.unregister()


@pytest.fixture
def armature(scene: Any) -> Any:
    return character_of(sinking(sliding(sample("walk"))))


def character_of(motion: SMPLMotion) -> Any:
    made = import_motion(context.scene, motion, free_body())
    context.view_layer.objects.active = made
    return made


def shown(armature: Any) -> NDArray[Any]:
    """The bones' matrices in all frames and around them, (frames, 24, 4, 4)."""
    scene = context.scene
    first, last = layers.clip_range(armature) or (1, 1)
    found = []
    for frame in range(first - 2, last + 3):
        scene.frame_set(frame)
        evaluated = armature.evaluated_get(context.evaluated_depsgraph_get())
        found.append([np.array(bone.matrix) for bone in evaluated.pose.bones])
    return np.array(found)


def read(armature: Any) -> SMPLMotion:
    first, last = layers.clip_range(armature) or (1, 1)
    return at_once(reading_steps(context.scene, armature, tuple(range(first, last + 1))))


def state(armature: Any) -> Any:
    """What says how it moves, names and numbers."""
    animation = armature.animation_data
    return (
        animation.action.name,
        animation.action_blend_type,
        animation.action_extrapolation,
        [track.name for track in animation.nla_tracks],
        len(bpy.data.actions),
    )


def press(name: str, **options: Any) -> None:
    assert getattr(operators.latentman, name)(**options) == {"FINISHED"}


@pytest.mark.parametrize("name", NAMES)
def test_a_repair_shows_what_it_wants_and_is_removed_without_a_trace(armature: Any, name: str) -> None:
    before, known, seen = shown(armature), state(armature), read(armature)
    (character,) = characters(context.scene)
    repair = repair_named(name)
    assert repair is not None
    wanted = repair.apply(seen, rest_joints(armature), ground=ground_of(character))
    press(name)
    assert np.allclose(
        motion_joints(read(armature), rest_joints(armature)), motion_joints(wanted, rest_joints(armature)), atol=2e-5
    )
    assert not np.array_equal(shown(armature), before)
    press("remove_repair", repair=name)
    assert np.array_equal(shown(armature), before) and state(armature) == known


def test_all_three_are_stacked_and_each_is_removed_alone(armature: Any) -> None:
    before, known = shown(armature), state(armature)
    for name in NAMES:
        press(name)
    assert [repair.name for repair, _ in repairs_of(armature)] == list(NAMES)
    press("remove_repair", repair="smooth_motion")
    assert [repair.name for repair, _ in repairs_of(armature)] == ["plant_feet", "put_on_floor"]
    without = shown(armature)
    press("remove_repair", repair="put_on_floor")
    press("put_on_floor")
    assert np.allclose(shown(armature), without, atol=1e-5)
    for name in ("put_on_floor", "plant_feet"):
        press("remove_repair", repair=name)
    assert np.array_equal(shown(armature), before) and state(armature) == known


def test_a_repair_that_is_made_again_replaces_itself(armature: Any) -> None:
    press("plant_feet", strength=0.5)
    half = shown(armature)
    press("plant_feet")
    once = shown(armature)
    press("plant_feet", strength=0.5)
    assert np.allclose(shown(armature), half, atol=1e-5) and not np.allclose(once, half, atol=1e-3)
    assert len(layers.repair_tracks(armature)) == 1
    ((_, done),) = repairs_of(armature)
    assert done is not None and done.strength == 0.5


def test_what_it_brought_is_measured_and_kept(armature: Any) -> None:
    press("put_on_floor")
    press("plant_feet")
    done = {repair.name: known for repair, known in repairs_of(armature)}
    planted, floor = done["plant_feet"], done["put_on_floor"]
    assert planted is not None and floor is not None
    assert planted.after.foot_slide_cm_per_s < 0.5 * planted.before.foot_slide_cm_per_s
    assert floor.before.floor_penetration_cm > 8 > 0.1 > floor.after.floor_penetration_cm
    measured = measure_quality(read(armature), rest_joints(armature))
    assert measured.foot_slide_cm_per_s == pytest.approx(planted.after.foot_slide_cm_per_s, abs=0.05)
    check = stored_check(armature)
    assert check is not None and check.foot_slide_cm_per_s == planted.after.foot_slide_cm_per_s
    press("remove_repair", repair="plant_feet")
    assert stored_check(armature) is None and stored_problems(armature) is None


def test_frames_that_need_no_repair_keep_every_bit(scene: Any) -> None:
    still = sample("squat")
    root = still.root.copy()
    root[70:] += np.linspace(0, 0.1, 20)[:, None] * [1.0, 0.0, 0.0]
    armature = character_of(SMPLMotion(still.poses, root, np.zeros(10), 20.0))
    before = shown(armature)
    press("plant_feet")
    changed = (shown(armature) != before).any(axis=(1, 2, 3))
    assert changed[74:].any()
    arms = [armature.pose.bones.find(name) for name in ("spine1", "head", "left_shoulder")]
    turned = np.swapaxes(before[..., :3, :3], -1, -2) @ shown(armature)[..., :3, :3]
    assert np.abs(turned[:, arms] - np.eye(3)).max() < 1e-5


def test_an_edit_layer_stays_above_and_the_whole_is_repaired(armature: Any) -> None:
    press("add_edit_layer")
    bone = armature.pose.bones["left_hip"]
    for frame, turn in ((10, 0.0), (30, 0.4), (50, 0.0)):
        context.scene.frame_set(frame)
        bone.rotation_quaternion = bone.rotation_quaternion @ Quaternion((0, 0, 1), turn)
        bone.keyframe_insert("rotation_quaternion")
    edited, seen = shown(armature), read(armature)
    press("plant_feet")
    repair = repair_named("plant_feet")
    assert repair is not None and layers.has_edit(armature)
    wanted = repair.apply(seen, rest_joints(armature))
    assert np.allclose(
        motion_joints(read(armature), rest_joints(armature)), motion_joints(wanted, rest_joints(armature)), atol=2e-5
    )
    press("remove_repair", repair="plant_feet")
    assert np.array_equal(shown(armature), edited) and layers.has_edit(armature)


def test_an_edit_layer_over_a_repair_is_removed_without_the_repair(armature: Any) -> None:
    before = shown(armature)
    press("put_on_floor")
    mended = shown(armature)
    assert not layers.has_edit(armature)
    press("add_edit_layer")
    assert layers.has_edit(armature) and np.array_equal(shown(armature), mended)
    bone = armature.pose.bones[SHOULDER]
    context.scene.frame_set(20)
    bone.rotation_quaternion = bone.rotation_quaternion @ Quaternion((0, 0, 1), 0.5)
    bone.keyframe_insert("rotation_quaternion")
    assert not np.allclose(shown(armature), mended, atol=0.05)
    press("remove_edit_layer")
    assert np.array_equal(shown(armature), mended) and not layers.has_edit(armature)
    press("remove_repair", repair="put_on_floor")
    assert np.array_equal(shown(armature), before)


def test_baking_writes_repairs_and_edits_into_the_motion(armature: Any) -> None:
    action = armature.animation_data.action
    press("put_on_floor")
    press("plant_feet")
    mended = shown(armature)
    assert operators.latentman.merge_edit_layer.poll() and not operators.latentman.remove_edit_layer.poll()
    press("merge_edit_layer")
    assert np.allclose(shown(armature), mended, atol=1e-5)
    assert armature.animation_data.action == action and not armature.animation_data.nla_tracks
    assert repairs_of(armature) == []


def test_a_key_that_is_set_over_a_repair_bends_what_is_seen(armature: Any) -> None:
    press("put_on_floor")
    mended = shown(armature)
    bone = armature.pose.bones[SHOULDER]
    context.scene.frame_set(20)
    assert bone.keyframe_insert("rotation_quaternion")
    assert layers.has_edit(armature) and np.allclose(shown(armature), mended, atol=1e-5)


def test_repairs_are_kept_in_the_file_and_followed_to_frames_that_are_not_shown(armature: Any, tmp_path: Path) -> None:
    press("plant_feet")
    press("put_on_floor")
    mended, name = shown(armature), armature.name
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "repaired.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "repaired.blend"))
    opened = bpy.data.objects[name]
    assert np.array_equal(shown(opened), mended)
    assert [repair.name for repair, _ in repairs_of(opened)] == ["plant_feet", "put_on_floor"]
    context.scene.frame_set(3)
    pose = KeyedPlaces(3).pose(opened, 40)
    assert np.allclose(list(map(np.array, pose.values())), mended[41], atol=1e-4)  # the first is frame -1


def test_buttons_say_why_they_are_grey(scene: Any, armature: Any) -> None:
    assert why_no_repair(armature) == ""
    bone = armature.pose.bones["left_hip"]
    bone.rotation_mode = "XYZ"
    assert "quaternions" in why_no_repair(armature) and not operators.latentman.plant_feet.poll()
    bone.rotation_mode = "QUATERNION"
    limit = bone.constraints.new("LIMIT_ROTATION")
    assert "constraint" in why_no_repair(armature)
    bone.constraints.remove(limit)
    with pytest.raises(RuntimeError, match="no such repair"):
        operators.latentman.remove_repair(repair="plant_feet")
    armature.animation_data.nla_tracks.new().strips.new("other", 1, armature.animation_data.action)
    assert "NLA" in why_no_repair(armature)
    armature.animation_data_clear()
    assert "no keys" in why_no_repair(armature)


def test_the_check_finds_frames_and_the_buttons_go_to_them(scene: Any) -> None:
    armature = character_of(sinking(trembling(sample("walk"))))
    add_camera(scene, (0, -6, 1.2), (1.5707963, 0, 0))
    scene.frame_start, scene.frame_end = 1, 88
    assert not operators.latentman.next_problem.poll()
    press("check_motion")
    problems = stored_problems(armature)
    assert isinstance(problems, Problems) and problems.first == 1
    found = {one.check.name: one for one in problems.worrying}
    assert found["jitter"].problem_frames == 88 and found["below_floor"].problem_frames > 10
    starts = problems.starts()
    scene.frame_set(starts[0])
    press("next_problem")
    assert scene.frame_current == starts[1]
    press("previous_problem")
    press("previous_problem")
    assert scene.frame_current == starts[-1]
    press("smooth_motion")
    again = stored_problems(armature)
    assert again is not None and "jitter" not in {one.check.name for one in again.worrying}
    assert len(again.found) == len(problems.found)  # the camera's row is kept


def test_joints_outside_the_picture_are_counted_by_frame(scene: Any) -> None:
    armature = character_of(sample("wave"))
    camera = add_camera(scene, (0, -6, 1.2), (1.5707963, 0, 0))
    scene.frame_start, scene.frame_end = 1, 4
    for frame, x in ((1, 0.0), (2, 0.0), (3, 50.0), (4, 0.0)):
        camera.location.x = x
        camera.keyframe_insert("location", frame=frame)
    press("check_motion")
    problems = stored_problems(armature)
    assert problems is not None
    outside = next(one for one in problems.found if one.check.name == "out_of_picture")
    assert outside.values.tolist()[:2] == [0, 0] and outside.values[2] == 24
    assert outside.problems == ((2, 2),)


def test_problems_of_a_damaged_or_later_file_are_no_problems(scene: Any, armature: Any) -> None:
    for text in ("", "{", '{"first": 1, "values": {"of a later version": [1.0]}}', "[]"):
        armature["latentman_problems"] = text
        problems = stored_problems(armature)
        assert problems is None or problems.found == ()
