"""A body put back into its picture: the formula at the silhouette, and nothing touched beside it."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
from numpy.typing import NDArray

from backend.surface.composite import composite, covered
from backend.surface.shot_surface import Seen, ShotSurface
from tests.helpers.painted_bodies import turning_ball

Floats = NDArray[np.float32]


@cache
def surface() -> ShotSurface:
    return turning_ball(2)


def seen() -> Seen:
    return surface().segment(range(2)).frames[0]


def picture(seed: int = 0) -> Floats:
    return np.random.default_rng(seed).random((*surface().passes.size, 3), np.float32)


def body(seed: int = 1) -> Floats:
    return np.random.default_rng(seed).random((len(seen().view.pixel), 3), np.float32)


def everywhere() -> NDArray[np.bool_]:
    return np.ones(len(seen().view.pixel), bool)


def test_each_pixel_mixes_its_colour_with_the_nearest_pixel_beside_the_body() -> None:
    background, colours, view = picture(), body(), seen().view
    found = composite(seen(), colours, everywhere(), background)
    mask = covered(seen(), background.shape[:2])
    outside = np.argwhere(~mask)
    partial = np.flatnonzero((view.alpha > 0) & (view.alpha < 1))
    assert len(partial) > 40
    for row in partial:
        place = np.array(divmod(int(view.pixel[row]), mask.shape[1]))
        distance = np.linalg.norm(outside - place, axis=1)
        near = outside[distance == distance.min()]
        wanted = [view.alpha[row] * colours[row] + (1 - view.alpha[row]) * background[y, x] for y, x in near]
        assert min(np.abs(found[tuple(place)] - one).max() for one in wanted) < 1e-6


def test_whole_pixels_are_the_bodys_and_those_beside_it_the_backgrounds() -> None:
    background, colours, view = picture(), body(), seen().view
    found = composite(seen(), colours, everywhere(), background)
    whole = view.alpha == 1
    np.testing.assert_array_equal(found.reshape(-1, 3)[view.pixel[whole]], colours[whole])
    mask = covered(seen(), background.shape[:2])
    assert found[~mask].tobytes() == background[~mask].tobytes()
    assert found.dtype == np.float32 and 0.3 < mask.mean() < 0.6


def test_the_background_itself_is_left_as_it_was() -> None:
    background = picture()
    composite(seen(), body(), everywhere(), background)
    np.testing.assert_array_equal(background, picture())


def test_a_pixel_without_colours_stays_the_backgrounds() -> None:
    background, drawn = picture(), np.arange(len(seen().view.pixel)) % 3 > 0
    found = composite(seen(), body(), drawn, background).reshape(-1, 3)
    pixel = seen().view.pixel
    np.testing.assert_array_equal(found[pixel[~drawn]], background.reshape(-1, 3)[pixel[~drawn]])
    whole = drawn & (seen().view.alpha == 1)
    np.testing.assert_array_equal(found[pixel[whole]], body()[whole])
    np.testing.assert_array_equal(composite(seen(), body(), np.zeros_like(drawn), background), background)


def test_no_light_of_the_drawn_body_shines_through_its_edge() -> None:
    """Behind an edge lies the picture beside the body, never what the picture itself had at the edge."""
    background = picture()
    mask = covered(seen(), background.shape[:2])
    glaring = np.where(mask[..., None], np.float32(50), background)
    np.testing.assert_array_equal(
        composite(seen(), body(), everywhere(), glaring), composite(seen(), body(), everywhere(), background)
    )


def test_a_body_that_fills_the_picture_hides_all_of_it() -> None:
    view = seen().view
    count = view.height * view.width
    full = dataclasses.replace(view, pixel=np.arange(count), alpha=np.full(count, 0.5, np.float32))
    colours = np.ones((count, 3), np.float32)
    found = composite(dataclasses.replace(seen(), view=full), colours, np.ones(count, bool), picture())
    np.testing.assert_allclose(found, 0.5 + 0.5 * picture(), atol=1e-6)
