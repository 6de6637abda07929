"""What is measured of the embedded motion model: feet, jitter, and what the table says."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.make.motion.library.action import Variation
from backend.make.motion.library.clip import make_clip
from backend.make.motion.library.table import BY_ACTION
from backend.measure.motion.measure import TextResult
from backend.measure.motion.physics import Physics, mean_of, physics_of
from backend.measure.motion.sheet import contact_sheet
from backend.measure.motion.summary import summary_of, table_of

Array = NDArray[np.float64]

RESULTS = (
    TextResult("a person waves", "wave", "wave", "wave", Physics(1.0, 20.0, 0.0)),
    TextResult("somebody waves", "wave", "wave", "bow", Physics(3.0, 40.0, 1.0)),
    TextResult("a person kicks", "kick", "kick", "kick", Physics(2.0, 30.0, 0.5)),
    TextResult("a person moonwalks", "walk", "", "", None),
)


def standing(frames: int = 30) -> Array:
    """A person who stands still; the balls of the feet are on the floor."""
    joints = np.array(make_clip(BY_ACTION["idle"], Variation(seed=1)).joints[:1])
    return np.repeat(joints, frames, axis=0)


def test_a_still_person_neither_slides_nor_shakes() -> None:
    found = physics_of(standing())
    assert (found.slide_cm_per_s, found.jitter_m_per_s3) == (0.0, 0.0)
    assert found.floor_cm < 1e-9


def test_the_slide_is_the_speed_of_a_foot_on_the_floor() -> None:
    joints = standing()
    joints[..., 0] += np.arange(30)[:, None] * 0.005  # 10 cm a second
    assert physics_of(joints).slide_cm_per_s == pytest.approx(10.0)


def test_a_foot_in_the_air_does_not_slide() -> None:
    joints = standing()
    joints[..., 0] += np.arange(30)[:, None] * 0.005
    joints[..., 1] += 0.2
    assert physics_of(joints).slide_cm_per_s == 0.0


def test_jitter_is_the_jerk_of_the_joints() -> None:
    joints = standing()
    joints[..., 0] += (np.arange(30)[:, None] / 20.0) ** 3  # t^3 has the third derivative 6
    assert physics_of(joints).jitter_m_per_s3 == pytest.approx(6.0)


def test_a_foot_below_the_floor_is_measured() -> None:
    joints = standing()
    joints[3, :, 1] -= 0.02
    assert physics_of(joints).floor_cm == pytest.approx(2.0, abs=0.2)


def test_shares_count_refused_texts_as_wrong() -> None:
    summary = summary_of(RESULTS, 0.97, [Physics(0.5, 25.0, 0.0)])
    assert (summary.read, summary.seen) == (0.75, 0.5)
    assert summary.seen_where_read == pytest.approx(2 / 3)
    assert summary.made == mean_of([Physics(1.0, 20.0, 0.0), Physics(3.0, 40.0, 1.0), Physics(2.0, 30.0, 0.5)])
    assert summary.worst == (("walk", 0, 1), ("wave", 1, 2))


def test_the_table_sets_the_figures_beside_their_goals() -> None:
    table = table_of(summary_of(RESULTS, 0.97, [Physics(0.5, 25.0, 0.0)]))
    assert "| foot slide | 2.00 cm/s | under 2 cm/s |" in table
    assert "25.0, the library's" in table
    assert "walk (0 of 1), wave (1 of 2)" in table


def test_each_motion_has_a_row_of_the_sheet() -> None:
    one, two = (
        contact_sheet([("stands", standing())]),
        contact_sheet([("stands", standing()), ("手を振る", standing())]),
    )
    assert two.height == 2 * one.height
    assert np.asarray(one).min() < 100
