"""The atlas: a place in the picture and a point of the body are told from each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.body.atlas_layout import ATLAS_COLUMNS, ATLAS_MARGIN, ATLAS_ROWS, atlas_points, atlas_size, atlas_uv
from shared.shot import PART_COUNT


def pixels(uv: NDArray[np.float64], tile: int) -> NDArray[Any]:
    """Column and row of places in the atlas, row 0 at the top; a pixel's centre lies at +0.5."""
    size = np.array([ATLAS_COLUMNS, ATLAS_ROWS]) * tile
    return np.asarray(np.stack([uv[..., 0], 1 - uv[..., 1]], axis=-1) * size)


def test_corners_of_the_first_and_the_last_chart_lie_where_the_drawing_has_them() -> None:
    assert np.allclose(pixels(atlas_uv(np.array(1), np.array([0.0, 1.0])), 64), (1, 1))
    assert np.allclose(pixels(atlas_uv(np.array(24), np.array([1.0, 0.0])), 64), (6 * 64 - 1, 4 * 64 - 1))
    assert np.allclose(pixels(atlas_uv(np.array(8), np.array([0.5, 0.5])), 64), (1.5 * 64, 1.5 * 64))


@pytest.mark.parametrize("tile", [64, 96, 256])
def test_a_pixels_point_lies_at_that_pixels_centre_and_in_the_margin_at_the_nearest_of_its_chart(tile: int) -> None:
    part, chart_uv = atlas_points(tile)
    assert part.shape == atlas_size(tile) == (4 * tile, 6 * tile) and chart_uv.shape == (*part.shape, 2)
    rows, columns = np.indices(part.shape)
    centres = np.stack([columns, rows], axis=-1) + 0.5
    assert np.array_equal(part - 1, rows // tile * ATLAS_COLUMNS + columns // tile)
    low, high = ATLAS_MARGIN * tile, (1 - ATLAS_MARGIN) * tile
    nearest = centres // tile * tile + np.clip(centres % tile, low, high)
    assert np.abs(pixels(atlas_uv(part, chart_uv), tile) - nearest).max() < 1e-3
    assert (nearest != centres).any() and (nearest == centres).mean() > 0.9


def test_no_two_parts_share_a_place_and_every_chart_keeps_its_distance() -> None:
    edge = np.linspace(0, 1, 9)
    chart = np.stack(np.meshgrid(edge, edge), axis=-1).reshape(-1, 2)
    boxes = []
    for part in range(1, PART_COUNT + 1):
        places = pixels(atlas_uv(np.full(len(chart), part), chart), 256)
        assert (places >= 4).all() and (places[:, 0] <= 1532).all() and (places[:, 1] <= 1020).all()
        boxes.append((places.min(axis=0), places.max(axis=0)))
    for index, (low, high) in enumerate(boxes):
        for other_low, other_high in boxes[index + 1 :]:
            assert (np.maximum(low, other_low) - np.minimum(high, other_high)).max() >= 8 - 1e-9
