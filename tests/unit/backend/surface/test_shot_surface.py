"""What is made once for a shot and kept for a segment: matrices, nodes, the last segment's views."""

from __future__ import annotations

from functools import cache

import numpy as np

from backend.surface.shot_surface import ShotSurface, detail_confidence
from backend.surface.texels import shot_texels
from tests.helpers.painted_bodies import turning_ball


@cache
def ball() -> ShotSurface:
    return turning_ball(3)


def test_matrices_are_those_of_the_views() -> None:
    for one in ball().segment(range(2)).frames:
        view, (height, width) = one.view, ball().passes.size
        assert one.sample.shape == (len(view.seen), height * width)
        assert one.read.shape == (len(view.pixel), ball().texels)
        picture, values = np.arange(height * width, dtype=float), np.random.default_rng(0).random(ball().texels)
        np.testing.assert_allclose(one.sample @ picture, (picture[view.tap_pixel] * view.tap_weight).sum(1), rtol=1e-5)
        np.testing.assert_allclose(one.read @ values, (values[view.read_index] * view.read_weight).sum(1), rtol=1e-5)
        for matrix in (one.sample, one.read):
            np.testing.assert_allclose(np.asarray(matrix.sum(axis=1)), 1, atol=1e-5)


def test_the_last_segment_is_kept_and_no_other() -> None:
    surface = turning_ball.__wrapped__(3)
    told: list[int] = []
    first = surface.segment(range(2), told.append)
    assert surface.segment(range(2), told.append) is first and told == [0, 1]
    second = surface.segment(range(1, 3), told.append)
    assert second is not first and told == [0, 1, 1, 2]
    again = surface.segment(range(2))
    assert again is not first
    np.testing.assert_array_equal(again.fine, first.fine)
    np.testing.assert_array_equal(second.fine[0], first.fine[1])


def test_nothing_is_made_before_it_is_asked_for() -> None:
    surface = ShotSurface(ball().passes)
    assert not {"mesh", "low", "fine", "extent"} & set(vars(surface))
    assert len(surface.mesh) == surface.texels == len(shot_texels(ball().passes))
    assert "fine" not in vars(surface)


def test_each_vertex_belongs_to_its_character() -> None:
    pair = turning_ball(1, bodies=2)
    counts = [character.vertex_count for character in pair.passes.shot.characters]
    assert pair.body.tolist() == [0] * counts[0] + [1] * counts[1]
    np.testing.assert_array_equal(pair.mesh.body, pair.body[pair.mesh.faces[pair.mesh.face, 0]])


def test_nodes_see_as_well_as_their_texels_on_the_mean() -> None:
    segment = ball().segment(range(3))
    assert segment.fine.shape == (3, len(ball().fine))
    for row, one in zip(segment.fine, segment.frames, strict=True):
        quality = np.zeros(ball().texels)
        quality[one.view.seen] = one.view.quality
        ties = ball().fine.splat.toarray().astype(float)
        np.testing.assert_allclose(row, ties @ quality / ties.sum(axis=1), atol=1e-5)
    np.testing.assert_allclose(ball().extent, ball().fine.splat.toarray().sum(axis=1), rtol=1e-5)


def test_fine_nodes_are_closer_than_those_of_the_low_pass() -> None:
    assert 4 * len(ball().low) < len(ball().fine) < ball().texels


def test_detail_is_given_by_how_well_the_best_view_sees() -> None:
    found = detail_confidence(np.linspace(0, 1, 101).astype(np.float32))
    assert found[0] == 0 and found[-1] == 1 and found.dtype == np.float32
    assert (np.diff(found) >= 0).all() and 0 < found[10] < found[20] < 1
