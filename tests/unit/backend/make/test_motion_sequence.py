"""Several actions one after the other: nobody slides or jumps between them, whoever walks runs on in stride."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.make.motion.library.action import Action, Variation
from backend.make.motion.library.check import plausibility
from backend.make.motion.library.edits import placed
from backend.make.motion.library.sequence import in_sequence
from backend.make.motion.library.stand import standing
from backend.make.motion.library.table import BY_ACTION
from backend.make.motion.library.timing import FPS
from backend.make.motion.puppet import Controls
from shared.errors import InputError


def plain(*names: str, seed: int = 3) -> list[tuple[Action, Variation]]:
    return [(BY_ACTION[name], Variation(seed=seed)) for name in names]


@pytest.mark.parametrize(
    "names",
    [
        ("walk", "jump"), ("walk", "run"), ("run", "jump_forward", "walk"), ("walk", "turn_left", "walk_curve"),
        ("turn_around", "walk_backward"), ("skip", "idle", "hop"), ("climb_stairs", "walk"),
    ],
)  # fmt: skip
def test_a_sequence_is_as_plausible_as_its_parts(names: tuple[str, ...]) -> None:
    sequence = in_sequence(plain(*names))
    figures = plausibility(sequence.clip)
    assert figures.slide_cm_per_s < 2.0
    assert figures.floor_cm < 0.5
    assert figures.legs_in_legs_cm < 3.5
    assert figures.jitter_m_per_s3 < 310.0
    assert figures.fastest_m_per_s < 13.0
    parts = sequence.parts
    assert [part.action.name for part in parts] == list(names)
    assert parts[0].start == 0
    assert parts[-1].end == len(sequence.clip.joints)
    assert all(a.end == b.start < b.end for a, b in zip(parts, parts[1:], strict=False))


def test_whoever_walks_runs_on_without_a_stop() -> None:
    sequence = in_sequence(plain("walk", "run"))
    speed = np.linalg.norm(np.diff(sequence.clip.joints[:, 0][:, [0, 2]], axis=0), axis=1) * FPS
    cut = sequence.parts[1].start
    assert speed[cut - 8 : cut + 8].min() > 0.7


def test_a_second_action_goes_on_from_where_the_first_one_faces() -> None:
    sequence = in_sequence(plain("turn_left", "walk"))
    start, end = (sequence.clip.joints[frame, 0] for frame in (0, -1))
    assert end[0] - start[0] > 1.0  # to the left
    assert abs(end[2] - start[2]) < 0.7


def test_who_must_stand_elsewhere_steps_there() -> None:
    def wide(variation: Variation) -> Controls:
        controls = standing(30)
        ahead = controls.left_foot.place + np.array([0.08, 0.0, 0.15])
        return replace(controls, left_foot=replace(controls.left_foot, place=ahead))

    stance = replace(BY_ACTION["idle"], name="wide stance", controls=wide, loops=False)
    sequence = in_sequence([*plain("idle"), (stance, Variation())])
    assert plausibility(sequence.clip).slide_cm_per_s < 2.0
    cut = sequence.parts[1].start
    lift = sequence.clip.controls.left_foot.place[cut - 8 : cut + 8, 1]
    assert lift.max() > 0.03


def test_a_motion_put_elsewhere_keeps_its_shape() -> None:
    controls = standing(3)
    there = placed(controls, controls.left_foot.place[0], np.array([1.0, 0.2, 3.0]), 90.0)
    np.testing.assert_allclose(there.left_foot.place[0], [1.0, 0.2, 3.0])
    apart = np.linalg.norm(there.left_foot.place - there.right_foot.place, axis=1)
    np.testing.assert_allclose(apart, np.linalg.norm(controls.left_foot.place - controls.right_foot.place, axis=1))
    assert there.pelvis_turn[0, 0] - controls.pelvis_turn[0, 0] == pytest.approx(90.0)


def test_a_sequence_without_actions_or_with_no_way_between_is_refused() -> None:
    with pytest.raises(InputError, match="no actions"):
        in_sequence([])
    nowhere = replace(BY_ACTION["idle"], start="floor")
    stuck = replace(BY_ACTION["idle"], end="kneeling")
    with pytest.raises(InputError, match="leads from kneeling to floor"):
        in_sequence([(stuck, Variation()), (nowhere, Variation())])
