"""Motions of any length, and changed motions, with small models of random weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from backend.contract.motion_model import MotionAsk, MotionModel
from backend.models.mdm.model import MDMModel
from backend.motion.edits import EditedClip, keep
from backend.motion.generate import Watch, make_motion
from backend.motion.windows import Clause
from shared.errors import CancelledError
from shared.motion.humanml.decode import decode
from shared.motion.humanml.encode import encode
from shared.motion.humanml.layout import LOWER_BODY, SPEEDS
from tests.helpers.tiny_mdm import sample_features

Array = NDArray[Any]


def clip_of(model: MotionModel, name: str = "walk") -> EditedClip:
    """A sample motion that stands somewhere in a scene."""
    placed = decode(sample_features(name)) @ np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]) + [1, 0, 2]
    encoded = encode(placed, continued=True)
    return EditedClip(model.statistics.normalised(encoded.features), encoded.placement)


def test_a_short_motion_is_one_call_of_the_model(mdm: MDMModel) -> None:
    made = make_motion(mdm, [Clause("a red robot", 0, 30)], seed=3, guidance_scale=2.0)
    alone = mdm.generate(MotionAsk("a red robot", 30, 2.0), torch.Generator().manual_seed(3), lambda _done: None)
    np.testing.assert_array_equal(made.features, alone)
    np.testing.assert_allclose(made.positions, decode(mdm.statistics.restored(alone)))
    np.testing.assert_array_equal(
        make_motion(mdm, [Clause("a red robot", 0, 30)], seed=3).features,
        make_motion(mdm, [Clause("a red robot", 0, 30)], seed=3, guidance_scale=2.5).features,
    )


@pytest.mark.parametrize("name", ["mdm", "dip"])
def test_a_long_motion_goes_on_from_window_to_window(name: str, request: pytest.FixtureRequest) -> None:
    model: MDMModel = request.getfixturevalue(name)
    clauses = [Clause("a red robot", 0, 50), Clause("dancing", 50, 250)]
    made = make_motion(model, clauses)
    assert made.features.shape == (250, 263)
    assert made.positions.shape == (250, 22, 3)
    assert np.isfinite(made.positions).all()
    np.testing.assert_array_equal(made.features, make_motion(model, clauses).features)
    # The first text's frames do not depend on the second text.
    other = make_motion(model, [clauses[0], Clause("on the moon", 50, 250)])
    np.testing.assert_array_equal(other.features[:50], made.features[:50])
    assert np.abs(other.features[50:] - made.features[50:]).max() > 1e-4


def test_kept_frames_come_back_bit_for_bit_and_where_they_were(mdm: MDMModel) -> None:
    clip = clip_of(mdm)
    frames = len(clip.features)
    known = keep(clip, frames, ((0, 20), (60, frames - 1)))
    made = make_motion(mdm, [Clause("a red robot", 0, frames)], known=known, source=clip)
    np.testing.assert_array_equal(made.features[known.mask], clip.features[known.mask])
    before = clip.placement.back(decode(mdm.statistics.restored(clip.features)))
    kept = known.mask.all(axis=1)
    # What is left of the distance is the rounding of the features to float32.
    np.testing.assert_allclose(made.positions[kept], before[kept], atol=1e-4)
    assert np.abs(made.positions[~kept] - before[~kept]).max() > 0.02
    assert "Frames 21 to 59 were moved by up to" in made.notes[0]


def test_a_clip_is_continued_from_its_end(mdm: MDMModel) -> None:
    clip = clip_of(mdm)
    known = keep(clip, 250, ((0, 69),))
    made = make_motion(mdm, [Clause("a red robot", 0, 250)], known=known, source=clip)
    np.testing.assert_array_equal(made.features[:70], clip.features[:70])
    assert made.notes == ()
    before = clip.placement.back(decode(mdm.statistics.restored(clip.features)))
    np.testing.assert_allclose(made.positions[:70], before[:70], atol=1e-9)


def test_a_new_beginning_leads_to_the_kept_end(mdm: MDMModel) -> None:
    clip = clip_of(mdm)
    frames = len(clip.features)
    made = make_motion(
        mdm,
        [Clause("a", 0, frames)],
        known=keep(clip, frames, ((40, frames - 1),)),
        source=clip,
    )
    before = clip.placement.back(decode(mdm.statistics.restored(clip.features)))
    np.testing.assert_allclose(made.positions[40:], before[40:], atol=1e-4)


@pytest.mark.parametrize("name", ["mdm", "dip"])
def test_legs_and_path_stay_under_a_new_upper_body(name: str, request: pytest.FixtureRequest) -> None:
    model: MDMModel = request.getfixturevalue(name)
    clip = clip_of(model)
    frames = len(clip.features)
    made = make_motion(model, [Clause("a", 0, frames)], known=keep(clip, frames, lower_body=True), source=clip)
    np.testing.assert_array_equal(made.features[:, LOWER_BODY], clip.features[:, LOWER_BODY])
    before = clip.placement.back(decode(model.statistics.restored(clip.features)))
    legs = [0, 1, 2, 4, 5, 7, 8, 10, 11]
    np.testing.assert_allclose(made.positions[:, legs], before[:, legs], atol=1e-9)
    assert np.abs(made.positions[:, 20] - before[:, 20]).max() > 0.05
    assert made.notes == ()


def test_speeds_of_new_frames_between_keys_fit_their_places(mdm: MDMModel) -> None:
    clip = clip_of(mdm)
    frames = len(clip.features)
    known = keep(clip, frames, ((0, 20), (60, frames - 1)))
    made = make_motion(mdm, [Clause("a", 0, frames)], known=known, source=clip)
    whole = mdm.statistics.restored(made.features)
    ways = np.linalg.norm(np.diff(decode(whole), axis=0), axis=-1)[21:60]
    told = np.linalg.norm(whole[21:60, SPEEDS].reshape(39, 22, 3), axis=-1)
    np.testing.assert_allclose(told, ways, atol=1e-4)


def test_progress_counts_the_steps_of_all_windows(mdm: MDMModel) -> None:
    heard: list[tuple[int, int]] = []
    make_motion(
        mdm, [Clause("a", 0, 30), Clause("red", 30, 60)], watch=Watch(lambda done, steps: heard.append((done, steps)))
    )
    assert heard == [(done, 8) for done in range(1, 9)]


def test_a_motion_can_be_stopped_at_any_step(mdm: MDMModel) -> None:
    heard: list[int] = []
    with pytest.raises(CancelledError):
        make_motion(
            mdm, [Clause("a", 0, 30)], watch=Watch(lambda done, _steps: heard.append(done), lambda: len(heard) == 2)
        )
    assert heard == [1, 2]
