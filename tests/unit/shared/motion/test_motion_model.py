"""SMPLMotion refuses what cannot be shown; resampling keeps length and meaning; kinematics and quality figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared.errors import MotionError
from shared.motion import SMPLMotion, resample
from shared.motion.quality import measure_quality, motion_joints
from shared.motion.skeleton import (
    JOINT_INDEX,
    JOINT_NAMES,
    PARENTS,
    bone_offsets,
    global_rotations,
    local_rotations,
)
from shared.rotations import axis_angle_to_matrix, axis_angle_to_quaternion, rotation_angle
from tests.reference import rotations as twin


def clip(frames: int = 12, fps: float = 20.0, seed: int = 0) -> SMPLMotion:
    random = np.random.default_rng(seed)
    poses = np.cumsum(random.normal(scale=0.1, size=(frames, 24, 3)), axis=0)
    root = np.cumsum(random.normal(scale=0.02, size=(frames, 3)), axis=0)
    return SMPLMotion(poses, root, np.zeros(10), fps, source="clip.npy")


def skeleton(seed: int = 3) -> NDArray[Any]:
    return np.random.default_rng(seed).normal(size=(24, 3))


def test_the_skeleton_is_smpls() -> None:
    assert len(JOINT_NAMES) == len(set(JOINT_NAMES)) == len(PARENTS) == 24
    assert all(parent < joint for joint, parent in enumerate(PARENTS))
    chains = {("left_hand", "left_wrist"), ("head", "neck"), ("right_collar", "spine3"), ("right_foot", "right_ankle")}
    assert all(PARENTS[JOINT_INDEX[child]] == JOINT_INDEX[parent] for child, parent in chains)


def test_kinematics_agree_with_the_walked_chains() -> None:
    motion, rest = clip(), skeleton()
    joints = motion_joints(motion, rest)
    for frame in (0, 5, 11):
        expected = twin.forward_kinematics(motion.poses[frame], motion.root[frame], rest, PARENTS)
        np.testing.assert_allclose(joints[frame], expected, atol=1e-10)


def test_local_and_global_rotations_are_inverse() -> None:
    local = axis_angle_to_matrix(clip().poses)
    np.testing.assert_allclose(local_rotations(global_rotations(local)), local, atol=1e-12)


@pytest.mark.parametrize("rest", [np.zeros((22, 3)), np.full((24, 3), np.nan)])
def test_unusable_rest_joints_are_named(rest: NDArray[Any]) -> None:
    with pytest.raises(MotionError) as caught:
        bone_offsets(rest)
    assert caught.value.code == "motion.rest_joints"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"poses": np.zeros((0, 24, 3)), "root": np.zeros((0, 3))}, "motion.empty"),
        ({"poses": np.zeros((4, 22, 3))}, "motion.wrong_shape"),
        ({"root": np.zeros((5, 3))}, "motion.wrong_shape"),
        ({"betas": np.zeros(16)}, "motion.wrong_shape"),
        ({"root": np.full((4, 3), np.inf)}, "motion.not_finite"),
        ({"betas": np.array(["a"] * 10)}, "motion.wrong_type"),
        ({"fps": 0.0}, "motion.fps"),
        ({"fps": float("nan")}, "motion.fps"),
        ({"fps": 1e6}, "motion.fps"),
    ],
)
def test_unusable_motions_are_refused(change: dict[str, object], code: str) -> None:
    values = {"poses": np.zeros((4, 24, 3)), "root": np.zeros((4, 3)), "betas": np.zeros(10), "fps": 20.0}
    with pytest.raises(MotionError) as caught:
        SMPLMotion(**{**values, **change})  # type: ignore[arg-type]
    assert caught.value.code == code


def test_a_motion_cannot_be_changed_from_outside() -> None:
    poses = np.zeros((4, 24, 3))
    motion = SMPLMotion(poses, np.zeros((4, 3)), np.zeros(10), 20.0)
    poses[0] = 1.0
    assert (motion.poses == 0.0).all()
    with pytest.raises(ValueError, match="read-only"):
        motion.poses[0] = 1.0


def test_120_frames_at_20_fps_are_144_at_24() -> None:
    motion = resample(clip(frames=120), 24.0)
    assert motion.frame_count == 144


@settings(max_examples=40)
@given(st.integers(1, 200), st.sampled_from([12.5, 20.0, 23.976, 30.0, 59.94, 120.00004]), st.floats(1.0, 240.0))
def test_the_duration_is_kept_within_half_a_frame(frames: int, source_fps: float, fps: float) -> None:
    motion = clip(frames=frames, fps=source_fps)
    changed = resample(motion, fps)
    before_s, after_s = frames / source_fps, changed.frame_count / fps
    assert abs(after_s - before_s) <= max(0.5 / fps, 1.0 / fps - before_s) + 1e-9


def test_source_frames_are_met_exactly_at_whole_multiples() -> None:
    motion = clip()
    finer = resample(motion, 60.0)
    np.testing.assert_array_equal(finer.poses[::3], motion.poses)
    np.testing.assert_allclose(finer.root[::3], motion.root, atol=1e-15)
    coarser = resample(finer, 20.0)
    np.testing.assert_array_equal(coarser.poses, motion.poses)


def test_between_frames_rotations_follow_slerp_and_positions_a_line() -> None:
    motion = clip(frames=5)
    finer = resample(motion, 50.0)  # frame 1 lies at 0.4 of the first source frame
    start, end = axis_angle_to_quaternion(motion.poses[:2, 7])
    expected = twin.slerp(start, end, 0.4)
    assert abs(axis_angle_to_quaternion(finer.poses[1, 7]) @ expected) == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_allclose(finer.root[1], 0.6 * motion.root[0] + 0.4 * motion.root[1], atol=1e-12)


def test_a_turn_through_180_degrees_does_not_swing_back() -> None:
    angles = np.radians(np.arange(150.0, 220.0, 10.0))
    poses = np.zeros((len(angles), 24, 3))
    poses[:, 0, 1] = np.where(angles > np.pi, angles - 2.0 * np.pi, angles)  # as axis-angle readers give it
    motion = SMPLMotion(poses, np.zeros((len(angles), 3)), np.zeros(10), 20.0)
    matrices = axis_angle_to_matrix(resample(motion, 80.0).poses[:, 0])
    steps = np.degrees(rotation_angle(matrices[1:-3], matrices[:-4]))
    np.testing.assert_allclose(steps, 2.5, atol=1e-6)


def test_the_last_pose_is_held_and_one_frame_stays_one_pose() -> None:
    motion = clip(frames=3)
    finer = resample(motion, 80.0)
    np.testing.assert_array_equal(finer.poses[8:], np.repeat(motion.poses[2:], 4, axis=0))
    assert resample(clip(frames=1), 24.0).frame_count == 1


@pytest.mark.parametrize("fps", [0.0, -3.0, float("nan"), float("inf")])
def test_unusable_rates_are_refused(fps: float) -> None:
    with pytest.raises(MotionError) as caught:
        resample(clip(), fps)
    assert caught.value.code == "motion.fps"


def standing(frames: int) -> tuple[NDArray[Any], NDArray[Any]]:
    rest = np.zeros((24, 3))
    rest[0, 1] = 1.0
    rest[[JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"]]] = [[0.1, 0.0, 0.1], [-0.1, 0.0, 0.1]]
    return rest, np.zeros((frames, 24, 3))


def test_a_standing_clip_has_no_faults_and_a_pushed_one_slides() -> None:
    rest, poses = standing(21)
    still = SMPLMotion(poses, np.zeros((21, 3)), np.zeros(10), 20.0)
    quality = measure_quality(still, rest)
    assert (quality.foot_slide_cm_per_s, quality.jitter_m_per_s3, quality.floor_penetration_cm) == (0.0, 0.0, 0.0)
    path = np.zeros((21, 3))
    path[:, 0] = 0.01 * np.arange(21)  # 1 cm a frame at 20 frames a second
    pushed = measure_quality(SMPLMotion(poses, path, np.zeros(10), 20.0), rest)
    assert pushed.foot_slide_cm_per_s == pytest.approx(20.0)
    assert pushed.jitter_m_per_s3 == pytest.approx(0.0, abs=1e-6)


def test_sunken_and_shaking_clips_are_measured() -> None:
    rest, poses = standing(30)
    path = np.zeros((30, 3))
    path[:, 1] = -0.02
    path[::2, 2] = 0.001
    quality = measure_quality(SMPLMotion(poses, path, np.zeros(10), 10.0), rest)
    assert quality.floor_penetration_cm == pytest.approx(2.0)
    # z alternates by 1 mm: third differences are 1 + 3 + 3 + ... = 4 steps of 1 mm, times 10^3
    assert quality.jitter_m_per_s3 == pytest.approx(4.0)
    lifted = measure_quality(SMPLMotion(poses, path + [0, 0.5, 0], np.zeros(10), 10.0), rest)
    assert lifted.foot_slide_cm_per_s == 0.0
