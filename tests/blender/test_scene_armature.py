"""The motion of any armature of the scene: measured against the places of the armature's own joints."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Matrix
from numpy.typing import NDArray

import blender_addon
from backend.make.motion.clips import CLIPS
from backend.make.motion.puppet import perform
from blender_addon.rig import character as rig
from blender_addon.rig.joints import joint_bones
from blender_addon.rig.source.chosen import why_no_source
from blender_addon.rig.stack.layers import clip_range
from blender_addon.scene.bone_table import fill_table, table_of
from blender_addon.shot.running import generation
from shared.body import free_body
from shared.motion.retarget.bone_map import BoneMap, load_map
from shared.motion.retarget.maps.rig_names import RigNames
from shared.motion.retarget.maps.table import RIGS
from shared.motion.retarget.planting import contacts
from shared.motion.retarget.skeleton import SkeletonMotion
from shared.motion.skeleton import JOINT_INDEX, JOINT_NAMES, bone_offsets, joint_positions
from tests.blender.armatures import build, heads
from tests.blender.scenes import context, empty_scene, operators
from tests.helpers.disguises import A_POSE, ARMS_DOWN, Disguise, disguised, has_bone

Array = NDArray[Any]
BY_LABEL = {rig.label: rig for rig in RIGS}
FRAMES = 12
CLOSE_M = 2e-4  # single precision, and keys between frames
Z_UP = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])
CENTIMETRES = Matrix.Rotation(math.pi / 2, 4, "X") @ Matrix.Scale(0.01, 4)  # as Blender's importer leaves Mixamo's FBX


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    scene = empty_scene(20)
    scene.frame_start, scene.frame_end = 1, FRAMES
    blender_addon.register()
    yield
    blender_addon.unregister()


def rest_of(longer: float = 1.0) -> Array:
    """The free body's joints, its legs and shins longer by a factor."""
    rest = np.asarray(free_body().joints(np.zeros(10)), np.float64)
    offsets = bone_offsets(rest)
    offsets[[4, 5, 7, 8]] *= longer
    return joint_positions(np.tile(np.eye(3), (24, 1, 1)), offsets, rest[0])


def motion(rig_names: RigNames, disguise: Disguise, *, longer: float = 1.0, frames: int = FRAMES) -> SkeletonMotion:
    """A walk as the rig has it, its places in metres."""
    rest = rest_of(longer)
    shown = perform(CLIPS[0].make(), rest)
    poses = shown.poses[:frames].copy()
    poses[:, [not there for there in has_bone(rig_names)]] = 0
    found = disguised(poses, shown.pelvis[:frames], rest, rig_names, disguise)
    scaled: SkeletonMotion = replace(found, heads=found.heads * disguise.unit)
    return scaled


def mixamo(name: str = "Armature", **said: Any) -> tuple[Any, RigNames]:
    """Mixamo's armature in centimetres under an object of a hundredth, as Blender imports it."""
    names = BY_LABEL["Mixamo"]
    plain = motion(names, Disguise(A_POSE, unit=0.01), **said)
    prefixed = replace(plain.skeleton, names=tuple(f"mixamorig:{one}" for one in plain.skeleton.names))
    return build(replace(plain, skeleton=prefixed), name, world=CENTIMETRES), names


def taken(**said: Any) -> Any:
    """The armature of the character that From Armature makes."""
    before = {one.armature for one in rig.characters(context.scene)}
    assert operators.latentman.motion_from_armature(**said) == {"FINISHED"}
    (made,) = [one.armature for one in rig.characters(context.scene) if one.armature not in before]
    return made


def apart(source: Any, made: Any, bones: dict[str, str], frame: int) -> Array:
    """How far each joint is from the source's in a frame, metres."""
    joints = [JOINT_INDEX[joint] for joint in bones]
    own = heads(made, tuple(joint_bones(made)[joint] for joint in joints), frame)
    return np.asarray(np.linalg.norm(own - heads(source, tuple(bones.values()), frame), axis=-1))


def bones_of(names: RigNames, prefix: str = "") -> dict[str, str]:
    return {joint: f"{prefix}{spellings[0]}" for joint, spellings in names.spellings().items()}


def test_a_mixamo_armature_in_centimetres_is_met_in_every_joint() -> None:
    source, names = mixamo()
    made = taken()
    for frame in (1, 5, FRAMES):
        assert apart(source, made, bones_of(names, "mixamorig:"), frame).max() < CLOSE_M
    assert made.name == "Armature Character" and made[rig.SOURCE] == "Armature"
    assert any("Mixamo, 24 of 24" in note for note in json.loads(made[rig.NOTES]))
    assert json.loads(made[rig.WARNINGS]) == []


def test_another_figure_stands_where_the_source_stands_and_its_feet_do_not_slide_more() -> None:
    source, names = mixamo(longer=1.12)
    source.location = (3.0, -2.0, 0.0)
    made = taken()
    feet = {joint: bone for joint, bone in bones_of(names, "mixamorig:").items() if joint.endswith("_foot")}
    own = np.array([heads(made, tuple(feet), frame) for frame in range(1, FRAMES + 1)])
    theirs = np.array([heads(source, tuple(feet.values()), frame) for frame in range(1, FRAMES + 1)])
    for foot in range(2):
        stands = contacts(theirs[:, foot][:, [0, 2, 1]], 20.0)
        both = stands[1:] & stands[:-1]
        assert both.any()
        slides = [np.linalg.norm(np.diff(ways[:, foot, :2], axis=0), axis=-1)[both].max() for ways in (own, theirs)]
        assert slides[0] <= slides[1] + 1e-3
    assert np.abs(own[0].mean(axis=0) - theirs[0].mean(axis=0))[:2].max() < 0.1


def test_constraints_parents_and_the_nla_are_seen() -> None:
    """Rigify's DEF bones that copy another rig, under an empty that turns, with the motion in the NLA."""
    names = BY_LABEL["Rigify (DEF)"]
    moves = motion(names, Disguise(ARMS_DOWN, space=Z_UP))
    driver = build(replace(moves, skeleton=replace(moves.skeleton, names=JOINT_NAMES)), "Driver")
    action = driver.animation_data.action
    track = driver.animation_data.nla_tracks.new()
    track.strips.new("walk", 1, action)
    driver.animation_data.action = None
    source = build(replace(moves, heads=moves.heads[:1], rotations=moves.rotations[:1]), "Hero")
    source.animation_data_clear()
    for joint, name in zip(JOINT_NAMES, moves.skeleton.names, strict=True):
        constraint = source.pose.bones[name].constraints.new("COPY_TRANSFORMS")
        constraint.target, constraint.subtarget = driver, joint
    empty: Any = bpy.data.objects.new("Turntable", None)
    context.scene.collection.objects.link(empty)
    source.parent = driver.parent = empty
    for frame, turn in ((1, 0.0), (FRAMES, 1.0)):
        empty.rotation_euler.z = turn
        empty.location = (turn, 0.0, 0.0)
        empty.keyframe_insert("rotation_euler", frame=frame)
        empty.keyframe_insert("location", frame=frame)
    made = taken(armature="Hero")
    for frame in (1, 6, FRAMES):
        assert apart(source, made, bones_of(names), frame).max() < CLOSE_M


def test_the_source_and_the_current_frame_stay_as_they_are() -> None:
    source, _ = mixamo()
    context.scene.frame_set(4)
    before = (
        source.animation_data.action,
        source.matrix_world.copy(),
        [bone.matrix_basis.copy() for bone in source.pose.bones],
    )
    taken()
    assert context.scene.frame_current == 4 and source.animation_data.action == before[0]
    assert source.matrix_world == before[1]
    assert [bone.matrix_basis for bone in source.pose.bones] == before[2]
    assert source.name in context.scene.objects


def test_keys_outside_of_the_scenes_range_are_told_and_taken_on_request() -> None:
    context.scene.frame_end = 6
    context.scene.latentman.source_keys = False
    mixamo()
    short = taken()
    assert any(
        f"keys in frames 1 to {FRAMES}; frames 1 to 6 were read" in one for one in json.loads(short[rig.WARNINGS])
    )
    context.scene.latentman.source_keys = True
    context.view_layer.objects.active = None
    whole = taken()
    assert clip_range(whole) == (1, FRAMES)
    assert not any("were read" in one for one in json.loads(whole[rig.WARNINGS]))


def reason() -> str:
    with pytest.raises(RuntimeError) as caught:
        operators.latentman.motion_from_armature()
    return str(caught.value)


def test_a_grey_button_says_why() -> None:
    assert why_no_source(context).startswith("The scene has no armature besides the characters")
    first, _ = mixamo()
    assert why_no_source(context) == ""
    second, _ = mixamo("Second")
    context.view_layer.objects.active = None
    assert "several armatures (Armature, Second)" in why_no_source(context)
    context.view_layer.objects.active = second
    assert why_no_source(context) == ""
    context.scene.latentman.source_armature = first
    first.data.pose_position = "REST"
    assert "rest position" in why_no_source(context)
    first.data.pose_position = "POSE"
    first.hide_viewport = True
    assert "disabled in viewports" in why_no_source(context)
    assert not operators.latentman.motion_from_armature.poll()


def test_the_table_is_guessed_corrected_saved_and_loaded(tmp_path: Path) -> None:
    source, names = mixamo()
    assert table_of(source) is None and not operators.latentman.save_bone_map.poll()
    assert operators.latentman.guess_bones() == {"FINISHED"}
    guessed = table_of(source)
    assert guessed is not None and dict(guessed.bones) == bones_of(names, "mixamorig:")
    source.latentman_bones.left_hand = ""
    path = tmp_path / "hero.json"
    assert operators.latentman.save_bone_map(filepath=str(path)) == {"FINISHED"}
    assert "left_hand" not in load_map(path).bones
    fill_table(source, BoneMap("", {}))
    assert operators.latentman.load_bone_map(filepath=str(path)) == {"FINISHED"}
    made = taken()
    assert any("hero, 23 of 24" in note for note in json.loads(made[rig.NOTES]))


def test_a_bone_that_is_not_there_is_refused_and_nothing_is_made() -> None:
    source, names = mixamo()
    fill_table(source, BoneMap("own", {**bones_of(names, "mixamorig:"), "left_knee": "Knee"}))
    objects = len(bpy.data.objects)
    assert "no bone 'Knee'" in reason()
    assert len(bpy.data.objects) == objects
    told = generation().problems.at("motion")
    assert told is not None and told.code == "motion.bone_map"


def test_a_map_of_another_rig_is_refused(tmp_path: Path) -> None:
    mixamo()
    path = tmp_path / "other.json"
    path.write_text('{"format": "latentman.bone_map", "version": 1, "bones": {"pelvis": "Root"}}', encoding="utf-8")
    with pytest.raises(RuntimeError, match="names no bone of 'Armature'"):
        operators.latentman.load_bone_map(filepath=str(path))


@pytest.mark.parametrize("scale", [(0.0, 0.0, 0.0), (-1.0, 1.0, 1.0)])
def test_a_prop_that_is_hidden_or_mirrored_does_no_harm(scale: tuple[float, float, float]) -> None:
    armature, _ = mixamo()
    context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    hand, prop = bones["mixamorig:RightHand"], bones.new("weapon")
    prop.head, prop.tail, prop.parent = hand.tail, 2 * hand.tail - hand.head, hand
    bpy.ops.object.mode_set(mode="OBJECT")
    armature.pose.bones["weapon"].scale = scale
    assert operators.latentman.motion_from_armature(armature=armature.name) == {"FINISHED"}


def test_a_mirrored_armature_is_refused() -> None:
    source, _ = mixamo()
    source.scale.x *= -1.0
    assert "mirrored by a negative scale" in reason()
