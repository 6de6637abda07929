"""Many frames into one texture: known paint and light come back, outliers are outvoted, what was before stays."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.surface import fuse as kernel
from backend.surface.fuse import detail_gain, fuse, sample
from backend.surface.light import LUMINANCE, brightness
from backend.surface.shot_surface import SegmentSurface, ShotSurface
from backend.surface.texture import Texture, blended, no_light
from tests.helpers.painted_bodies import LIGHT, RADIUS, inner, pictures, plain, spots, turned, turning_ball
from tests.helpers.surface_bodies import Mesh, shown, sphere
from tests.reference import surface_fusion as twin

Floats = NDArray[np.float32]

FRAMES = range(6)
RED, BLUE = (0.7, 0.25, 0.2), (0.2, 0.3, 0.75)


@cache
def ball() -> ShotSurface:
    return turning_ball(len(FRAMES))


@cache
def segment() -> SegmentSurface:
    return ball().segment(FRAMES)


@cache
def shots() -> Floats:
    return pictures(ball())


@cache
def texture() -> Texture:
    return fuse(ball(), segment(), shots(), None, LIGHT)


def paint() -> NDArray[Any]:
    return spots(ball().mesh.rest.astype(float))


def one_colour(colour: tuple[float, float, float]) -> Floats:
    return pictures(ball(), plain(colour), no_light())


def test_known_paint_comes_back_under_a_known_light() -> None:
    good = texture().quality > 0.3
    error = np.abs(texture().colour - paint())[good]
    # The paint changes by at most 1.8 a metre, and seen this well a pixel covers less than twice its own width.
    pixel = 2 * 1.8 * ball().mesh.spacing_m
    assert good.sum() > 4000
    assert error.max() < pixel / 2
    assert error.mean() < pixel / 10
    assert np.corrcoef(texture().colour[good].ravel(), paint()[good].ravel())[0, 1] > 0.995


def test_paint_and_light_come_apart_up_to_one_factor() -> None:
    found = fuse(ball(), segment(), shots(), None, None)
    good = found.quality > 0.3
    ratio = found.colour[good] / paint()[good]
    # How bright the paint is as a whole and how bright the light is cannot be told apart.
    assert ratio.std() < 0.03 * ratio.mean()
    front = segment().frames[0].view.normal
    shade, known = brightness(found.light, front), brightness(LIGHT, front)
    assert known.std() > 0.1
    assert np.corrcoef(shade, known)[0, 1] > 0.98


def test_a_part_that_is_modelled_finely_has_no_greater_say_about_the_light() -> None:
    """A model's hands are often wrong in each frame, and a body has many triangles there."""
    vertices, faces = sphere(RADIUS, 3)
    top = vertices[faces][..., 2].mean(axis=1) > 0.36
    lights, texels = [], []
    for times in (0, 5):
        places, fine = vertices, faces[top]
        for _ in range(times):
            places, fine = quartered(places, fine)
        shots = [turned(places, 12.0 * frame) for frame in FRAMES]
        surface = ShotSurface(shown(shots, np.concatenate([faces[~top], fine]), rest=places))
        frames = pictures(surface)
        for frame, picture in enumerate(frames):
            picture[:10] *= (0.4, 1.6)[frame % 2]
        lights.append(fuse(surface, surface.segment(FRAMES), frames, None, None).light)
        texels.append(surface.texels)
    assert texels[1] > 2 * texels[0]
    assert np.abs(lights[1] - lights[0]).max() < np.abs(lights[0]).max() / 3


def quartered(vertices: NDArray[Any], faces: NDArray[Any]) -> Mesh:
    """The same flat triangles, four for each."""
    count = 3 * len(faces)
    corner = vertices[faces]
    middle = (corner + corner[:, [1, 2, 0]]).reshape(-1, 3) / 2
    ab, bc, ca = (len(vertices) + np.arange(count).reshape(-1, 3)).T
    a, b, c = faces.T
    finer = [np.stack(three, axis=1) for three in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    return np.concatenate([vertices, middle]), np.concatenate(finer)


def test_the_drawn_body_is_what_the_frames_showed() -> None:
    for seen, picture, frame in zip(segment().frames, shots(), FRAMES, strict=True):
        body, drawn = texture().drawn(seen)
        inside = inner(ball().passes, frame).reshape(-1)[seen.view.pixel]
        own = picture.reshape(-1, 3)[seen.view.pixel]
        assert drawn[inside].all() and inside.sum() > 300
        assert np.abs(body - own)[inside].mean() < 0.01 < own[inside].std()


def test_a_frame_that_differs_is_outvoted() -> None:
    mixed = one_colour(RED)
    mixed[3] = one_colour(BLUE)[3]
    found = fuse(ball(), segment(), mixed, None, no_light())
    count = np.zeros(ball().texels)
    for one in segment().frames:
        count[one.view.seen] += one.view.quality > 0.15
    well = count >= 5
    far = float(np.linalg.norm(np.subtract(RED, BLUE)))
    off = np.linalg.norm(found.colour - RED, axis=1)[well]
    assert well.sum() > 300
    # The plain mean would be off by a sixth part of it.
    assert off.max() < far / 6 and off.mean() < far / 6 / 4


def test_the_coarse_colours_are_the_robust_mean_of_the_twin() -> None:
    generator = np.random.default_rng(0)
    noisy = (shots() + generator.normal(0, 0.1, (len(FRAMES), 1, 1, 3))).astype(np.float32)
    found = fuse(ball(), segment(), noisy, None, LIGHT)
    lows, weights = [], []
    for one, picture in zip(segment().frames, noisy, strict=True):
        colours = sample(one, picture, ball().texels) / brightness(LIGHT, one.view.texel_normal)[:, None]
        values, share = np.zeros((ball().texels, 3), np.float32), np.zeros(ball().texels, np.float32)
        values[one.view.seen], share[one.view.seen] = colours, one.view.quality + kernel.FAINT
        lows.append(ball().low.smoothed(values, share)[0])
        weights.append(share)
    for texel in np.flatnonzero(found.quality > 0.1)[::97]:
        mine = [frame for frame in FRAMES if weights[frame][texel] > 0]
        wanted = twin.robust_mean(
            [lows[frame][texel].astype(float) for frame in mine],
            [float(weights[frame][texel]) - kernel.FAINT + kernel.FAINT**2 for frame in mine],
            kernel.ROBUST,
            kernel.ROUNDS,
        )
        np.testing.assert_allclose(found.low[texel], wanted, atol=1e-4)


def before_and_after() -> tuple[Texture, Texture]:
    """The texture of red frames 0 to 2, and of blue ones 3 to 5 after them; another light is fitted to neither."""
    mixed = np.concatenate([one_colour(RED)[:3], one_colour(BLUE)[3:]])
    before = fuse(ball(), ball().segment(range(3)), mixed[:3], None, no_light())
    return before, fuse(ball(), ball().segment(range(3, 6)), mixed[3:], before, before.light)


def test_colours_of_earlier_segments_persist() -> None:
    before, after = before_and_after()
    now = after.weight - before.weight
    settled = (before.quality > 0.3) & (before.weight > now)
    far = float(np.linalg.norm(np.subtract(RED, BLUE)))
    off = np.linalg.norm(after.colour - before.colour, axis=1)
    assert settled.sum() > 500 and (now[settled] > 0).any()
    assert off[settled].max() < far / (1 + kernel.KEPT_WEIGHT)
    new = (before.quality == 0) & (after.quality > 0.3)
    assert new.sum() > 100
    np.testing.assert_allclose(after.colour[new], np.tile(BLUE, (new.sum(), 1)), atol=0.02)
    np.testing.assert_array_equal(after.light, before.light)


def test_detail_of_places_that_are_seen_no_more_does_not_wear_away() -> None:
    turning = turning_ball(6, 20.0)
    shown = pictures(turning)
    first = fuse(turning, turning.segment(range(2)), shown[:2], None, LIGHT)
    texture, later = first, turning.segment(range(4, 6))
    for _ in range(4):
        texture = fuse(turning, later, shown[4:], texture, LIGHT)
    seen = np.zeros(turning.texels, bool)
    for one in later.frames:
        seen[one.view.seen] = True
    for well in ((0.1, 0.25), (0.35, 1.0)):
        gone = ~seen & (first.quality > well[0]) & (first.quality < well[1])
        before, after = ((one.colour - one.low)[gone] for one in (first, texture))
        assert gone.sum() > 200 and before.std() > 1e-3
        np.testing.assert_allclose(after, before, atol=0.02 * before.std())


def test_what_is_known_never_becomes_less() -> None:
    before, after = before_and_after()
    assert (after.quality >= before.quality).all()
    assert (after.weight >= before.weight * (1 - 1e-5)).all()
    assert (after.quality > 0).sum() > (before.quality > 0).sum()


def test_a_texel_that_nobody_sees_is_filled_from_around_or_left_unknown() -> None:
    unseen = texture().quality == 0
    filled = unseen & (texture().weight > 0)
    assert 100 < filled.sum() < unseen.sum()
    seen = texture().low[~unseen]
    assert (texture().low[filled] >= seen.min(axis=0)).all() and (texture().low[filled] <= seen.max(axis=0)).all()
    np.testing.assert_array_equal(texture().colour[filled], texture().low[filled])
    reach = ball().mesh.rest[~unseen]
    for place in ball().mesh.rest[filled][::50]:
        assert np.linalg.norm(reach - place, axis=1).min() < 0.5
    assert not texture().colour[texture().weight == 0].any()


def test_each_of_two_bodies_keeps_its_own_paint() -> None:
    pair = turning_ball(2, bodies=2)
    body = pair.mesh.body
    shown = pictures(pair, plain(RED), no_light())
    right = np.arange(shown.shape[2]) >= shown.shape[2] / 2
    shown[:, :, right] = pictures(pair, plain(BLUE), no_light())[:, :, right]
    found = fuse(pair, pair.segment(range(2)), shown, None, no_light())
    for number, colour in enumerate((RED, BLUE)):
        mine = (body == number) & (found.quality > 0.1)
        assert mine.sum() > 500
        np.testing.assert_allclose(found.colour[mine], np.tile(colour, (mine.sum(), 1)), atol=0.02)


def test_emphasis_makes_detail_stronger_and_leaves_the_rest() -> None:
    strong = fuse(ball(), segment(), shots(), None, LIGHT, 1.25)
    np.testing.assert_array_equal(strong.low, texture().low)
    np.testing.assert_allclose(strong.colour - strong.low, 1.25 * (texture().colour - texture().low), atol=1e-5)


def test_detail_is_as_sharp_as_in_the_frames_and_no_sharper_than_allowed() -> None:
    assert 1 <= detail_gain(segment(), shots(), texture()) < 1.1
    shaded = dataclasses.replace(texture(), colour=texture().low)
    blurred = dataclasses.replace(texture(), colour=np.tile(texture().low.mean(axis=0), (ball().texels, 1)))
    assert detail_gain(segment(), shots(), shaded) > detail_gain(segment(), shots(), texture())
    assert detail_gain(segment(), one_colour(RED), texture()) == 1
    assert detail_gain(segment(), shots(), dataclasses.replace(blurred, light=no_light())) == pytest.approx(
        kernel.MOST_GAIN
    )


def energy(picture: Floats, mask: NDArray[np.bool_]) -> float:
    """The sharpness of a picture inside a mask."""
    grey = np.where(mask, picture @ LUMINANCE, np.nan)
    return float(np.nansum(np.diff(grey, axis=0) ** 2) + np.nansum(np.diff(grey, axis=1) ** 2))


def test_fine_stripes_are_about_as_sharp_as_in_the_frames() -> None:
    def stripes(place: NDArray[Any]) -> NDArray[Any]:
        return np.repeat(0.5 + 0.3 * np.sin(45 * place[:, 2:]), 3, axis=1)  # five pixels each

    shown = pictures(ball(), stripes, no_light())
    found = fuse(ball(), segment(), shown, None, no_light())
    before = after = 0.0
    for seen, picture, frame in zip(segment().frames, shown, FRAMES, strict=True):
        body, _ = found.drawn(seen)
        drawn = picture.copy()
        drawn.reshape(-1, 3)[seen.view.pixel] = body
        mask = inner(ball().passes, frame, 3)
        before, after = before + energy(picture, mask), after + energy(drawn, mask)
    assert 0.7 < after / before < 1.3


def test_sampling_keeps_constants_and_undoes_most_of_its_own_blur() -> None:
    one = segment().frames[2]
    flat = np.full((*ball().passes.size, 3), 0.4, np.float32)
    np.testing.assert_allclose(sample(one, flat, ball().texels), 0.4, atol=1e-5)
    picture, errors = shots()[2], []
    inside = inner(ball().passes, 2).reshape(-1)[one.view.pixel]
    for colours in (one.sample @ picture.reshape(-1, 3), sample(one, picture, ball().texels)):
        values = np.zeros((ball().texels, 3), np.float32)
        values[one.view.seen] = colours
        errors.append(np.abs(one.read @ values - picture.reshape(-1, 3)[one.view.pixel])[inside].mean())
    assert errors[1] < 0.5 * errors[0]


def test_a_texture_goes_through_its_arrays_in_half_precision() -> None:
    again = Texture.from_arrays(texture().arrays("some."), "some.")
    for name in ("colour", "low", "quality", "weight"):
        np.testing.assert_allclose(getattr(again, name), getattr(texture(), name), rtol=1e-3, atol=1e-6)
        assert getattr(again, name).dtype == np.float32
    np.testing.assert_array_equal(again.light, texture().light)


def test_textures_blend_and_what_was_unknown_is_the_next_ones() -> None:
    before, after = before_and_after()
    known = before.weight > 0
    half = blended(before, after, 0.25)
    np.testing.assert_allclose(half.colour[known], (0.75 * before.colour + 0.25 * after.colour)[known], atol=1e-6)
    np.testing.assert_array_equal(half.colour[~known], after.colour[~known])
    np.testing.assert_allclose(blended(before, after, 1).colour, after.colour, atol=1e-6)


def test_a_texture_that_knows_nothing_draws_nothing() -> None:
    nothing = dataclasses.replace(texture(), weight=np.zeros(ball().texels, np.float32))
    body, drawn = nothing.drawn(segment().frames[0])
    assert not drawn.any() and np.isfinite(body).all()
