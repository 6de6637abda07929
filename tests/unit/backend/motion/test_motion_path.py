"""Keys that were kept come back to their place after the frames between them were made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.motion.path import bend_to_keys, gaps, place_by_first_key
from shared.motion.humanml.decode import decode
from shared.motion.humanml.encode import Placement, encode, features_of
from shared.motion.humanml.layout import SPEEDS, STEP, TURN
from tests.helpers.tiny_mdm import sample_features

Array = NDArray[Any]


def remade(source: Array, start: int, stop: int, seed: int = 0) -> Array:
    """The source with other frames between two keys, which lead elsewhere."""
    made = source.copy()
    made[start:stop] = sample_features("dance")[start:stop]
    made[start:stop, TURN] += 0.02
    made[start:stop, STEP] += np.random.default_rng(seed).normal(size=(stop - start, 2)) * 0.01
    return made


def kept_but(frames: int, *spans: tuple[int, int]) -> NDArray[np.bool_]:
    kept = np.ones(frames, dtype=bool)
    for start, stop in spans:
        kept[start:stop] = False
    return kept


def test_gaps_are_the_frames_between() -> None:
    assert gaps(kept_but(10, (2, 4), (7, 10))) == ((2, 4), (7, 10))
    assert gaps(kept_but(3)) == ()
    assert gaps(np.zeros(3, dtype=bool)) == ((0, 3),)


def test_keys_behind_gaps_are_where_they_were() -> None:
    source = sample_features("walk")
    kept = kept_but(len(source), (20, 40), (50, 60))
    made = remade(remade(source, 20, 40), 50, 60)
    assert np.abs(decode(made)[70] - decode(source)[70]).max() > 0.2
    bent, bends = bend_to_keys(made, source, kept)
    np.testing.assert_allclose(decode(bent)[kept], decode(source)[kept], atol=1e-9)
    np.testing.assert_array_equal(bent[kept], source[kept])
    assert [(bend.start, bend.stop) for bend in bends] == [(20, 40), (50, 60)]
    assert bends[0].turn_deg == pytest.approx(-np.degrees(2 * 20 * 0.02), abs=25.0)
    assert bends[0].shift_m > 0.02


def test_a_bent_gap_keeps_its_poses_and_moves_smoothly() -> None:
    source = sample_features("walk")
    made = remade(source, 20, 50)
    bent, (bend,) = bend_to_keys(made, source, kept_but(len(source), (20, 50)))
    np.testing.assert_array_equal(bent[:, 3 : SPEEDS.start], made[:, 3 : SPEEDS.start])
    before, after = (np.linalg.norm(np.diff(decode(one)[:, 0], axis=0), axis=-1) for one in (made, bent))
    assert np.abs(after - before)[20:50].max() < np.pi * bend.shift_m / 30 + 1e-9  # no step takes more than its share


def test_speeds_of_a_bent_gap_are_those_of_its_places() -> None:
    source = sample_features("walk")
    bent, _ = bend_to_keys(remade(source, 20, 50), source, kept_but(len(source), (20, 50)))
    positions = decode(bent)
    ways = np.linalg.norm(np.diff(positions, axis=0), axis=-1)[20:50]
    told = np.linalg.norm(bent[20:50, SPEEDS].reshape(30, 22, 3), axis=-1)
    np.testing.assert_allclose(told, ways, atol=1e-9)


def test_a_gap_at_the_end_is_left_as_it_was_made() -> None:
    source = sample_features("walk")
    kept = kept_but(len(source), (60, len(source)))
    made = remade(source, 60, len(source))
    bent, bends = bend_to_keys(made, source, kept)
    np.testing.assert_array_equal(bent, made)
    assert bends == []
    assert place_by_first_key(bent, source, kept, Placement()) == Placement()


def test_a_gap_at_the_start_moves_the_whole_clip() -> None:
    walk = decode(sample_features("walk")) * 0.9 + [2.0, 0.1, -3.0]
    encoded = encode(walk, continued=True)
    source = encoded.features
    kept = kept_but(len(source), (0, 15), (30, 40))
    made = remade(remade(source, 0, 15), 30, 40)
    bent, _ = bend_to_keys(made, source, kept)
    place = place_by_first_key(bent, source, kept, encoded.placement)
    np.testing.assert_allclose(place.back(decode(bent))[kept], encoded.placement.back(decode(source))[kept], atol=1e-9)


def test_where_nothing_is_wrong_nothing_is_bent() -> None:
    source = features_of(decode(sample_features("walk")))
    bent, (bend,) = bend_to_keys(source, source, kept_but(len(source), (20, 40)))
    np.testing.assert_allclose(bent, source, atol=1e-12)
    assert max(abs(bend.shift_m), abs(bend.turn_deg)) < 1e-9
