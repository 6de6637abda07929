"""Positions to rotations: exact on the same skeleton, a few centimetres on others, smooth in time, and it says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.make.motion.clips import CLIPS
from backend.make.motion.puppet import Performance, perform
from shared.body import free_body
from shared.errors import MotionError
from shared.motion.fitting import PositionFit, fit_positions
from shared.motion.limb_twist import Limb, limb_twists
from shared.motion.skeleton import JOINT_INDEX, PARENTS, bone_offsets, global_rotations, joint_positions
from shared.rotations import axis_angle_to_matrix, rotation_angle

NAMES = [clip.name for clip in CLIPS]
BENDING = {"shoulder": "elbow", "hip": "knee"}


@pytest.fixture(scope="module")
def rest() -> NDArray[Any]:
    return np.asarray(free_body().joints(np.zeros(10)), dtype=np.float64)


@pytest.fixture(scope="module")
def clips(rest: NDArray[Any]) -> dict[str, Performance]:
    return {clip.name: perform(clip.make(), rest) for clip in CLIPS}


def other_proportions(rest: NDArray[Any]) -> NDArray[Any]:
    """The same figure with longer legs, shorter arms, wider hips and a higher waist."""
    offsets = bone_offsets(rest)
    for stretched, factor in (([4, 5, 7, 8], 1.1), ([18, 19, 20, 21], 0.87), ([1, 2], 1.2)):
        offsets[stretched] *= factor
    offsets[3, 1] += 0.03
    joints = np.zeros((24, 3))
    for joint, parent in enumerate(PARENTS):
        joints[joint] = offsets[joint] + (joints[parent] if parent >= 0 else 0.0)
    return joints


def fitted_joints(fit: PositionFit, rest: NDArray[Any]) -> NDArray[Any]:
    world = global_rotations(axis_angle_to_matrix(fit.poses))
    return joint_positions(world, bone_offsets(rest), fit.root + rest[0])


def steps(poses: NDArray[Any]) -> NDArray[Any]:
    """Degrees by which each joint turns from frame to frame, (frames - 1, 24)."""
    matrices = axis_angle_to_matrix(poses)
    return np.degrees(rotation_angle(matrices[1:], matrices[:-1]))


@pytest.mark.parametrize("name", NAMES)
def test_on_the_same_skeleton_every_joint_is_met(name: str, rest: NDArray[Any], clips: dict[str, Performance]) -> None:
    joints = clips[name].joints
    fit = fit_positions(joints[:, :22], rest)
    assert fit.residual_cm < 0.01
    assert fit.scale == pytest.approx(1.0)
    np.testing.assert_allclose(fitted_joints(fit, rest)[:, :22], joints[:, :22], atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_rotations_do_not_jump(name: str, rest: NDArray[Any], clips: dict[str, Performance]) -> None:
    given_steps = steps(clips[name].poses)
    fit_steps = steps(fit_positions(clips[name].joints[:, :22], rest).poses)
    shown = [joint for joint in range(22) if joint not in (10, 11, 15)]  # toes and head have no bone in the data
    assert (fit_steps[:, shown].max(axis=0) <= given_steps[:, shown].max(axis=0) + 12.0).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_twist_of_bent_limbs_is_found(name: str, rest: NDArray[Any], clips: dict[str, Performance]) -> None:
    truth = global_rotations(axis_angle_to_matrix(clips[name].poses))
    fit = global_rotations(axis_angle_to_matrix(fit_positions(clips[name].joints[:, :22], rest).poses))
    error = np.degrees(rotation_angle(truth, fit))
    for side in ("left_", "right_"):
        for top, middle in BENDING.items():
            bend = steps_between(truth, JOINT_INDEX[side + top], JOINT_INDEX[side + middle])
            bent = bend > 45.0
            assert (error[bent, JOINT_INDEX[side + top]] < 15.0).all()
    assert error[:, JOINT_INDEX["pelvis"]].max() < 0.01
    assert error[:, JOINT_INDEX["spine3"]].max() < 0.01


def steps_between(world: NDArray[Any], first: int, second: int) -> NDArray[Any]:
    return np.degrees(rotation_angle(world[:, first], world[:, second]))


@pytest.mark.parametrize("name", NAMES)
def test_other_proportions_fit_within_centimetres_and_feet_stay_planted(name: str, rest: NDArray[Any]) -> None:
    clip = next(clip for clip in CLIPS if clip.name == name)
    joints = perform(clip.make(), other_proportions(rest)).joints[:, :22]
    fit = fit_positions(joints, rest)
    targets = joints * fit.scale
    distances = np.linalg.norm(fitted_joints(fit, rest)[:, :22] - targets, axis=-1)
    assert fit.residual_cm == pytest.approx(100.0 * distances.mean())
    assert 0.5 < fit.residual_cm < 6.0
    feet = [JOINT_INDEX[joint] for joint in ("left_ankle", "right_ankle")]
    offset = fitted_joints(fit, rest)[:, feet] - targets[:, feet]
    assert offset.std(axis=0).max() < 0.012
    toes = [JOINT_INDEX[joint] for joint in ("left_foot", "right_foot")]
    assert fit.feet_cm == pytest.approx(100.0 * distances[:, toes].mean(), abs=1e-6)
    assert fit.feet_cm < 0.1
    assert fitted_joints(fit, rest)[:, toes, 1].min() == pytest.approx(targets[:, toes, 1].min(), abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_knees_bend_to_the_same_side_and_no_faster_where_legs_are_turned_to_the_ground(
    name: str, rest: NDArray[Any]
) -> None:
    clip = next(clip for clip in CLIPS if clip.name == name)
    performed = perform(clip.make(), other_proportions(rest))
    poses = fit_positions(performed.joints[:, :22], rest).poses
    knees = [JOINT_INDEX[joint] for joint in ("left_knee", "right_knee")]
    assert steps(poses)[:, knees].max() < steps(performed.poses)[:, knees].max() + 12.0
    bent = np.linalg.norm(performed.poses[:, knees], axis=-1) > np.radians(30.0)
    assert (poses[:, knees, 0][bent] > 0.0).all()  # about +X, the hinge of SMPL's knees
    lengths = np.linalg.norm(
        np.diff(fitted_joints(fit_positions(performed.joints, rest), rest)[:, [1, 4, 7]], axis=1), axis=-1
    )
    np.testing.assert_allclose(lengths, np.tile(np.linalg.norm(bone_offsets(rest)[[4, 7]], axis=-1), (len(lengths), 1)))


def test_a_leg_that_does_not_reach_is_stretched_towards_its_target(rest: NDArray[Any]) -> None:
    joints = np.repeat(rest[None, :22], 5, axis=0)
    joints[1, 10] += [0.3, -0.2, 0.0]  # one foot is pulled away
    joints[1, 7] += [0.3, -0.2, 0.0]
    fitted = fitted_joints(fit_positions(joints, rest), rest)
    hip, knee, ankle = fitted[1, 1], fitted[1, 4], fitted[1, 7]
    straight = (knee - hip) / np.linalg.norm(knee - hip) @ ((ankle - knee) / np.linalg.norm(ankle - knee))
    assert straight > 0.99999
    assert (ankle - hip) @ (joints[1, 7] - hip) / np.linalg.norm(ankle - hip) / np.linalg.norm(
        joints[1, 7] - hip
    ) > 0.999


@settings(max_examples=15, deadline=None)
@given(size=st.floats(0.3, 3.0), yaw=st.floats(-3.0, 3.0))
def test_size_place_and_heading_change_only_the_root(
    size: float, yaw: float, rest: NDArray[Any], clips: dict[str, Performance]
) -> None:
    joints = clips["dance"].joints[::6, :22]
    turn = axis_angle_to_matrix(np.array([0.0, yaw, 0.0]))
    fit = fit_positions(joints, rest)
    moved = fit_positions(size * (joints @ turn.T + [3.0, 0.5, -2.0]), rest)
    assert moved.scale == pytest.approx(fit.scale / size)
    matrices, moved_matrices = axis_angle_to_matrix(fit.poses), axis_angle_to_matrix(moved.poses)
    np.testing.assert_allclose(moved_matrices[:, 1:], matrices[:, 1:], atol=1e-6)
    np.testing.assert_allclose(moved_matrices[:, 0], turn @ matrices[:, 0], atol=1e-6)


def test_hands_are_used_where_the_file_has_them(rest: NDArray[Any], clips: dict[str, Performance]) -> None:
    joints = clips["wave"].joints
    fit = fit_positions(joints, rest)
    np.testing.assert_allclose(fitted_joints(fit, rest), joints, atol=1e-6)
    without = fitted_joints(fit_positions(joints[:, :22], rest), rest)
    assert np.linalg.norm(without[:, 23] - joints[:, 23], axis=-1).max() > 0.01


def test_the_rest_pose_gives_no_rotation(rest: NDArray[Any]) -> None:
    fit = fit_positions(rest[None, :22] + [0.5, 1.0, 2.0], rest)
    assert np.degrees(np.linalg.norm(fit.poses[0], axis=-1)).max() < 3.0  # a rest pose's elbows may bend a little
    np.testing.assert_allclose(fit.root, [[0.5, 1.0, 2.0]], atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_noisy_joints_give_usable_rotations(seed: int, rest: NDArray[Any], clips: dict[str, Performance]) -> None:
    joints = clips["dance"].joints[:40, :22]
    noisy = joints + np.random.default_rng(seed).normal(scale=0.004, size=joints.shape)
    fit = fit_positions(noisy, rest)
    assert np.isfinite(fit.poses).all()
    limbs = [
        JOINT_INDEX[f"{side}_{joint}"] for side in ("left", "right") for joint in ("shoulder", "hip", "elbow", "knee")
    ]
    assert steps(fit.poses)[:, limbs].max() < 60.0


def test_a_bone_without_length_still_gives_rotations(rest: NDArray[Any]) -> None:
    joints = np.repeat(rest[None, :22], 3, axis=0)
    joints[:, JOINT_INDEX["left_wrist"]] = joints[:, JOINT_INDEX["left_elbow"]]
    joints[:, JOINT_INDEX["head"]] = joints[:, JOINT_INDEX["neck"]]
    fit = fit_positions(joints, rest)
    matrices = axis_angle_to_matrix(fit.poses)
    np.testing.assert_allclose(np.linalg.det(matrices), 1.0, atol=1e-9)


@pytest.mark.parametrize(
    ("positions", "code"),
    [
        (np.zeros((3, 22, 3)), "motion.no_skeleton"),
        (np.full((3, 22, 3), np.nan), "motion.not_finite"),
        (np.zeros((3, 21, 3)), "motion.wrong_shape"),
        (np.zeros((0, 22, 3)), "motion.wrong_shape"),
        (np.zeros((22, 3)), "motion.wrong_shape"),
    ],
)
def test_what_cannot_be_fitted_is_named(positions: NDArray[Any], code: str, rest: NDArray[Any]) -> None:
    with pytest.raises(MotionError) as caught:
        fit_positions(positions, rest, name="clip.npy")
    assert caught.value.code == code
    assert "clip.npy" in str(caught.value)


def arm(bends: NDArray[Any], twists: NDArray[Any]) -> NDArray[Any]:
    """(frames, 3, 3) joints of an arm along +X whose elbow bends by `bends` in a plane turned by `twists` radians."""
    joints = np.zeros((len(bends), 3, 3))
    joints[:, 1, 0] = 1.0
    side = np.stack([np.zeros_like(twists), -np.sin(twists), np.cos(twists)], axis=-1)
    joints[:, 2] = joints[:, 1] + np.cos(bends)[:, None] * [1.0, 0.0, 0.0] + np.sin(bends)[:, None] * side
    return joints


ARM = Limb(0, 1, 2, None, (0.0, 0.0, 1.0))
ALONG_X = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [2.0, 0.0, 0.0]])


def test_the_twist_of_a_bent_limb_is_the_angle_of_its_plane() -> None:
    twists = np.full(9, 0.7)
    joints = arm(np.full(9, 1.2), twists)
    angles = limb_twists(np.tile(np.eye(3), (9, 1, 1)), joints, ALONG_X, ARM)
    np.testing.assert_allclose(angles, twists, atol=0.02)  # the pull to rest takes a fiftieth


def test_a_straight_limb_carries_the_twist_over_and_does_not_flip() -> None:
    frames = 40
    bends = np.abs(np.linspace(-1.4, 1.4, frames))
    twists = np.where(np.arange(frames) < frames // 2, 0.5, 2.3)  # the plane jumps while the arm is straight
    joints = arm(bends, twists)
    angles = limb_twists(np.tile(np.eye(3), (frames, 1, 1)), joints, ALONG_X, ARM)
    assert np.abs(np.diff(angles)).max() < 0.5
    np.testing.assert_allclose(angles[[0, -1]], [0.5, 2.3], atol=0.08)


def test_a_limb_that_never_bends_rests() -> None:
    joints = arm(np.full(12, 0.02), np.linspace(0.0, 6.0, 12))
    angles = limb_twists(np.tile(np.eye(3), (12, 1, 1)), joints, ALONG_X, ARM)
    np.testing.assert_allclose(angles, 0.0, atol=1e-12)


def test_twists_across_the_half_turn_stay_continuous() -> None:
    twists = np.linspace(2.6, 3.6, 30)
    angles = limb_twists(np.tile(np.eye(3), (30, 1, 1)), arm(np.full(30, 1.3), twists), ALONG_X, ARM)
    around = np.angle(np.exp(1j * (angles - twists)))
    assert np.abs(around).max() < 0.06
