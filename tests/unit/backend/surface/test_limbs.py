"""Limbs in the picture: a limb that is turned and scaled there gives exactly that similarity, for each character."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.passes.shot_passes import ShotPasses
from backend.surface.limbs import LIMB_OF_PART, LIMBS, limb_motion, limb_of_vertices
from shared.body.model import PART_NAMES
from tests.helpers.surface_bodies import DISTANCE, FOCAL, joined, sheet, shown

HEAD, TORSO = 23, 1
PLATE = sheet(4, 3, 0.5, 0.3)


def moved(vertices: NDArray[Any], turn: complex, shift: complex) -> NDArray[Any]:
    """A sheet before the camera, turned, scaled and moved in its own plane; y is down in the picture, Z up."""
    place = (vertices[:, 0] - 1j * vertices[:, 2]) * turn + shift
    return np.stack([place.real, vertices[:, 1], -place.imag], axis=1)


TURNS = (1 + 0j, 1.2 * np.exp(0.4j), 0.7 * np.exp(-0.9j))
SHIFTS = (0.1 + 0.2j, -0.1 + 0.1j, 0.05j)


@cache
def one() -> ShotPasses:
    """A head that turns, grows and moves over a torso that stands still."""
    frames = [
        np.concatenate([moved(PLATE[0], turn, shift - 0.3j), PLATE[0] + (0, 0, -0.3)])
        for turn, shift in zip(TURNS, SHIFTS, strict=True)
    ]
    faces = joined(PLATE, PLATE)[1]
    part = np.repeat([HEAD, TORSO], len(PLATE[1]))
    return shown(frames, faces, part=part)


@cache
def two() -> ShotPasses:
    """Two heads that turn against each other, a character each."""
    frames = [
        np.concatenate([moved(PLATE[0], turn, shift), moved(PLATE[0], turn.conjugate(), -shift)])
        for turn, shift in zip(TURNS, SHIFTS, strict=True)
    ]
    count = len(PLATE[0])
    return shown(frames, joined(PLATE, PLATE)[1], counts=(count, count), part=np.full(2 * len(PLATE[1]), HEAD))


def test_a_limb_gives_exactly_the_similarity_that_it_was_moved_by() -> None:
    motion = limb_motion(one(), range(3))
    head = int(LIMB_OF_PART[HEAD])
    for source in range(3):
        for target in range(3):
            wanted = TURNS[target] / TURNS[source]
            np.testing.assert_allclose(motion.turn[head, source, target], wanted, atol=1e-6)
            np.testing.assert_allclose(motion.fit[head, source, target], 1, atol=1e-9)
    np.testing.assert_allclose(motion.turn[LIMB_OF_PART[TORSO]], 1, atol=1e-6)


def test_places_beside_a_limb_go_with_it() -> None:
    motion = limb_motion(one(), range(3))
    scale = FOCAL / DISTANCE
    middle = 24 + 18j
    beside = np.array([0.4 + 0.3j, -0.5 - 0.1j])  # on the sheet's plane, metres, off the sheet
    limb = np.full(2, LIMB_OF_PART[HEAD])
    for source, target in ((0, 1), (1, 2), (2, 0)):
        at = [middle + scale * (beside * TURNS[k] + SHIFTS[k] - 0.3j) for k in (source, target)]
        np.testing.assert_allclose(motion.carried(limb, at[0], source, target), at[1], atol=1e-4)


def test_each_character_has_limbs_of_its_own() -> None:
    motion = limb_motion(two(), range(3))
    head = int(LIMB_OF_PART[HEAD])
    assert motion.centre.shape == (2 * LIMBS, 3)
    np.testing.assert_allclose(motion.turn[head, 0], np.array(TURNS) / TURNS[0], atol=1e-6)
    np.testing.assert_allclose(motion.turn[LIMBS + head, 0], np.conj(np.array(TURNS) / TURNS[0]), atol=1e-6)
    limb = limb_of_vertices(two())
    assert limb.tolist() == [head] * len(PLATE[0]) + [LIMBS + head] * len(PLATE[0])


def test_a_limb_that_is_turned_away_is_explained_less() -> None:
    """Of a sheet that turns about the upright axis its height stays and its width shrinks: no similarity of it."""
    vertices, faces = PLATE
    narrow = vertices * (0.3, 1, 1)
    motion = limb_motion(shown([vertices, narrow], faces, part=np.full(len(faces), HEAD)), range(2))
    head = int(LIMB_OF_PART[HEAD])
    assert motion.fit[head, 0, 0] > 1 - 1e-9
    centred = vertices - vertices.mean(axis=0)
    wide, high = (centred[:, 0] ** 2).sum(), (centred[:, 2] ** 2).sum()
    wanted = (0.3 * wide + high) ** 2 / ((wide + high) * (0.09 * wide + high))
    np.testing.assert_allclose(motion.fit[head, 0, 1], wanted, atol=1e-6)
    np.testing.assert_allclose(motion.turn[head, 0, 1], (0.3 * wide + high) / (wide + high), atol=1e-6)


def test_a_limb_that_is_not_there_stays_where_it_is() -> None:
    motion = limb_motion(one(), range(3))
    missing = np.setdiff1d(np.arange(LIMBS), LIMB_OF_PART[[HEAD, TORSO]])
    np.testing.assert_array_equal(motion.turn[missing], 1)
    np.testing.assert_array_equal(motion.fit[missing], 0)
    place = np.array([3 + 4j])
    np.testing.assert_array_equal(motion.carried(missing[:1], place, 0, 2), place)


def test_frames_of_a_later_segment_count_from_its_start() -> None:
    whole, later = limb_motion(one(), range(3)), limb_motion(one(), range(1, 3))
    np.testing.assert_allclose(later.turn, whole.turn[:, 1:, 1:], atol=1e-12)
    np.testing.assert_allclose(later.centre, whole.centre[:, 1:], atol=1e-12)


def test_front_and_back_of_a_limb_are_one_and_the_sides_are_apart() -> None:
    assert len(LIMB_OF_PART) == len(PART_NAMES) and LIMB_OF_PART[0] == 0
    limbs: dict[str, set[int]] = {}
    for part, name in enumerate(PART_NAMES[1:], 1):
        limb = name.removesuffix("_front").removesuffix("_back")
        limbs.setdefault("head" if limb.endswith("head") else limb, set()).add(int(LIMB_OF_PART[part]))
    assert all(len(numbers) == 1 for numbers in limbs.values())
    assert sorted(min(numbers) for numbers in limbs.values()) == list(range(1, LIMBS))
