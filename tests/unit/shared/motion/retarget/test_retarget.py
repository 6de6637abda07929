"""Other rigs' motion: exact on the same body, within 2 cm on another, and feet that do not slide more than theirs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.make.motion.clips import CLIPS
from backend.make.motion.puppet import perform
from shared.body import free_body
from shared.errors import MotionError
from shared.motion.quality import motion_joints
from shared.motion.retarget.bone_map import BoneMap
from shared.motion.retarget.guess import guess_map
from shared.motion.retarget.maps.rig_names import RigNames
from shared.motion.retarget.maps.table import RIGS
from shared.motion.retarget.places import Mapped
from shared.motion.retarget.planting import contacts
from shared.motion.retarget.skeleton import Skeleton, SkeletonMotion, motion_of
from shared.motion.retarget.solve import Retargeted, retarget
from shared.motion.skeleton import JOINT_INDEX, bone_offsets, global_rotations, joint_positions
from shared.rotations import axis_angle_to_matrix, rotation_angle
from tests.helpers.disguises import A_POSE, ARMS_DOWN, Z_UP_TURNED, Disguise, disguised, has_bone, with_twist_bones

Array = NDArray[Any]

EXACT_M = 1e-5
FPS = 20.0
LEGS_APART = np.array([0.15, -1.0, 0.05])
DISGUISES = {
    "other axes": Disguise(),
    "A-pose in centimetres": Disguise(arms=A_POSE, unit=0.01),
    "arms down, legs apart, inches, Z up": Disguise(ARMS_DOWN, LEGS_APART, 0.0254, Z_UP_TURNED),
}
FEET = [JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"]]
MIXAMO = next(rig for rig in RIGS if rig.label == "Mixamo")


@dataclass(frozen=True, slots=True)
class Performed:
    """A clip with twist in every joint."""

    poses: Array
    pelvis: Array
    rest: Array

    def joints(self) -> Array:
        world = global_rotations(axis_angle_to_matrix(self.poses))
        return joint_positions(world, bone_offsets(self.rest), self.pelvis)


@pytest.fixture(scope="module")
def rest() -> Array:
    return np.asarray(free_body().joints(np.zeros(10)), dtype=np.float64)


def performed(rest: Array, rig: RigNames, *, clip: int = 0, twist: float = 0.15) -> Performed:
    """The clip as a rig can have it: a joint without a bone is still."""
    shown = perform(CLIPS[clip].make(), rest)
    frames = len(shown.poses)
    turns = np.random.default_rng(3).normal(0, twist, (24, 3))
    poses = shown.poses + turns * np.sin(np.linspace(0, 6, frames))[:, None, None]
    poses[:, [not there for there in has_bone(rig)]] = 0
    return Performed(poses, shown.pelvis, rest)


def met(want: Performed, motion: SkeletonMotion, bone_map: BoneMap | None = None) -> Retargeted:
    return retarget(motion, bone_map or guess_map(motion.skeleton), want.rest)


@pytest.mark.parametrize("disguise", DISGUISES.values(), ids=DISGUISES)
@pytest.mark.parametrize("rig", RIGS, ids=[rig.label for rig in RIGS])
def test_each_rig_gives_back_the_motion_that_was_put_on_it(rig: RigNames, disguise: Disguise, rest: Array) -> None:
    want = performed(rest, rig)
    found = met(want, disguised(want.poses, want.pelvis, rest, rig, disguise))
    assert np.abs(motion_joints(found.motion, rest) - want.joints()).max() < EXACT_M
    turned = rotation_angle(axis_angle_to_matrix(found.motion.poses), axis_angle_to_matrix(want.poses))
    assert turned.max() < 1e-4  # the legs' reach is met to a thousandth of a millimetre
    assert found.motion.twist_known and not found.motion.warnings


def test_the_scale_is_that_of_the_unit(rest: Array) -> None:
    want = performed(rest, MIXAMO)
    motion = disguised(want.poses, want.pelvis, rest, MIXAMO, Disguise(unit=0.01))
    assert met(want, motion).scale == pytest.approx(0.01, rel=1e-9)


def other_proportions(rest: Array) -> Array:
    """Rest joints of a figure with longer legs, shorter arms, wider hips, longer feet and a longer back."""
    offsets = bone_offsets(rest)
    for joints, factor in (
        ([4, 5, 7, 8], 1.1),
        ([18, 19, 20, 21], 0.87),
        ([1, 2], 1.1),
        ([10, 11], 1.2),
        ([6, 9], 1.2),
    ):
        offsets[joints] *= factor
    return joint_positions(np.tile(np.eye(3), (24, 1, 1)), offsets, rest[0])


@pytest.mark.parametrize("clip", range(len(CLIPS)), ids=[clip.name for clip in CLIPS])
def test_another_figure_is_met_within_2_cm_and_its_feet_do_not_slide_more(clip: int, rest: Array) -> None:
    """The truth is the same clip performed by the body itself, its pelvis where the other's hips put it."""
    theirs = other_proportions(rest)
    want = performed(rest, MIXAMO, clip=clip, twist=0.0)
    own = perform(CLIPS[clip].make(), theirs)
    motion = disguised(own.poses, own.pelvis, theirs, MIXAMO, Disguise(arms=A_POSE, unit=0.01))
    found = met(want, motion)
    world = global_rotations(axis_angle_to_matrix(own.poses))
    hips = found.targets[:, [1, 2]].mean(axis=1)
    truth = joint_positions(world, bone_offsets(rest), hips - world[:, 0] @ bone_offsets(rest)[[1, 2]].mean(axis=0))
    joints = motion_joints(found.motion, rest)
    assert np.linalg.norm(joints - truth, axis=-1).mean() < 0.02
    for foot in FEET:
        stands = contacts(found.targets[:, foot], FPS)
        assert stands.any()
        assert slide_m_per_s(joints[:, foot], stands) <= slide_m_per_s(found.targets[:, foot], stands) + 1e-4


def slide_m_per_s(ball: Array, stands: Array) -> float:
    speed = np.linalg.norm(np.diff(ball[:, [0, 2]], axis=0), axis=-1) * FPS
    both = stands[1:] & stands[:-1]
    return float(speed[both].mean()) if both.any() else 0.0


def test_a_source_without_toe_bones_keeps_its_ankles(rest: Array) -> None:
    rig = replace(MIXAMO, foot="", hand="")
    want = performed(rest, rig)
    found = met(want, disguised(want.poses, want.pelvis, rest, rig, Disguise(arms=A_POSE)))
    assert np.abs(motion_joints(found.motion, rest) - want.joints()).max() < EXACT_M
    assert any("left_foot" in note for note in found.motion.notes)


def test_feet_on_a_platform_stay_at_its_height(rest: Array) -> None:
    theirs = other_proportions(rest)
    own = perform(CLIPS[0].make(), theirs)
    motion = disguised(own.poses, own.pelvis + [0.0, 2.0, 0.0], theirs, MIXAMO, Disguise())
    lowest = motion_joints(retarget(motion, guess_map(motion.skeleton), rest).motion, rest)[:, FEET, 1].min()
    assert lowest == pytest.approx(2.0 + own.joints[:, FEET, 1].min(), abs=0.01)


def test_the_anchor_stays_where_it_is(rest: Array) -> None:
    theirs = other_proportions(rest)
    own = perform(CLIPS[0].make(), theirs)
    motion = disguised(own.poses, own.pelvis + [5.0, 0.0, -3.0], theirs, MIXAMO, Disguise())
    start = motion.heads[0, [motion.skeleton.index[f"{side}UpLeg"] for side in ("Left", "Right")]].mean(axis=0)
    found = retarget(motion, guess_map(motion.skeleton), rest, anchor=(start[0], start[2]))
    assert found.targets[0, [1, 2]].mean(axis=0)[[0, 2]] == pytest.approx(start[[0, 2]], abs=1e-9)


def test_a_limb_of_two_twist_bones_points_as_it_points_and_takes_their_mean_twist(rest: Array) -> None:
    want = performed(rest, MIXAMO)
    motion = disguised(want.poses, want.pelvis, rest, MIXAMO, Disguise(seed=None))
    cut, mean = with_twist_bones(motion, "LeftArm")
    found = met(want, cut, guess_map(motion.skeleton))
    assert np.abs(motion_joints(found.motion, rest) - want.joints()).max() < EXACT_M
    ours = global_rotations(axis_angle_to_matrix(found.motion.poses))
    theirs = global_rotations(axis_angle_to_matrix(want.poses))
    assert rotation_angle(ours[:, JOINT_INDEX["left_elbow"]], theirs[:, JOINT_INDEX["left_elbow"]]).max() < 1e-5
    assert rotation_angle(ours[:, JOINT_INDEX["left_shoulder"]], mean).max() < 1e-5
    assert rotation_angle(theirs[:, JOINT_INDEX["left_shoulder"]], mean).max() > 0.02


def test_a_spine_of_five_bones_is_shared_by_three(rest: Array) -> None:
    """A back that bends evenly over five bones bends evenly over SMPL's, and the chest is the last bone's."""
    rig = next(rig for rig in RIGS if rig.label == "Unreal mannequin")
    still = Performed(np.zeros((1, 24, 3)), rest[:1], rest)
    motion = disguised(still.poses, still.pelvis, rest, rig, Disguise(seed=None))
    skeleton = motion.skeleton
    bottom, top = skeleton.heads[skeleton.index["pelvis"]], skeleton.heads[skeleton.index["neck_01"]]
    names = [*skeleton.names, "spine_03", "spine_04"]
    chain = ["pelvis", "spine_01", "spine_02", "spine_03", "spine_04", "spine_05", "neck_01"]
    heads = np.concatenate([skeleton.heads, np.zeros((2, 3))])
    turns = np.tile(np.eye(3), (1, len(names), 1, 1))
    parents = [*skeleton.parents, -1, -1]
    for place, name in enumerate(chain):
        heads[names.index(name)] = bottom + (top - bottom) * place / 6
        turns[0, names.index(name)] = axis_angle_to_matrix(np.array([0.1 * place, 0.0, 0.0]))
        if place:
            parents[names.index(name)] = names.index(chain[place - 1])
    whole = Skeleton(tuple(names), tuple(parents), heads, heads, np.tile(np.eye(3), (len(names), 1, 1)))
    places = np.concatenate([motion.heads, np.zeros((1, 2, 3))], axis=1)
    found = retarget(SkeletonMotion(whole, turns, places, FPS, "five"), guess_map(whole), rest)
    world = global_rotations(axis_angle_to_matrix(found.motion.poses))[0]
    pitch = {
        name: float(np.arctan2(world[JOINT_INDEX[name]][2, 1], world[JOINT_INDEX[name]][1, 1]))
        for name in ("spine1", "spine2", "spine3")
    }
    assert pitch["spine3"] == pytest.approx(0.5, abs=1e-6)
    assert 0.05 < pitch["spine1"] < pitch["spine2"] < pitch["spine3"]


def test_a_rest_pose_in_which_nobody_stands_is_worked_out_from_the_motion(rest: Array) -> None:
    """All bones along X at rest, as some BVH files have them."""
    want = performed(rest, MIXAMO, clip=0, twist=0.05)
    motion = disguised(want.poses, want.pelvis, rest, MIXAMO, Disguise())
    offsets = bone_offsets(rest)
    lengths = np.linalg.norm(offsets, axis=-1)[:, None] * [1.0, 0.0, 0.0]
    heads = joint_positions(np.tile(np.eye(3), (24, 1, 1)), lengths, np.zeros(3))
    odd = replace(motion.skeleton, heads=heads[: len(motion.skeleton.names)], rotations=np.tile(np.eye(3), (24, 1, 1)))
    found = met(want, replace(motion, skeleton=odd))
    assert any("not a plain standing pose" in warning for warning in found.motion.warnings)
    world = [global_rotations(axis_angle_to_matrix(poses)) for poses in (want.poses, found.motion.poses)]
    off = np.degrees(rotation_angle(*world)).mean(axis=0)
    assert off.max() < 35.0 and off.mean() < 12.0
    assert np.linalg.norm(motion_joints(found.motion, rest) - want.joints(), axis=-1).mean() < 0.06


def test_a_rest_pose_in_mid_stride_is_not_taken_for_a_rest_pose(rest: Array) -> None:
    """An FBX file without a skin has whatever pose its figure had; the body's own build is met all the same."""
    want = performed(rest, MIXAMO, twist=0.05)
    motion = disguised(want.poses, want.pelvis, rest, MIXAMO, Disguise())
    strides = np.ptp(motion.heads[:, :, 2], axis=1)
    frame = int(np.argmax(strides))
    posed = replace(motion.skeleton, heads=motion.heads[frame], rotations=motion.rotations[frame])
    found = met(want, replace(motion, skeleton=posed))
    assert any("not a plain standing pose" in warning for warning in found.motion.warnings)
    off = np.linalg.norm(motion_joints(found.motion, rest) - want.joints(), axis=-1)
    assert off.mean() < 0.005 and off.max() < 0.04


@pytest.mark.parametrize(
    ("bones", "says"),
    [
        ({}, "no known bone for pelvis"),
        ({"pelvis": "Hops"}, "no bone 'Hops'"),
        ({"pelvis": "Hips", "spine1": "Hips"}, "used for both pelvis and spine1"),
    ],
)
def test_a_map_that_cannot_work_is_refused_with_the_joint(bones: dict[str, str], says: str, rest: Array) -> None:
    want = performed(rest, MIXAMO)
    motion = disguised(want.poses, want.pelvis, rest, MIXAMO, Disguise())
    with pytest.raises(MotionError, match=says) as caught:
        retarget(motion, BoneMap("own", bones), rest)
    assert caught.value.code == "motion.bone_map"


def test_matrices_give_rotations_without_scale_and_refuse_mirrors(rest: Array) -> None:
    want = performed(rest, MIXAMO)
    motion = disguised(want.poses, want.pelvis, rest, MIXAMO, Disguise())
    matrices = np.tile(np.eye(4), (*motion.heads.shape[:2], 1, 1))
    matrices[..., :3, :3], matrices[..., :3, 3] = motion.rotations * [2.0, 3.0, 0.5], motion.heads
    found = motion_of(motion.skeleton, matrices, FPS, "scaled")
    assert np.abs(found.rotations - motion.rotations).max() < 1e-9
    matrices[:, 3, :3, 0] *= -1.0
    with pytest.raises(MotionError, match="mirrored by a negative scale"):
        Mapped(motion_of(motion.skeleton, matrices, FPS, "mirrored"), {}).turned(3)
    matrices[:, 3, :3, 0] = 0.0
    with pytest.raises(MotionError, match="scaled to nothing"):
        Mapped(motion_of(motion.skeleton, matrices, FPS, "flat"), {}).turned(3)
    others = Mapped(motion_of(motion.skeleton, matrices, FPS, "flat"), {})
    assert np.abs(others.turned(2) - Mapped(motion, {}).turned(2)).max() < 1e-9
