"""Matches off silhouettes and folds, and differences averaged over the matches around."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.contract.values import Canvas, SampleSettings, Segment
from backend.correspondence.types import Matches, empty_matches
from backend.loop.method import MethodInputs
from backend.methods.latentman.guidance import AdaptiveGuidance
from backend.methods.latentman.inside_matches import (
    FOLD_M,
    GUIDANCE_MARGIN_PX,
    LEAST_ALIKE,
    InsideMatches,
    inside_places,
    moving_together,
)
from backend.methods.latentman.losses import squared_differences
from backend.methods.latentman.matches import LatentManMatches
from backend.methods.latentman.method import LatentMan
from backend.methods.latentman.pixel_pairs import pixel_pairs, segment_pairs
from backend.methods.latentman.shot_matcher import ShotMatches, latentman_matches
from backend.methods.latentman.smoothing import smoothed, smoothing
from backend.methods.text2video_zero.method import Text2VideoZero
from backend.surface.shot_surface import ShotSurface
from shared.methods.latentman import LatentManSettings, published_settings
from tests.helpers.clips import sliding_square
from tests.helpers.tiny_models import tiny_components
from tests.helpers.tiny_shot import engine, random_pair, shifted_pair
from tests.reference import inside_matches as slow

CPU = torch.device("cpu")
OLD = LatentManSettings(align=(0.0, 0.4), match_extent="all", guide_around=1, guide_smooth=0.0)


def body(height: int, width: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Parts with holes and depths with jumps."""
    generator = np.random.default_rng(seed)
    part = (generator.random((height, width)) > 0.1).astype(np.uint8)
    depth = 3 + 0.2 * (generator.random((height, width)) > 0.93) + 0.01 * generator.random((height, width))
    return part, np.where(part > 0, depth, np.inf).astype(np.float32)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    size=st.sampled_from([(12, 20, 6, 10), (12, 20, 12, 20), (13, 17, 5, 4)]),
    margin=st.integers(0, 2),
)
def test_places_inside_the_body_are_those_of_the_slow_twin(seed: int, size: tuple[int, ...], margin: int) -> None:
    full_height, full_width, height, width = size
    part, depth = body(full_height, full_width, seed)
    found = inside_places(part, depth, height, width, margin)
    expected = slow.inside_places(part, depth, height, width, margin, FOLD_M)
    assert np.array_equal(found.reshape(height, width), expected)


def test_a_cell_at_a_silhouette_or_a_fold_is_not_inside() -> None:
    part = np.ones((8, 16), np.uint8)  # 2 x 4 cells of 4 x 4 pixels
    depth = np.full((8, 16), 3.0, np.float32)
    depth[:, 9:] = 2.9  # an arm before the trunk, its edge inside of the third column of cells
    part[0, 0], depth[0, 0] = 0, np.inf
    found = inside_places(part, depth, 2, 4).reshape(2, 4)
    assert np.array_equal(found, [[False, True, False, True], [True, True, False, True]])
    depth[:, 9:] = 2.96
    assert inside_places(part, depth, 2, 4).sum() == 7


def test_guidance_keeps_off_a_silhouette_and_not_off_the_pictures_edge() -> None:
    part = np.ones((6, 10), np.uint8)
    part[:, 0] = 0
    found = inside_places(part, np.where(part > 0, 3, np.inf).astype(np.float32), 6, 10, GUIDANCE_MARGIN_PX)
    assert np.array_equal(np.flatnonzero(found.reshape(6, 10).all(axis=0)), np.arange(3, 10))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), strays=st.integers(0, 20))
def test_matches_that_move_together_are_those_of_the_slow_twin(seed: int, strays: int) -> None:
    generator = np.random.default_rng(seed)
    pair = shifted_pair(7, 1, -1)
    reference = pair.reference.copy()
    changed = generator.permutation(len(pair))[:strays]
    reference[changed] = reference[generator.permutation(changed)]
    mixed = Matches(pair.current, reference, 7, 7)
    found = moving_together(mixed)
    assert set(zip(found.current.tolist(), found.reference.tolist(), strict=True)) == slow.moving_together(
        mixed, LEAST_ALIKE
    )


def test_a_stray_falls_and_what_moves_as_a_whole_stays() -> None:
    pair = shifted_pair(6, 0, 1)
    assert len(moving_together(pair)) == len(pair)
    middle = int(np.flatnonzero(pair.current == 3 * 6 + 3)[0])
    reference = pair.reference.copy()
    reference[middle] = 5  # a cell that nothing else reads, far away
    found = moving_together(Matches(pair.current, reference, 6, 6))
    assert set(pair.current.tolist()) - set(found.current.tolist()) == {3 * 6 + 3}
    assert len(moving_together(empty_matches(4, 4))) == 0


@pytest.mark.parametrize("correspondence", ["surface", "assignment"])
def test_the_matches_of_a_shot_lie_inside_in_both_frames(correspondence: str) -> None:
    passes = sliding_square(frames=4)
    given = LatentManSettings(correspondence=correspondence)  # type: ignore[arg-type]
    height, width = passes.size
    found = latentman_matches(passes, given, 4)
    assert found.latent[-1].current.tolist() == found.latent[1:][-1].current.tolist()
    for kind, size, margin in (("latent", 4, 0), ("guidance", 1, GUIDANCE_MARGIN_PX)):
        every = list(ShotMatches(passes, given, height // size, width // size))
        kept: list[Matches] = list(getattr(found, kind))
        assert [0 < len(one) < len(other) for one, other in zip(kept, every, strict=True)] == [True] * 3
        for frame, one in enumerate(kept, 1):
            for place, position in ((one.current, frame), (one.reference, frame - 1)):
                labels = passes.frame(position)
                expected = slow.inside_places(
                    labels.part, labels.depth_m, height // size, width // size, margin, FOLD_M
                )
                assert expected.reshape(-1)[place].all()


def test_matches_with_the_first_frame_lie_inside_of_it() -> None:
    passes = sliding_square(frames=4)
    given = LatentManSettings(reference_mode="first", guide=(0.0, 0.0))
    height, width = passes.size
    found = latentman_matches(passes, given, 4)
    first = inside_places(passes.frame(0).part, passes.frame(0).depth_m, height // 4, width // 4)
    assert all(len(one) and first[one.reference].all() for one in found.latent)
    assert len(found.guidance) == 0


@pytest.mark.parametrize("given", [OLD, published_settings("paper"), published_settings("released")])
def test_all_matches_are_what_they_were(given: LatentManSettings) -> None:
    passes = sliding_square(frames=3)
    height, width = passes.size
    found = latentman_matches(passes, given, 4)
    assert isinstance(found.latent, ShotMatches) and isinstance(found.guidance, ShotMatches)
    assert (found.latent.height, found.latent.width) == (height // 4, width // 4)
    assert (found.guidance.height, found.guidance.width) == (height, width)
    inside = InsideMatches(found.latent, passes)
    assert len(inside) == len(found.latent) == 2


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), sigma=st.sampled_from([0.2, 1.0, 2.5]))
def test_smoothed_differences_are_those_of_the_slow_twin(seed: int, sigma: float) -> None:
    generator = np.random.default_rng(seed)
    pair = random_pair(generator, 30, 9)
    values = generator.standard_normal((3, 30))
    by = smoothing(pair, sigma, CPU)
    assert by is not None
    found = smoothed(torch.from_numpy(values), by).numpy()
    np.testing.assert_allclose(found, slow.smoothed(values, pair, sigma), rtol=0, atol=1e-12)


def test_smoothing_keeps_what_is_the_same_everywhere_and_cancels_detail() -> None:
    pair = shifted_pair(12, 0, 0)
    by = smoothing(pair, 2.0, CPU)
    assert by is not None
    assert torch.allclose(smoothed(torch.full((1, 144), 0.3), by), torch.tensor(0.3))
    checks = torch.from_numpy((np.indices((12, 12)).sum(axis=0) % 2 * 2.0 - 1.0).reshape(1, -1))
    assert smoothed(checks, by).abs().max() < 0.2  # at the picture's corner the least of it cancels
    assert smoothing(pair, 0.0, CPU) is None


def test_the_loss_takes_smoothed_differences_and_has_their_gradient() -> None:
    pair = random_pair(np.random.default_rng(3), 20, 8)
    plain, smooth = pixel_pairs(pair, 8, 8, CPU), pixel_pairs(pair, 8, 8, CPU, 1.5)
    generator = torch.Generator().manual_seed(0)
    current, reference = torch.rand((2, 1, 3, 8, 8), generator=generator, dtype=torch.float64)
    moved = current.flatten(2)[0][:, pair.current] - reference.flatten(2)[0][:, pair.reference]
    assert torch.equal(squared_differences(current, reference, plain), moved.square())
    expected = slow.smoothed(moved.numpy(), pair, 1.5) ** 2
    np.testing.assert_allclose(squared_differences(current, reference, smooth).numpy(), expected, rtol=0, atol=1e-12)

    def loss(picture: torch.Tensor) -> torch.Tensor:
        return squared_differences(picture, reference, smooth).sum()

    assert torch.autograd.gradcheck(loss, (current.requires_grad_(),))


def test_every_pair_of_a_segment_is_smoothed_with_and_without_crops() -> None:
    canvas = Canvas(4, 4, 8, 8, CPU)
    pairs = [random_pair(np.random.default_rng(seed), 20, 8) for seed in (1, 2)]
    for statistics in (None, "own"):
        found = segment_pairs(pairs, canvas, statistics, 2.0)
        assert [one.smoothing is not None for one in found] == [True, True]
        assert all(one.smoothing is None for one in segment_pairs(pairs, canvas, statistics))


def test_our_own_settings_are_new_and_the_published_ones_are_not() -> None:
    own = LatentManSettings()
    assert (own.match_extent, own.guide_around) == ("inside", 0) and own.guide_smooth > 0
    for parity in ("paper", "released"):
        published = dataclasses.asdict(published_settings(parity))
        assert (published["match_extent"], published["guide_around"], published["guide_smooth"]) == ("all", 1, 0.0)


def test_with_the_settings_of_before_the_frames_are_those_of_the_parts_of_before() -> None:
    passes, components = sliding_square(frames=3), tiny_components(dtype=torch.float64)
    height, width = passes.size
    depth = np.random.default_rng(0).random((3, height, width), np.float32)
    sampling = SampleSettings(3, 3.0, 0.9, 7, height, width, micro_batch=3)
    factor = components.latent_factor
    size = height // factor, width // factor
    every = LatentManMatches(list(ShotMatches(passes, OLD, *size)), list(ShotMatches(passes, OLD, height, width)))
    rule = AdaptiveGuidance(strength=0.5)
    by_hand = LatentMan(every, (0.0, 0.4), (0.2, 0.7), rule, Text2VideoZero(), "prev", passes.parts, 1)
    built = (
        LatentMan.build(MethodInputs(given, passes, factor, ShotSurface(passes)))
        for given in (OLD, LatentManSettings())
    )
    ways = [engine(components, one, depth, sampling).sample(Segment(0, 3)).latents for one in (by_hand, *built)]
    assert torch.equal(ways[1], ways[0]) and not torch.equal(ways[2], ways[0])
