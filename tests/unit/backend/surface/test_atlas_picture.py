"""The texture as a picture: colours in their places of the charts, what alpha says, what is filled in."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from backend.surface import atlas_picture
from backend.surface.atlas_picture import SEEN_FROM, atlas_png, filled_texture
from backend.surface.shot_surface import ShotSurface
from backend.surface.texture import Texture, no_light
from shared.body.atlas_layout import ATLAS_FILLED, ATLAS_SEEN, atlas_points, atlas_size
from tests.helpers.surface_bodies import joined, sheet, shown

Floats = NDArray[np.float32]

TILE = 64
PARTS = (2, 9)
SIDE = 0.5


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atlas_picture, "TILE", TILE)


@cache
def surface(characters: int = 1) -> ShotSurface:
    """Two sheets a character beside each other, one a part, whose charts are the sheets as the camera sees them."""
    one = sheet(3, 3, SIDE, SIDE)
    both = joined((one[0] - (0.3, 0, 0), one[1]), (one[0] + (0.3, 0, 0), one[1]))
    vertices, faces = joined(*[(both[0] + (0, 0.2 * number, 0), both[1]) for number in range(characters)])
    flat = (one[0][:, [0, 2]] / SIDE + 0.5)[one[1]]
    part = np.tile(np.repeat(PARTS, len(one[1])), characters)
    counts = [len(both[0])] * characters
    chart_uv = np.tile(flat, (2 * characters, 1, 1))
    return ShotSurface(shown([vertices], faces, counts=counts, rest=vertices, part=part, chart_uv=chart_uv))


def charted(of: ShotSurface) -> tuple[NDArray[Any], NDArray[Any]]:
    """Each texel's part (K,) and place in its chart (K, 2)."""
    right = of.mesh.rest[:, 0] > 0
    place = (of.mesh.rest[:, [0, 2]] - np.stack([np.where(right, 0.3, -0.3), np.zeros(len(right))], axis=1)) / SIDE
    return np.where(right, PARTS[1], PARTS[0]), place + 0.5


def paint(part: NDArray[Any], place: NDArray[Any], character: int | NDArray[Any] = 0) -> NDArray[Any]:
    """Colours (..., 3) that are linear in the chart and differ between parts and characters."""
    one = np.where(part == PARTS[0], 0.2, 0.7)
    return np.stack([0.1 + 0.8 * place[..., 0], 0.9 - 0.7 * place[..., 1], one + 0.2 * character], axis=-1)


def texture(of: ShotSurface, quality: NDArray[Any] | float = 1.0) -> Texture:
    """The paint, as well seen as said; what is not seen is black until it is filled."""
    colour = paint(*charted(of), of.mesh.body)
    good = np.broadcast_to(np.asarray(quality, np.float32), (of.texels,))
    colour = np.where(good[:, None] > 0, colour, 0).astype(np.float32)
    return Texture(colour, colour, good.astype(np.float32), good.astype(np.float32), no_light())


def opened(data: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.format == "PNG" and picture.mode == "RGBA"
        return np.asarray(picture)


def inside_charts() -> tuple[NDArray[Any], NDArray[Any], NDArray[np.bool_]]:
    """Each pixel's part, its place in the chart, and whether it is of a part that is there and not of a margin."""
    part, place = atlas_points(TILE)
    return part, place, np.isin(part, PARTS) & (place > 0).all(axis=-1) & (place < 1).all(axis=-1)


def test_every_pixel_of_a_chart_has_the_colour_of_its_point() -> None:
    picture = opened(atlas_png(surface(), texture(surface())))
    part, place, inside = inside_charts()
    assert picture.shape[:2] == atlas_size(TILE) and inside.sum() == 2 * 62 * 62
    wanted = 255 * paint(part, place)
    np.testing.assert_allclose(picture[inside][:, :3], wanted[inside], atol=0.51)
    assert (picture[inside][:, 3] == ATLAS_SEEN).all()


def test_outside_of_all_charts_alpha_is_nothing_and_colours_go_on_a_little() -> None:
    picture = opened(atlas_png(surface(), texture(surface())))
    part, place, inside = inside_charts()
    assert not picture[~np.isin(part, PARTS)][:, 3].any()
    margin = np.isin(part, PARTS) & ~inside
    assert not picture[margin][:, 3].any()
    # A pixel of the margin stands for the nearest one of the chart, up to a pixel further on.
    np.testing.assert_allclose(picture[margin][:, :3], 255 * paint(part, place)[margin], atol=0.51 + 255 * 0.8 / 62)
    bled = picture[..., :3].any(axis=-1) & (picture[..., 3] == 0)
    assert margin.sum() < bled.sum() < 3 * 4 * 4 * TILE
    assert not picture[TILE // 2, 3 * TILE + TILE // 2].any()


def test_what_nobody_saw_is_filled_with_colours_in_the_range_of_those_that_are_known() -> None:
    part, place = charted(surface())
    good = np.where((part == PARTS[0]) & (place[:, 0] < 0.5), 0.6, 0.0)
    found, seen = filled_texture(surface(), texture(surface(), good))
    known = texture(surface(), good).colour[good > 0]
    np.testing.assert_array_equal(seen, good > 0)
    np.testing.assert_array_equal(found[seen], known)
    assert (found[~seen] >= known.min(axis=0) - 1e-3).all() and (found[~seen] <= known.max(axis=0) + 1e-3).all()
    # Beside what is known the fill goes on from it.
    beside = ~seen & (part == PARTS[0]) & (place[:, 0] < 0.5 + 2 * surface().mesh.spacing_m / SIDE)
    assert beside.sum() > 10
    assert np.abs(found[beside] - paint(part, place)[beside]).max() < 0.15
    picture = opened(atlas_png(surface(), texture(surface(), good)))
    parts, places, inside = inside_charts()
    left, right = (inside & (parts == PARTS[0]) & (sign * (places[..., 0] - 0.5) > 0.03) for sign in (-1, 1))
    assert (picture[left][:, 3] == ATLAS_SEEN).all() and (picture[right][:, 3] == ATLAS_FILLED).all()
    assert (picture[inside & (parts == PARTS[1])][:, 3] == ATLAS_FILLED).all()


def test_a_part_that_is_cut_off_takes_the_mean_of_what_is_known() -> None:
    part, place = charted(surface())
    good = np.where(part == PARTS[0], 0.6, 0.0)
    found, _ = filled_texture(surface(), texture(surface(), good))
    other = found[part == PARTS[1]]
    assert np.ptp(other, axis=0).max() < 0.02
    np.testing.assert_allclose(other.mean(axis=0), paint(part, place)[part == PARTS[0]].mean(axis=0), atol=0.05)


def test_of_a_texture_that_nobody_saw_everything_is_grey_and_filled() -> None:
    found, seen = filled_texture(surface(), texture(surface(), 0.0))
    assert not seen.any()
    np.testing.assert_allclose(found, 0.5)
    picture = opened(atlas_png(surface(), texture(surface(), SEEN_FROM / 2)))
    _, _, inside = inside_charts()
    assert np.isin(picture[inside][:, :3], (127, 128)).all() and (picture[inside][:, 3] == ATLAS_FILLED).all()


def test_each_character_has_a_picture_of_its_own() -> None:
    pair = surface(2)
    part, place, inside = inside_charts()
    for character in range(2):
        picture = opened(atlas_png(pair, texture(pair), character))
        np.testing.assert_allclose(picture[inside][:, :3], 255 * paint(part, place, character)[inside], atol=0.51)


def test_colours_beyond_what_a_picture_holds_are_cut_off() -> None:
    bright = texture(surface())
    glaring = Texture(3 * bright.colour - 1, bright.low, bright.quality, bright.weight, bright.light)
    picture = opened(atlas_png(surface(), glaring))
    part, place, inside = inside_charts()
    wanted = np.clip(255 * (3 * paint(part, place) - 1), 0, 255)
    np.testing.assert_allclose(picture[inside][:, :3], wanted[inside], atol=0.51)


def test_equal_textures_give_equal_bytes() -> None:
    assert atlas_png(surface(), texture(surface())) == atlas_png(surface(), texture(surface()))
