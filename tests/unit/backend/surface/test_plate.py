"""The background plate: a robust mean that no body enters, and how one goes over into the next."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.surface import plate as kernel
from backend.surface.plate import Plate, background_plate, blended_plate, share_of
from tests.reference import surface_fusion as twin

Floats = NDArray[np.float32]

SIZE = (24, 30)
FRAMES = 6


def pictures(seed: int = 0) -> Floats:
    return np.random.default_rng(seed).random((FRAMES, *SIZE, 3), np.float32)


def shares(seed: int = 1) -> list[Floats]:
    return list(np.random.default_rng(seed).uniform(0.1, 1, (FRAMES, *SIZE)).astype(np.float32))


def known(seed: int = 2) -> Plate:
    generator = np.random.default_rng(seed)
    weight = generator.uniform(0.5, 3, SIZE).astype(np.float32)
    weight[0] = 0
    return Plate(generator.random((*SIZE, 3), np.float32), weight)


def everywhere(count: int = FRAMES) -> list[Floats]:
    return [np.ones(SIZE, np.float32)] * count


@pytest.mark.parametrize("before", [None, known()])
def test_the_plate_is_that_of_the_twin(before: Plate | None) -> None:
    found = background_plate(pictures(), shares(), before)
    views = [(picture.astype(float), share.astype(float)) for picture, share in zip(pictures(), shares(), strict=True)]
    if before is not None:
        views.append((before.colour.astype(float), kernel.KEPT_WEIGHT * before.weight.astype(float)))
    sigma = kernel.SHADOW * SIZE[0]
    wanted = twin.plate([view for view, _ in views], [share for _, share in views], sigma, kernel.ROBUST, kernel.ROUNDS)
    np.testing.assert_allclose(found.colour, wanted, atol=1e-4)
    seen = sum(shares()) + (0 if before is None else before.weight)
    np.testing.assert_allclose(found.weight, seen, rtol=1e-5)


def test_a_thin_passer_by_is_outvoted() -> None:
    tall = (96, 60)  # what is finer than three pixels is no shadow
    still = np.full((FRAMES, *tall, 3), 0.3, np.float32)
    passing = still.copy()
    for frame in range(FRAMES):
        passing[frame, :, 10 + 4 * frame] = 0.9
    plate = background_plate(passing, [np.ones(tall, np.float32)] * FRAMES, None)
    plain = np.abs(passing.mean(axis=0) - still[0])
    assert np.abs(plate.colour - still[0]).max() < 0.5 * plain.max()
    assert np.abs(plate.colour - still[0])[:, -8:].max() < 1e-5


def test_pixels_of_a_body_never_enter() -> None:
    bodies = np.zeros((FRAMES, *SIZE), bool)
    for frame in range(FRAMES):
        bodies[frame, 6:18, 2 * frame : 12 + 2 * frame] = True
    still = np.tile(np.array([0.2, 0.5, 0.8], np.float32), (*SIZE, 1))
    shown = np.where(bodies[..., None], np.float32(9), still).astype(np.float32)
    plate = background_plate(shown, [share_of(np.where(body, 0, 20).astype(np.float32)) for body in bodies], None)
    assert bodies.all(axis=0).any()  # where no frame shows the background it is filled from around
    np.testing.assert_allclose(plate.colour, still, atol=1e-4)
    assert (plate.weight > 0).all() and plate.weight[12, 11] < plate.weight[0, 0] == FRAMES


def test_a_fixed_background_comes_back_round_a_body_that_moves() -> None:
    bodies = np.zeros((FRAMES, *SIZE), bool)
    for frame in range(FRAMES):
        bodies[frame, 6:18, 4 * frame : 6 + 4 * frame] = True
    row, column = np.mgrid[: SIZE[0], : SIZE[1]]
    still = np.repeat((0.5 + 0.2 * np.sin(row) * np.cos(1.7 * column))[..., None], 3, axis=2).astype(np.float32)
    shown = np.where(bodies[..., None], np.float32(0), still).astype(np.float32)
    plate = background_plate(shown, [share_of(np.where(body, 0, 20).astype(np.float32)) for body in bodies], None)
    assert np.abs(plate.colour - still).mean() < 0.02 < still.std()


def test_nothing_seen_at_all_is_a_plate_without_weight() -> None:
    plate = background_plate(pictures(), [np.zeros(SIZE, np.float32)] * FRAMES, None)
    assert np.isfinite(plate.colour).all() and not plate.weight.any()


def test_where_the_plate_has_nothing_a_frame_shows_itself() -> None:
    plate, picture = known(), pictures()[0]
    far = np.full(SIZE, 50, np.float32)
    under = plate.under(picture, np.ones(SIZE, np.float32), far)
    np.testing.assert_array_equal(under[0], picture[0])
    np.testing.assert_allclose(under[1:], plate.colour[1:], atol=1e-6)  # far from the body it has no shadow


def test_a_frame_keeps_its_own_soft_shadow_near_the_body() -> None:
    plate = Plate(np.full((*SIZE, 3), 0.6, np.float32), np.ones(SIZE, np.float32))
    shaded = plate.colour - np.float32(0.2)
    near = plate.under(shaded, np.ones(SIZE, np.float32), np.zeros(SIZE, np.float32))
    np.testing.assert_allclose(near, shaded, atol=1e-5)
    speckled = plate.colour + np.where(np.indices(SIZE).sum(axis=0) % 2, 0.2, -0.2).astype(np.float32)[..., None]
    fine = plate.under(speckled, np.ones(SIZE, np.float32), np.zeros(SIZE, np.float32))
    assert np.abs(fine - plate.colour).max() < 0.5 * 0.2


def test_shares_rise_with_the_distance_from_the_body() -> None:
    distance = np.array([[0, 0.5, 1, 2, 3, 4, 5, 6, 7, 100]], np.float32)
    found = share_of(distance)[0]
    assert found[0] == found[1] == 0  # the body itself, and its edge
    assert (found[2:] > 0).all() and (np.diff(found) >= 0).all()
    assert found[3] < 0.01 and found[-1] == 1
    assert found[5] == pytest.approx((4 - kernel.FROM_PX) / kernel.OVER_PX)


def test_what_was_known_counts_more_and_weights_add_up() -> None:
    before = Plate(np.full((*SIZE, 3), 0.2, np.float32), np.full(SIZE, 4, np.float32))
    after = background_plate(np.full((4, *SIZE, 3), 0.8, np.float32), everywhere(4), before)
    assert after.colour.max() < 0.2 + 0.6 / (1 + kernel.KEPT_WEIGHT) + 1e-5
    np.testing.assert_allclose(after.weight, 8)


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
