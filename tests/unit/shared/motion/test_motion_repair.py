"""The repairs: what they mend, what they leave, and that frames they need not touch keep every bit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.body import free_body
from shared.motion import SMPLMotion, resample
from shared.motion.checks import run_checks
from shared.motion.contacts import contacts_in, firmly, foot_contacts
from shared.motion.quality import measure_quality, motion_joints
from shared.motion.repair import REPAIRS, Ground, Repair, repair_named
from shared.motion.repair.easing import eased, smoothed
from shared.motion.repair.feet import with_feet_moved
from shared.motion.skeleton import JOINT_INDEX
from shared.rotations import axis_angle_to_matrix, rotation_angle
from tests.helpers.worn_motions import rest_joints, sample, sinking, sliding, trembling

KNEES = [JOINT_INDEX["left_knee"], JOINT_INDEX["right_knee"]]
SOLE_M = float(rest_joints()[10, 1] - free_body().v_template[:, 1].min())


def repaired(name: str, motion: SMPLMotion, **options: Any) -> SMPLMotion:
    repair = repair_named(name)
    assert repair is not None
    return repair.apply(motion, rest_joints(), **options)


def worst(motion: SMPLMotion, check: str, **ground: float) -> float:
    return next(one.worst for one in run_checks(motion, rest_joints(), **ground) if one.check.name == check)


def knee_jolt(motion: SMPLMotion) -> float:
    """The largest second difference of a knee's bend, radians."""
    bend = rotation_angle(axis_angle_to_matrix(motion.poses[:, KNEES]), np.eye(3))
    return float(np.abs(np.diff(bend, 2, axis=0)).max())


def balls(motion: SMPLMotion) -> NDArray[np.float64]:
    return motion_joints(motion, rest_joints())[:, [10, 11]]


@pytest.mark.parametrize("fps", [20.0, 60.0])
@pytest.mark.parametrize("name", ["dance", "walk", "jump", "wave", "squat"])
def test_planted_feet_stay_in_one_place_and_no_knee_pops(name: str, fps: float) -> None:
    motion = sliding(resample(sample(name), fps))
    mended = repaired("plant_feet", motion)
    standing = firmly(foot_contacts(motion_joints(motion, rest_joints()), motion.fps), motion.fps)
    for contact in contacts_in(standing):
        spread = np.ptp(balls(mended)[contact.frames, contact.foot], axis=0).max()
        assert spread < 0.005, contact
    before, after = (measure_quality(one, rest_joints()) for one in (motion, mended))
    assert after.foot_slide_cm_per_s < 0.5 * before.foot_slide_cm_per_s
    assert knee_jolt(mended) < 1.15 * knee_jolt(motion) + 0.06


def test_the_arms_and_the_spine_are_not_touched_by_planted_feet() -> None:
    motion = sliding(sample("walk"))
    mended = repaired("plant_feet", motion)
    legs = {JOINT_INDEX[f"{side}_{joint}"] for side in ("left", "right") for joint in ("hip", "knee", "ankle")}
    others = [joint for joint in range(24) if joint not in legs]
    assert np.array_equal(mended.poses[:, others], motion.poses[:, others])


def test_frames_away_from_a_contact_that_slides_keep_every_bit() -> None:
    still = sample("squat")
    root = still.root.copy()
    root[60:] += np.linspace(0, 0.1, 30)[:, None] * [1.0, 0.0, 0.0]
    motion = replace(still, root=root)
    standing = foot_contacts(motion_joints(motion, rest_joints()), motion.fps)
    assert standing.all()
    moves = np.zeros((motion.frame_count, 2, 3))
    moves[40:50, 0, 0] = 0.02
    moved = with_feet_moved(motion, rest_joints(), moves)
    kept = np.r_[0:40, 50:90]
    assert np.array_equal(moved.poses[kept], motion.poses[kept]) and np.array_equal(moved.root[kept], motion.root[kept])
    assert np.allclose(balls(moved) - balls(motion), moves, atol=1e-6)


def test_a_foot_out_of_reach_takes_the_pelvis_along() -> None:
    motion = sample("wave")
    moves = np.zeros((motion.frame_count, 2, 3))
    moves[30:60, 0] = (0.0, -0.1, 0.0)
    moved = with_feet_moved(motion, rest_joints(), moves)
    assert np.allclose((balls(moved) - balls(motion))[30:60], moves[30:60], atol=5e-3)
    assert (moved.root - motion.root)[45, 1] < -0.02
    assert np.abs(np.diff(moved.root, 2, axis=0)).max() < 0.05


@pytest.mark.parametrize("name", ["dance", "walk", "jump", "wave", "squat"])
def test_smoothing_takes_the_tremble_and_keeps_the_motion(name: str) -> None:
    clean = sample(name)
    motion = trembling(clean)
    mended = repaired("smooth_motion", motion)
    before, after = (measure_quality(one, rest_joints()) for one in (motion, mended))
    assert after.jitter_m_per_s3 < 0.3 * before.jitter_m_per_s3
    assert after.foot_slide_cm_per_s < 0.5 * before.foot_slide_cm_per_s
    off = [
        np.linalg.norm(motion_joints(one, rest_joints()) - motion_joints(clean, rest_joints()), axis=-1).mean()
        for one in (motion, mended)
    ]
    assert off[1] < 0.9 * off[0]


def test_smoothing_a_clean_motion_keeps_its_feet_and_its_ends() -> None:
    motion = sample("walk")
    mended = repaired("smooth_motion", motion)
    firm = firmly(foot_contacts(motion_joints(motion, rest_joints()), motion.fps), motion.fps)
    assert np.linalg.norm(balls(mended) - balls(motion), axis=-1)[firm].max() < 0.02
    assert measure_quality(mended, rest_joints()).foot_slide_cm_per_s < 6.0
    arms = axis_angle_to_matrix(motion.poses[:, 16:20]), axis_angle_to_matrix(mended.poses[:, 16:20])
    assert rotation_angle(arms[0][[0, -1]], arms[1][[0, -1]]).max() < 1e-7
    assert rotation_angle(*arms).max() < 0.1


def test_a_turn_at_constant_speed_is_not_changed_by_smoothing() -> None:
    poses = np.zeros((60, 24, 3))
    poses[:, 0, 1] = np.linspace(0, 9.0, 60)  # more than a whole turn
    root = np.stack([np.linspace(0, 2, 60), np.full(60, 3.0), np.zeros(60)], axis=1)
    mended = repaired("smooth_motion", SMPLMotion(poses, root, np.zeros(10), 30.0), strength=1.0)
    turned = rotation_angle(axis_angle_to_matrix(mended.poses[:, 0]), axis_angle_to_matrix(poses[:, 0]))
    assert turned.max() < 1e-6 and np.allclose(mended.root, root, atol=0.01)


@pytest.mark.parametrize("name", ["dance", "walk", "jump", "wave", "squat"])
def test_feet_come_onto_the_floor_and_none_is_below_it(name: str) -> None:
    motion = sinking(sample(name))
    mended = repaired("put_on_floor", motion, ground=Ground(0.0, SOLE_M))
    assert worst(motion, "below_floor") > 8.0 and worst(mended, "below_floor") == 0.0
    firm = firmly(foot_contacts(motion_joints(motion, rest_joints()), motion.fps), motion.fps)
    assert np.abs(balls(mended)[..., 1][firm] - SOLE_M).max() < 2e-3
    assert knee_jolt(mended) < 1.15 * knee_jolt(motion) + 0.1


def test_a_floor_elsewhere_is_met_and_a_clip_without_contacts_is_lifted_whole() -> None:
    mended = repaired("put_on_floor", sample("wave"), ground=Ground(0.5))
    assert np.allclose(balls(mended)[..., 1], 0.5, atol=2e-3)
    falling = SMPLMotion(np.zeros((20, 24, 3)), np.linspace(9, 0, 20)[:, None] * [0.0, 1.0, 0.0], np.zeros(10), 20.0)
    assert not foot_contacts(motion_joints(falling, rest_joints()), 20.0).any()
    mended = repaired("put_on_floor", falling)
    assert balls(mended)[..., 1].min() == pytest.approx(0.0, abs=1e-6)
    assert np.allclose(np.diff(mended.root, axis=0), np.diff(falling.root, axis=0))


@pytest.mark.parametrize("repair", REPAIRS, ids=lambda one: one.name)
def test_strength_is_gradual_and_nothing_at_all_at_zero(repair: Repair) -> None:
    name = repair.name
    worn = {"plant_feet": sliding, "smooth_motion": trembling, "put_on_floor": sinking}[name]
    check = {"plant_feet": "foot_slide", "smooth_motion": "jitter", "put_on_floor": "below_floor"}[name]
    motion = worn(sample("wave"))
    assert repaired(name, motion, strength=0.0) is motion
    found = [worst(repaired(name, motion, strength=strength), check) for strength in (0.25, 0.6, 1.0)]
    assert worst(motion, check) > found[0] > found[1] > found[2]


@pytest.mark.parametrize("repair", REPAIRS, ids=lambda one: one.name)
@pytest.mark.parametrize("frames", [1, 2, 3, 5])
def test_clips_of_a_few_frames_are_repaired_too(repair: Repair, frames: int) -> None:
    whole = sample("walk")
    short = replace(whole, poses=whole.poses[:frames], root=whole.root[:frames])
    assert repaired(repair.name, short).frame_count == frames


def test_a_smoother_is_the_minimum_of_its_sum() -> None:
    random = np.random.default_rng(1)
    values, weights = random.normal(size=(12, 2)), random.uniform(0.1, 2, 12)
    first, second = np.diff(np.eye(12), axis=0), np.diff(np.eye(12), 2, axis=0)
    matrix = np.diag(weights) + 0.7 * first.T @ first + second.T @ second
    assert np.allclose(smoothed(values, weights, tension=0.7), np.linalg.solve(matrix, values * weights[:, None]))


def test_what_is_eased_holds_its_value_and_fades_without_swinging() -> None:
    held = np.zeros(140, bool)
    held[60:80] = True
    way = eased(np.full((140, 1), 0.1), held, 4.0)[:, 0]
    assert np.allclose(way[60:80], 0.1, atol=1e-4) and (way >= 0).all() and way.max() < 0.1001
    assert not way[:5].any() and not way[-5:].any() and np.abs(np.diff(way)).max() < 0.02
    assert not eased(np.ones((9, 2)), np.zeros(9, bool), 3.0).any()
