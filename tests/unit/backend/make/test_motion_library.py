"""The motion library: every action in every style is plausible, repeatable, and told in words of its own."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from backend.make.motion.library.action import ALL_STYLES, Action, Variation
from backend.make.motion.library.check import faults, plausibility
from backend.make.motion.library.clip import make_clip, rest_joints
from backend.make.motion.library.draw import sound_clip
from backend.make.motion.library.gait import GRAVITY
from backend.make.motion.library.stand import HOME_X_M
from backend.make.motion.library.styles import STYLES
from backend.make.motion.library.table import ACTIONS, BY_ACTION, drawn, text_of
from backend.make.motion.library.timing import FPS, minimum_jerk, rested
from shared.errors import InputError
from shared.motion.quality import measure_quality, motion_joints


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_action_is_plausible_in_every_style(action: Action) -> None:
    random = np.random.default_rng(5)
    found = {}
    for style in action.styles:
        variation = replace(drawn(action, random), style=style)
        wrong = faults(plausibility(make_clip(action, variation)), action)
        if wrong:
            found[style] = wrong
    assert not found


@pytest.mark.parametrize("name", ["walk", "run", "jump", "sidestep_left", "turn_around"])
@pytest.mark.parametrize(("speed", "amplitude"), [(0.7, 1.3), (1.4, 0.7), (1.3, 1.3)])
def test_the_ends_of_speed_and_amplitude_are_plausible_too(name: str, speed: float, amplitude: float) -> None:
    figures = plausibility(make_clip(BY_ACTION[name], Variation(speed=speed, amplitude=amplitude, seed=2)))
    assert figures.slide_cm_per_s < 2.0
    assert figures.floor_cm < 0.5
    assert figures.legs_in_legs_cm < 3.5


def test_the_checks_find_what_is_wrong() -> None:
    action = BY_ACTION["idle"]
    clip = make_clip(action, Variation())
    slid = clip.joints24 + 0.02 * np.arange(len(clip.joints24))[:, None, None] * np.array([1.0, 0.0, 0.0])
    sunk = clip.joints24 - np.array([0.0, 0.05, 0.0])
    shaken = clip.joints24 + np.random.default_rng(0).normal(0.0, 0.02, clip.joints24.shape)
    assert "slide" in faults(plausibility(replace(clip, joints24=slid)), action)[0]
    assert "floor" in faults(plausibility(replace(clip, joints24=sunk)), action)[0]
    assert any("jitter" in wrong for wrong in faults(plausibility(replace(clip, joints24=shaken)), action))
    arm_in = clip.joints24.copy()
    arm_in[:, 22] += arm_in[:, 3] - arm_in[:, 20]  # the left hand in the spine
    arm_in[:, 20] = arm_in[:, 3]
    assert any("arms" in wrong for wrong in faults(plausibility(replace(clip, joints24=arm_in)), action))


def test_a_drawn_clip_is_sound() -> None:
    random = np.random.default_rng(11)
    for name in ("run", "stagger", "gallop"):
        drawn_clip = sound_clip(BY_ACTION[name], random, 4.0)
        assert not faults(plausibility(drawn_clip.clip), BY_ACTION[name])
        assert drawn_clip.variation.seconds == 4.0


def test_the_words_of_an_action_are_its_own() -> None:
    for action in ACTIONS:
        assert len(action.phrases) >= 6, action.name
        assert len(action.held_out) >= 2, action.name
    phrases = Counter(phrase for action in ACTIONS for phrase in (*action.phrases, *action.held_out))
    assert [phrase for phrase, count in phrases.items() if count > 1] == []
    names = Counter(action.name for action in ACTIONS)
    assert max(names.values()) == 1
    assert len(ACTIONS) >= 20


def test_every_style_has_a_row_and_words() -> None:
    assert tuple(style.name for style in STYLES) == ALL_STYLES
    words = Counter(word for style in STYLES for word in style.words)
    assert max(words.values()) == 1
    random = np.random.default_rng(0)
    assert text_of("a person walks", "sad", random).startswith("a person walks ")


def test_a_variation_gives_the_same_clip_each_time_and_another_seed_another_one() -> None:
    walk = BY_ACTION["walk"]
    first, again, other = (make_clip(walk, Variation(seed=seed)).motion for seed in (4, 4, 5))
    np.testing.assert_array_equal(first.poses, again.poses)
    assert first.poses.shape != other.poses.shape or np.abs(first.poses - other.poses).max() > 0.01


def test_a_clip_is_a_motion_of_the_free_body_on_the_floor() -> None:
    clip = make_clip(BY_ACTION["walk"], Variation(), "a person walks")
    np.testing.assert_allclose(motion_joints(clip.motion, rest_joints())[:, :22], clip.joints, atol=1e-9)
    quality = measure_quality(clip.motion, rest_joints())
    assert (clip.motion.fps, clip.motion.text) == (20.0, "a person walks")
    assert quality.floor_penetration_cm < 0.1
    assert quality.foot_slide_cm_per_s < 2.0


def test_loops_fill_their_seconds_and_single_actions_wait() -> None:
    for name in ("walk", "run", "idle", "jump", "turn_left"):
        for seconds in (4.0, 7.0):
            clip = make_clip(BY_ACTION[name], Variation(seconds=seconds))
            assert len(clip.joints) / FPS == pytest.approx(seconds, abs=0.9), name


def test_a_mirrored_clip_is_the_clip_in_a_mirror() -> None:
    plain, mirrored = (make_clip(BY_ACTION["walk_curve"], Variation(mirrored=side)).joints for side in (False, True))
    swapped = [0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20]
    np.testing.assert_allclose(mirrored, plain[:, swapped] * np.array([-1.0, 1.0, 1.0]), atol=0.02)


@pytest.mark.parametrize(
    ("name", "axis", "least", "most"),
    [
        ("walk", 2, 1.5, 6.0), ("walk_backward", 2, -4.0, -0.8), ("sidestep_left", 0, 0.6, 3.0),
        ("sidestep_right", 0, -3.0, -0.6), ("run", 2, 4.0, 12.0), ("jump", 2, -0.1, 0.1), ("jump_forward", 2, 0.6, 2.0),
        ("climb_stairs", 1, 0.5, 2.5),
    ],
)  # fmt: skip
def test_actions_go_where_their_words_say(name: str, axis: int, least: float, most: float) -> None:
    pelvis = make_clip(BY_ACTION[name], Variation(seed=1)).joints[:, 0]
    assert least < pelvis[-1, axis] - pelvis[0, axis] < most


@pytest.mark.parametrize(("name", "degrees"), [("turn_left", 90.0), ("turn_right", -90.0), ("turn_around", 180.0)])
def test_turns_turn(name: str, degrees: float) -> None:
    turn = make_clip(BY_ACTION[name], Variation(seed=1)).controls.pelvis_turn[:, 0]
    assert turn[-1] - turn[0] == pytest.approx(degrees, abs=15.0)


def test_a_jump_falls_as_gravity_has_it_at_every_speed() -> None:
    for speed in (0.8, 1.25):
        clip = make_clip(BY_ACTION["jump"], Variation(speed=speed))
        flying = clip.joints[:, [7, 8, 10, 11], 1].min(axis=1) > 0.06
        fall = np.diff(clip.controls.pelvis[:, 1], n=2)[flying[1:-1]] * FPS**2
        assert np.median(fall) == pytest.approx(-GRAVITY, rel=0.12)


def test_feet_start_and_end_at_home_in_standing_actions() -> None:
    for action in ACTIONS:
        controls = action.controls(Variation())
        left, right = controls.left_foot.place, controls.right_foot.place
        if action.start == "stand":
            np.testing.assert_allclose(left[0] - right[0], [2 * HOME_X_M, 0.0, 0.0], atol=1e-6, err_msg=action.name)
        if action.end == "stand":
            assert np.linalg.norm(left[-1] - right[-1]) == pytest.approx(2 * HOME_X_M, abs=1e-3), action.name


def test_bad_variations_are_refused_in_one_sentence() -> None:
    with pytest.raises(InputError, match="no style 'jolly'"):
        Variation(style="jolly")
    with pytest.raises(InputError, match=r"speed 3.0 is not in 0.7 to 1.4"):
        Variation(speed=3.0)
    with pytest.raises(InputError, match="0.1 s cannot be made"):
        Variation(seconds=0.1)


def test_keys_rest_and_are_met() -> None:
    times = np.linspace(0.0, 2.0, 201)
    values = rested(times, {0.0: 1.0, 1.0: 3.0, 2.0: 2.0})
    assert values[[0, 100, 200]] == pytest.approx([1.0, 3.0, 2.0])
    assert np.abs(np.diff(values)[[0, 99, 100, 199]]).max() < 1e-4
    assert minimum_jerk(0.5) == pytest.approx(0.5)
