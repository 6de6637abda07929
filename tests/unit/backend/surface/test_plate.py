"""The background plate: a robust mean that no body enters, and how one goes over into the next."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.surface import plate as kernel
from backend.surface.plate import Plate, background_plate, blended_plate, share_of
from tests.reference import surface_fusion as twin

Floats = NDArray[np.float32]

SIZE = (7, 9)
FRAMES = 6


def pictures(seed: int = 0) -> Floats:
    return np.random.default_rng(seed).random((FRAMES, *SIZE, 3), np.float32)


def shares(seed: int = 1) -> list[Floats]:
    return list(np.random.default_rng(seed).random((FRAMES, *SIZE), np.float32))


def known(seed: int = 2) -> Plate:
    generator = np.random.default_rng(seed)
    weight = 3 * generator.random(SIZE, np.float32)
    weight[0] = 0
    return Plate(generator.random((*SIZE, 3), np.float32), weight)


@pytest.mark.parametrize("before", [None, known()])
def test_the_plate_is_the_robust_mean_of_the_twin(before: Plate | None) -> None:
    found = background_plate(pictures(), shares(), before)
    for y, x in np.ndindex(SIZE):
        held = None
        if before is not None:
            held = before.colour[y, x].astype(float), kernel.KEPT_WEIGHT * float(before.weight[y, x])
        wanted = twin.robust_mean(
            [picture[y, x].astype(float) for picture in pictures()],
            [float(share[y, x]) for share in shares()],
            kernel.ROBUST,
            kernel.ROUNDS,
            held,
        )
        np.testing.assert_allclose(found.colour[y, x], wanted, atol=2e-5)


def test_a_passer_by_is_outvoted() -> None:
    still = np.tile(pictures()[:1], (FRAMES, 1, 1, 1))
    passing = still.copy()
    for frame in range(FRAMES):
        passing[frame, :, frame] = 1 - np.round(still[frame, :, frame])
    plate = background_plate(passing, [np.ones(SIZE, np.float32)] * FRAMES, None)
    plain = np.abs(passing.mean(axis=0) - still[0])
    assert plain.max() > 0.1
    assert np.abs(plate.colour - still[0]).max() < 0.35 * plain.max()
    np.testing.assert_allclose(plate.colour[:, FRAMES:], still[0, :, FRAMES:], atol=1e-6)


def test_pixels_of_a_body_never_enter() -> None:
    bodies = np.random.default_rng(3).random((FRAMES, *SIZE)) < 0.6
    distance = np.where(bodies, 0, 20).astype(np.float32)
    still = pictures()[0]
    shown = np.where(bodies[..., None], np.float32(9), still)
    plate = background_plate(shown.astype(np.float32), [share_of(one) for one in distance], None)
    seen = ~bodies.all(axis=0)
    assert 0 < (~seen).sum() < seen.sum()
    np.testing.assert_allclose(plate.colour[seen], still[seen], atol=1e-5)
    assert not plate.weight[~seen].any() and (plate.weight[seen] > 0).all()


def test_where_the_plate_has_nothing_a_frame_shows_itself() -> None:
    plate = known()
    under = plate.under(pictures()[0])
    np.testing.assert_array_equal(under[0], pictures()[0][0])
    np.testing.assert_array_equal(under[1:], plate.colour[1:])


def test_shares_rise_with_the_distance_from_the_body() -> None:
    distance = np.array([[0, 0.5, 1, 2, 3, 4, 5, 6, 7, 100]], np.float32)
    found = share_of(distance)[0]
    assert found[0] == found[1] == 0  # the body itself, and its edge
    assert (found[2:] > 0).all() and (np.diff(found) >= 0).all()
    assert found[3] < 0.01 and found[-1] == 1
    assert found[5] == pytest.approx((4 - kernel.FROM_PX) / kernel.OVER_PX)


def test_what_was_known_counts_more_and_weights_add_up() -> None:
    before = Plate(np.full((*SIZE, 3), 0.2, np.float32), np.full(SIZE, 4, np.float32))
    after = background_plate(np.full((4, *SIZE, 3), 0.8, np.float32), [np.ones(SIZE, np.float32)] * 4, before)
    # Eight times as much before any doubt, and by its distance of .6 what is new is doubted too.
    assert after.colour.max() < 0.2 + 0.6 / (1 + kernel.KEPT_WEIGHT)
    assert (after.weight > before.weight).all() and (after.weight <= 8 + 1e-4).all()


def test_plates_blend_and_what_was_unknown_is_the_next_ones() -> None:
    before, after = known(), background_plate(pictures(), shares(), known())
    found = blended_plate(before, after, 0.25)
    np.testing.assert_allclose(found.colour[0], after.colour[0], atol=1e-6)
    np.testing.assert_allclose(found.colour[1:], 0.75 * before.colour[1:] + 0.25 * after.colour[1:], atol=1e-6)
    np.testing.assert_allclose(blended_plate(before, after, 1).colour, after.colour, atol=1e-6)
    np.testing.assert_array_equal(found.weight, after.weight)


def test_a_plate_goes_through_its_arrays_in_half_precision() -> None:
    again = Plate.from_arrays(known().arrays("plate."), "plate.")
    np.testing.assert_allclose(again.colour, known().colour, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(again.weight, known().weight, rtol=1e-3)
    assert ((again.weight == 0) == (known().weight == 0)).all()
