"""New frames between frames that stay."""

from __future__ import annotations

import numpy as np
import pytest

from shared.errors import InputError
from shared.motion import SMPLMotion
from shared.motion.filling import Gap, filled, with_upper_body
from shared.motion.skeleton import JOINT_INDEX

FRAMES = 30


def motion(angle: float, height_m: float, frames: int = FRAMES) -> SMPLMotion:
    poses = np.zeros((frames, 24, 3))
    poses[..., 0] = angle
    return SMPLMotion(poses, np.full((frames, 3), height_m), np.zeros(10), 20.0)


def test_frames_that_stay_have_the_very_numbers_of_before() -> None:
    seen = filled(motion(0.1, 0.3), motion(0.9, 0.5), Gap(9, 20, FRAMES))
    stays = [*range(0, 10), *range(20, FRAMES)]
    assert (seen.poses[stays] == motion(0.1, 0.3).poses[stays]).all()
    assert (seen.root[stays] == motion(0.1, 0.3).root[stays]).all()


def test_new_frames_are_led_in_and_out() -> None:
    root = filled(motion(0.1, 0.0), motion(0.9, 1.0), Gap(9, 20, FRAMES)).root[:, 0]
    assert root[14] == root[15] == 1.0
    assert 0.0 < root[10] < root[11] < root[12] < 1.0
    assert np.allclose(root[10:20], root[10:20][::-1])


def test_without_a_frame_after_it_the_motion_goes_on_to_its_end() -> None:
    root = filled(motion(0.1, 0.0), motion(0.9, 1.0), Gap(9, None, FRAMES)).root[:, 0]
    assert root[9] == 0.0 and root[-1] == 1.0
    assert filled(motion(0.1, 0.0), motion(0.9, 1.0), Gap(None, 9, FRAMES)).root[0, 0] == 1.0


def test_a_shorter_motion_is_held() -> None:
    assert filled(motion(0.1, 0.0), motion(0.9, 1.0, 12), Gap(9, 29, FRAMES)).root[20, 0] == 1.0


def test_an_upper_body_leaves_legs_and_path() -> None:
    changed = with_upper_body(motion(0.1, 0.0), motion(0.9, 1.0))
    assert (changed.root == 0.0).all()
    legs = [JOINT_INDEX[name] for name in ("pelvis", "left_hip", "right_knee", "left_ankle", "right_foot")]
    assert (changed.poses[:, legs, 0] == 0.1).all()
    assert np.allclose(changed.poses[:, JOINT_INDEX["left_wrist"], 0], 0.9)
    assert np.allclose(changed.poses[:, JOINT_INDEX["spine1"], 0], 0.9)


@pytest.mark.parametrize(
    ("gap", "spans"),
    [
        (Gap(24, 48, 72), "0-20,40-59"),
        (Gap(25, 47, 72), "0-20,40-59"),  # a frame partly in the gap is new
        (Gap(24, None, 72), "0-20"),
        (Gap(None, 48, 72), "40-59"),
    ],
)
def test_kept_frames_are_told_at_the_models_rate(gap: Gap, spans: str) -> None:
    assert gap.kept_spans(24.0, 20.0, 60) == spans


@pytest.mark.parametrize(("before", "after"), [(9, 10), (10, 9), (-5, 3), (9, 40), (29, None)])
def test_a_gap_needs_frames_inside_the_motion(before: int, after: int | None) -> None:
    with pytest.raises(InputError, match="no frames to fill"):
        Gap(before, after, FRAMES)
