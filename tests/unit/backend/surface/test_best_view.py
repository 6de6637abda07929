"""Which frame a place takes its detail from: the greedy choice by hand, what is kept, shares that sum to one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.surface.best_view import GOOD_ENOUGH, LEAST_GAIN, MOST_KEYS, feathered, key_frames, view_labels
from backend.surface.shot_surface import ShotSurface
from tests.helpers.painted_bodies import turning_ball

Floats = NDArray[np.float32]

QUALITY = np.array([[0.9, 0.0, 0.0, 0.1], [0.0, 0.7, 0.7, 0.1], [0.6, 0.6, 0.2, 0.0]], np.float32)
EVEN = np.ones(4, np.float32)


def test_key_frames_are_chosen_by_what_they_add() -> None:
    # Alone they give 1.0, 1.5 and 1.4; after view 1 view 0 adds .9 and view 2 adds .6; after both nothing is left.
    assert key_frames(QUALITY, EVEN) == [1, 0]


def test_a_place_counts_by_its_extent() -> None:
    # Places 0 and 1 are large: view 2 gives 10.4 alone, view 0 9.1, view 1 8.5; then view 0 adds 2.4 + .1.
    keys = key_frames(QUALITY, np.array([8, 8, 1, 1], np.float32))
    assert keys[0] == 2 and set(keys) <= {0, 1, 2}
    assert key_frames(QUALITY, np.array([1, 0, 0, 0], np.float32)) == [0]


def test_there_are_only_so_many_key_frames_and_none_that_adds_next_to_nothing() -> None:
    apart = np.eye(MOST_KEYS + 3, dtype=np.float32)
    assert key_frames(apart, np.ones(len(apart), np.float32)) == list(range(MOST_KEYS))
    little = np.array([[1, 0], [0, LEAST_GAIN / 2]], np.float32)
    assert key_frames(little, np.ones(2, np.float32)) == [0]


def test_nothing_seen_has_no_key_frame() -> None:
    nothing = np.zeros((3, 4), np.float32)
    assert key_frames(nothing, EVEN) == []
    assert view_labels(nothing, EVEN).tolist() == [-2] * 4


def test_a_place_takes_the_best_key_frame_unless_another_view_is_far_better() -> None:
    assert view_labels(QUALITY, EVEN).tolist() == [0, 1, 1, 1]  # of equal views the better key frame
    # Six large places have their own key frames. Of two small ones, which add too little for a key of their own, one is
    # seen well enough by a key frame, the other far better by view 6.
    quality = np.eye(MOST_KEYS + 1, MOST_KEYS + 2, dtype=np.float32)
    quality[MOST_KEYS] = 0
    quality[:, MOST_KEYS:] = 0
    quality[2, MOST_KEYS:] = 1.1 * GOOD_ENOUGH, 0.9 * GOOD_ENOUGH
    quality[MOST_KEYS, MOST_KEYS:] = 1
    extent = np.array([1] * MOST_KEYS + [1e-3, 1e-3], np.float32)
    assert view_labels(quality, extent).tolist() == [*range(MOST_KEYS), 2, MOST_KEYS]


def test_what_was_seen_before_stays_unless_a_view_sees_it_twice_as_well() -> None:
    quality = np.array([[0.8, 0.8, 0.8, 0.0, 0.0]], np.float32)
    kept = np.array([0.0, 0.41, 0.39, 0.1, 0.0], np.float32)
    assert view_labels(quality, np.ones(5, np.float32), kept=kept).tolist() == [0, -1, 0, -1, -2]


def shares_of(surface: ShotSurface, frames: range, kept: Floats | None) -> tuple[list[Floats], NDArray[np.bool_]]:
    """The shares of a segment's frames, and which texels any of them sees."""
    segment = surface.segment(frames)
    seen = np.zeros(surface.texels, bool)
    for one in segment.frames:
        seen[one.view.seen] = True
    return surface.shares(segment, kept), seen


@pytest.mark.parametrize(("frames", "degrees"), [(6, 12.0), (2, 60.0)])
def test_shares_sum_to_one_where_a_view_sees_the_texel(frames: int, degrees: float) -> None:
    surface = turning_ball(frames, degrees)
    shares, seen = shares_of(surface, range(frames), None)
    assert len(shares) == frames + 1 and not shares[-1].any()
    total = np.sum(shares, axis=0)
    assert 0.2 < seen.mean() < 0.9
    np.testing.assert_allclose(total[seen], 1, atol=1e-5)
    np.testing.assert_array_equal(total[~seen], 0)
    assert min(share.min() for share in shares) >= 0


def test_a_view_gives_nothing_to_texels_that_it_does_not_see() -> None:
    surface = turning_ball(2, 60.0)
    shares, _ = shares_of(surface, range(2), None)
    for one, share in zip(surface.segment(range(2)).frames, shares, strict=False):
        unseen = np.ones(surface.texels, bool)
        unseen[one.view.seen] = False
        assert not share[unseen].any() and share[~unseen].sum() > 1000


def test_shares_with_the_frames_before_sum_to_one_too() -> None:
    surface = turning_ball(2, 60.0)
    first = surface.segment(range(1)).frames[0].view
    kept = np.zeros(surface.texels, np.float32)
    kept[first.seen] = first.quality
    shares, seen = shares_of(surface, range(1, 2), kept)
    total = np.sum(shares, axis=0)
    known = seen | (kept > 0)
    np.testing.assert_allclose(total[known], 1, atol=1e-5)
    np.testing.assert_array_equal(total[~known], 0)
    assert not shares[-1][kept == 0].any()
    # What only one of them knows is that one's.
    np.testing.assert_allclose(shares[-1][(kept > 0) & ~seen], 1, atol=1e-5)
    np.testing.assert_allclose(shares[0][seen & (kept == 0)], 1, atol=1e-5)


def test_labels_go_over_into_each_other_across_a_few_texels() -> None:
    surface = turning_ball(2, 60.0)
    nodes, everywhere = surface.fine, np.arange(surface.texels, dtype=np.int32)
    side = (nodes.splat @ surface.mesh.rest[:, 0]) > 0
    left, right, _ = feathered(nodes, side.astype(np.int64), [everywhere, everywhere], None)
    np.testing.assert_allclose(left + right, 1, atol=1e-5)
    far = np.abs(surface.mesh.rest[:, 0]) > 5 * surface.mesh.spacing_m
    np.testing.assert_allclose(right[far], surface.mesh.rest[far, 0] > 0, atol=1e-3)
    mixed = (right > 0.1) & (right < 0.9)
    assert mixed.sum() > 50 and np.abs(surface.mesh.rest[mixed, 0]).max() < 5 * surface.mesh.spacing_m


def test_a_texel_that_only_other_views_see_than_the_best_of_its_neighbourhood_is_theirs() -> None:
    surface = turning_ball(2, 60.0)
    every = np.arange(surface.texels, dtype=np.int32)
    labels = np.zeros(len(surface.fine), np.int64)  # view 0 is the best everywhere, and sees half of the texels
    kept = (every % 4 == 1).astype(np.float32)
    first, second, before = feathered(surface.fine, labels, [every[every % 2 == 0], every[every % 8 != 1]], kept)
    np.testing.assert_allclose(first + second + before, 1, atol=1e-5)
    np.testing.assert_allclose(first[every % 2 == 0], 1, atol=1e-3)
    np.testing.assert_allclose(second[every % 4 == 3], 1, atol=1e-5)
    np.testing.assert_allclose(before[every % 8 == 1], 1, atol=1e-5)
    np.testing.assert_allclose(second[every % 8 == 5], 0.5, atol=1e-5)
