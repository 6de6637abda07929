"""The actions on the spot: their words, and that they are plausible in every style, speed and size."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
import pytest

from backend.make.motion.library.action import Action, Variation
from backend.make.motion.library.check import Plausibility, centre_of_mass, plausibility
from backend.make.motion.library.clip import make_clip
from backend.make.motion.library.in_place import ACTIONS
from backend.make.motion.library.in_place.person import person
from backend.make.motion.library.in_place.score import Score, Step
from backend.make.motion.library.table import BY_ACTION, drawn
from shared.motion.skeleton import JOINT_INDEX

_EACH = pytest.mark.parametrize("action", ACTIONS, ids=[action.name for action in ACTIONS])
_STANDING = [action for action in ACTIONS if action.start == action.end == "stand"]
_LOOPS = [action for action in ACTIONS if action.loops]


def _measures(action: Action, clips: int) -> list[tuple[Variation, Plausibility]]:
    random = np.random.default_rng(zlib.crc32(action.name.encode()))
    variations = [Variation(), *(drawn(action, random) for _ in range(clips - 1))]
    return [(variation, plausibility(make_clip(action, variation))) for variation in variations]


@_EACH
def test_an_action_has_enough_phrases_and_others_held_out(action: Action) -> None:
    assert len(set(action.phrases)) >= 6
    assert len(set(action.held_out)) >= 3
    assert not set(action.phrases) & set(action.held_out)


def test_no_two_actions_share_a_name_or_a_phrase() -> None:
    names = [action.name for action in BY_ACTION.values()]
    phrases = [phrase for action in BY_ACTION.values() for phrase in (*action.phrases, *action.held_out)]
    assert len(names) == len(set(names)) >= 24
    assert sorted(phrases) == sorted(set(phrases))


@_EACH
def test_feet_floor_arms_and_joints_are_plausible_however_it_is_done(action: Action) -> None:
    for variation, measure in _measures(action, 4):
        assert measure.slide_cm_per_s < 2.0, variation
        assert measure.floor_cm < 2.0, variation
        assert measure.arms_in_body_cm < 4.0, variation
        assert measure.legs_in_legs_cm < 1.0, variation
        assert measure.knee_degrees[0] > 5.0 and measure.knee_degrees[1] < 150.0, variation
        assert measure.elbow_degrees[0] > 4.0 and measure.elbow_degrees[1] < 150.0, variation
        assert measure.fastest_m_per_s < 14.0, variation
        assert measure.quickest_turn < 75.0, variation


@pytest.mark.parametrize("action", _STANDING, ids=[action.name for action in _STANDING])
def test_a_standing_action_is_in_balance_and_comes_back_to_where_it_began(action: Action) -> None:
    clip = make_clip(action, Variation(seed=4))
    assert plausibility(clip).off_balance_cm < 1.0
    assert np.abs(clip.joints[0, 0, [0, 2]]).max() < 0.05
    # posture and breath may differ a little
    assert np.abs(clip.joints[-1] - clip.joints[0]).max() < 0.06


@_EACH
def test_speed_amplitude_seed_and_mirror_change_the_motion(action: Action) -> None:
    usual = make_clip(action, Variation(seed=2, seconds=None))
    quick = make_clip(action, Variation(seed=2, speed=1.3))
    other = make_clip(action, Variation(seed=3))
    mirror = make_clip(action, Variation(seed=2, mirrored=True))
    other_hand, sign = ("left_wrist", -1.0) if action.mirrors else ("right_wrist", 1.0)
    assert len(quick.joints) == pytest.approx(len(usual.joints) / 1.3, rel=0.25)
    frames = min(len(usual.joints), len(other.joints))
    assert np.abs(usual.joints[:frames] - other.joints[:frames]).max() > 0.01
    assert mirror.joints[:, JOINT_INDEX[other_hand], 0] == pytest.approx(
        sign * usual.joints[:, JOINT_INDEX["right_wrist"], 0], abs=0.02
    )


@_EACH
def test_a_style_changes_the_posture(action: Action) -> None:
    style = "sad" if "sad" in action.styles else "robot"
    usual, styled = (make_clip(action, Variation(style=name, seed=2)) for name in ("neutral", style))
    frames = min(len(usual.joints), len(styled.joints))
    assert np.abs(usual.joints[:frames] - styled.joints[:frames]).max() > 0.02


@pytest.mark.parametrize("action", _LOOPS, ids=[action.name for action in _LOOPS])
def test_a_loop_fills_about_the_seconds_it_is_given(action: Action) -> None:
    for seconds in (4.0, 9.0):
        frames = len(make_clip(action, Variation(seed=1, seconds=seconds)).joints)
        assert frames / 20.0 == pytest.approx(seconds, abs=1.5)


def test_the_weight_is_over_the_standing_foot_before_the_other_one_leaves_the_floor() -> None:
    score = Score(3.0, Variation())
    controls = person(score, right_foot=score.foot(-1.0, Step(1.2, 2.0, -0.115, 0.2, -9.0)))
    lifted = int(np.flatnonzero(controls.right_foot.place[:, 1] > 0.005)[0])
    assert controls.pelvis[0, 0] == pytest.approx(0.0, abs=0.005)
    assert controls.pelvis[lifted, 0] > 0.05  # towards the left foot at 0.115


@pytest.mark.parametrize("name", ["sit", "sit_down", "stand_up"])
def test_seated_clips_meet_on_the_chair(name: str) -> None:
    clip = make_clip(BY_ACTION[name], Variation(seed=6))
    seated = clip.joints[0 if name == "stand_up" else -1]
    reference = make_clip(BY_ACTION["sit"], Variation(seed=9)).joints[0]
    assert np.abs(seated[0] - reference[0]).max() < 0.06
    assert centre_of_mass(make_clip(BY_ACTION[name], Variation(seed=6)).joints24)[:, 1].min() > 0.4


def test_keys_are_met_and_never_overshot() -> None:
    score = Score(2.0, Variation())
    curve = score.move({0.0: 0.0, 0.5: 1.0, 1.0: 1.0, 2.0: 0.0})
    assert curve[[0, 10, 15, 20, 40]] == pytest.approx([0.0, 1.0, 1.0, 1.0, 0.0], abs=1e-9)
    assert curve.min() >= -1e-9 and curve.max() <= 1.0 + 1e-9


def test_a_wave_moves_one_hand_and_a_wave_with_both_moves_both() -> None:
    def highest(name: str, joint: str) -> float:
        clip = make_clip(BY_ACTION[name], replace(Variation(), seed=5))
        return float(clip.joints[:, JOINT_INDEX[joint], 1].max())

    head = 1.5
    assert highest("wave", "right_wrist") > head > highest("wave", "left_wrist")
    assert highest("wave_both", "right_wrist") > head and highest("wave_both", "left_wrist") > head
