"""The checks: each finds its own fault in the frames that have it, and nothing in the samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shared.motion import SAMPLE_NAMES, SMPLMotion
from shared.motion.checks import CHECKS, Found, check_named, run_checks
from shared.motion.contacts import Contact, contacts_in, firmly, foot_contacts, runs
from shared.motion.quality import motion_joints
from shared.motion.repair import repair_named
from shared.motion.skeleton import JOINT_INDEX
from tests.helpers.worn_motions import rest_joints, sample, sinking, sliding, trembling


def found_in(motion: SMPLMotion, **ground: float) -> dict[str, Found]:
    return {one.check.name: one for one in run_checks(motion, rest_joints(), **ground)}


def standing(frames: int = 40) -> SMPLMotion:
    """The rest pose, with the balls of the feet at height 0."""
    root = np.tile([0.0, -rest_joints()[10, 1], 0.0], (frames, 1))
    return SMPLMotion(np.zeros((frames, 24, 3)), root, np.zeros(10), 20.0)


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_the_samples_have_hardly_a_problem(name: str) -> None:
    motion = sample(name)
    for one in run_checks(motion, rest_joints()):
        assert one.values.shape == (motion.frame_count,) and (one.values >= 0).all()
        assert one.problem_frames <= 4, one.check.name  # the jump's push and landing are jolts


def test_every_check_names_a_repair_that_exists_and_a_sentence_with_its_value() -> None:
    for check in CHECKS:
        assert (repair_named(check.repair) is None) == bool(check.else_helps)
        assert "37" in check.said(37.0) and check_named(check.name) is check
    assert check_named("of a later version") is None


def test_a_slide_is_measured_where_it_is() -> None:
    still = standing()
    root = still.root.copy()
    root[20:] += np.arange(20)[:, None] * [0.01, 0.0, 0.0]  # 1 cm a frame
    slide = found_in(replace(still, root=root))["foot_slide"]
    assert np.allclose(slide.values[22:], 20.0) and not slide.values[:19].any()
    assert slide.problems == ((21, 39),) or slide.problems == ((20, 39),)
    assert slide.worst == pytest.approx(20.0)


def test_a_foot_in_the_air_neither_slides_nor_floats() -> None:
    still = standing()
    poses = still.poses.copy()
    poses[10:30, JOINT_INDEX["left_knee"], 0] = 1.5  # stands on the right leg
    found = found_in(replace(still, poses=poses))
    assert found["floating"].worst == pytest.approx(0, abs=1e-9) and found["foot_slide"].problem_frames == 0


def test_height_above_and_below_the_floor() -> None:
    found = found_in(standing(), floor_m=0.05)
    assert found["below_floor"].worst == pytest.approx(5.0) and found["below_floor"].problem_frames == 40
    raised = found_in(standing(), floor_m=-0.08, sole_m=0.03)
    assert raised["floating"].worst == pytest.approx(5.0) and raised["below_floor"].worst == 0.0


def test_tremble_is_found_all_along_and_a_smooth_walk_has_none() -> None:
    assert found_in(trembling(sample("walk")))["jitter"].problem_frames == 88
    assert found_in(sample("walk"))["jitter"].problem_frames == 0
    assert found_in(standing(3))["jitter"].worst == 0.0  # too short for a third difference


@pytest.mark.parametrize(
    ("joint", "axis", "radians", "beyond"),
    [
        ("left_knee", 0, -1.0, np.degrees(1.0) - 20),
        ("left_knee", 0, 2.0, 0.0),
        ("left_elbow", 1, -2.0, 0.0),
        ("left_elbow", 1, 1.0, np.degrees(1.0) - 25),
        ("right_elbow", 1, -1.0, np.degrees(1.0) - 25),
        ("neck", 2, 2.0, np.degrees(2.0) - 80),
    ],
)
def test_a_joint_that_turns_too_far_is_found(joint: str, axis: int, radians: float, beyond: float) -> None:
    poses = np.zeros((40, 24, 3))
    poses[:, JOINT_INDEX[joint], axis] = radians
    assert found_in(replace(standing(), poses=poses))["joint_limits"].worst == pytest.approx(beyond)


def test_contacts_of_a_walk_alternate_and_do_not_depend_on_the_floor() -> None:
    motion = sample("walk")
    joints = motion_joints(motion, rest_joints())
    stands = foot_contacts(joints, motion.fps)
    assert len(contacts_in(stands)) == 9 and stands.any(axis=1).all()
    assert np.array_equal(foot_contacts(joints + [0.0, 0.7, 0.0], motion.fps), stands)
    noisy = foot_contacts(motion_joints(trembling(motion), rest_joints()), motion.fps)
    assert (noisy == stands).mean() > 0.9  # a frame at some of the 14 edges


def test_a_jump_has_no_contact_in_the_air_and_firm_ones_lose_their_edges() -> None:
    motion = sample("jump")
    stands = foot_contacts(motion_joints(motion, rest_joints()), motion.fps)
    first, second = (one for one in contacts_in(stands) if one.foot == 0)
    assert second.first - first.last > 5 and first.first == 0
    firm = contacts_in(firmly(stands, motion.fps))
    assert firm[0] == Contact(0, 0, first.last - 1)


def test_runs_are_found_at_both_ends() -> None:
    assert runs(np.array([True, True, False, True])) == ((0, 1), (3, 3))
    assert runs(np.zeros(3, bool)) == ()


@pytest.mark.parametrize(("worn", "name"), [(sliding, "foot_slide"), (sinking, "below_floor"), (sinking, "floating")])
def test_a_fault_is_found_by_its_own_check(worn: object, name: str) -> None:
    assert callable(worn)
    assert found_in(worn(sample("dance")))[name].problem_frames > 10
