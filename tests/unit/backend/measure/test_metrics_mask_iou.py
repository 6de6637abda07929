"""The figure's outline: found in pictures whose true outline is known, in our own drawings and in worked-out ones."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from backend.make.training.judging.trial_shot import TrialShot, render_trial_shot
from backend.make.training.prompts import Scene
from backend.make.training.renders.figure import load_training_body
from backend.measure.metrics.figure_mask import figure_mask, lab_colours
from backend.measure.metrics.mask_iou import FRAMES, mask_iou
from shared.errors import InputError

Mask = NDArray[np.bool_]

# Figures without hats or skirts, so that they fill the rendered body.
BARE = (
    ("jump", Scene("ninja", "black", "jumping", "forest")),
    ("dance", Scene("skeleton", None, "dancing", "disco")),
)
DRESSED = (
    ("squat", Scene("cowboy", "brown", "squatting", "street")),
    ("dance", Scene("ballerina", "pink", "dancing", "studio")),
)


@cache
def shot(motion: str, scene: Scene) -> TrialShot:
    return render_trial_shot(load_training_body(), motion, scene, 2, 11)


def overlap(one: Mask, other: Mask) -> float:
    return float((one & other).sum() / (one | other).sum())


def person(height: int = 96, width: int = 96) -> Mask:
    """A head, a trunk and two legs."""
    down, across = np.mgrid[:height, :width]
    head = (down - 20) ** 2 + (across - 48) ** 2 < 9**2
    trunk = (abs(across - 48) < 12) & (down > 26) & (down < 60)
    legs = (abs(abs(across - 48) - 7) < 4) & (down >= 60) & (down < 88)
    return np.asarray(head | trunk | legs)


def painted(mask: Mask, seed: int = 0) -> NDArray[np.float32]:
    """A striped figure of reds before a mottled place of greens."""
    rng = np.random.default_rng(seed)
    down, across = np.mgrid[: mask.shape[0], : mask.shape[1]]
    stripes = np.stack([170 + 40 * np.sin(down / 3), 60 + 20 * np.cos(across / 2), 50 + 0 * down], axis=-1)
    place = np.stack([60 + 0 * down, 120 + 30 * np.sin(across / 9), 80 + 20 * np.cos(down / 7)], axis=-1)
    picture = np.where(mask[..., None], stripes, place) + rng.normal(0, 4, (*mask.shape, 3))
    return np.asarray(picture.clip(0, 255), np.float32)


def test_lab_of_colours_that_are_tabulated() -> None:
    colours = np.array([[[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 0, 255]]], np.float32)
    expected = [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86]]
    assert lab_colours(colours)[0] == pytest.approx(np.array(expected), abs=0.15)


def test_a_figure_on_its_body_is_found_to_the_pixel() -> None:
    mask = person()
    found = figure_mask(painted(mask), mask)
    assert found is not None and overlap(found, mask) > 0.99


def test_what_is_drawn_beside_the_body_counts() -> None:
    body = person()
    drawn = body.copy()
    drawn[5:16, 36:60] = True  # a hat
    found = figure_mask(painted(drawn), body)
    assert found is not None
    assert overlap(found, drawn) > 0.95
    assert overlap(found, body) == pytest.approx(overlap(drawn, body), abs=0.04)


def without_a_leg(picture: NDArray[np.uint8], figure: Mask) -> tuple[NDArray[np.uint8], Mask]:
    """The picture with the lower left quarter of its figure painted over by what is beside it, and the figure left."""
    rows, columns = np.nonzero(figure)
    quarter = np.zeros_like(figure)
    quarter[int(rows.min() + 0.6 * np.ptp(rows)) :, : int(np.median(columns))] = True
    painted_over, behind = picture.copy(), ~binary_dilation(figure, iterations=2)
    for row, column in np.argwhere(quarter & figure):
        free = np.flatnonzero(behind[row])
        painted_over[row, column] = picture[row, free[np.abs(free - column).argmin()]]
    return painted_over, figure & ~quarter


@pytest.mark.parametrize(("motion", "scene"), BARE)
def test_what_is_rendered_and_not_drawn_does_not_count(motion: str, scene: Scene) -> None:
    drawn = shot(motion, scene)
    body = drawn.passes.parts(range(1))[0] > 0
    picture, figure = without_a_leg(drawn.renders[0], drawn.figure[0])
    true = overlap(figure, body)
    assert true < 0.9
    assert mask_iou(picture[None], body[None].astype(np.uint8)).mean == pytest.approx(true, abs=0.08)


@pytest.mark.parametrize(("motion", "scene"), BARE)
def test_a_character_that_fills_its_body_has_an_overlap_near_1(motion: str, scene: Scene) -> None:
    drawn = shot(motion, scene)
    part = drawn.passes.parts(drawn.passes.positions)
    true = np.mean([overlap(one, other) for one, other in zip(drawn.figure, part > 0, strict=True)])
    found = mask_iou(drawn.renders, part).mean
    assert found is not None and found > 0.95
    assert found == pytest.approx(true, abs=0.03)


@pytest.mark.parametrize(("motion", "scene"), DRESSED)
def test_a_hat_or_a_skirt_lowers_the_overlap_as_much_as_it_should(motion: str, scene: Scene) -> None:
    drawn = shot(motion, scene)
    part = drawn.passes.parts(drawn.passes.positions)
    true = np.mean([overlap(one, other) for one, other in zip(drawn.figure, part > 0, strict=True)])
    assert true < 0.92
    assert mask_iou(drawn.renders, part).mean == pytest.approx(true, abs=0.12)


def test_larger_pictures_are_reduced_and_long_clips_sampled() -> None:
    mask = person()
    large = np.kron(mask, np.ones((4, 4), bool))
    part = np.repeat(large[None].astype(np.uint8), 2, axis=0)
    images = np.repeat(np.kron(painted(mask), np.ones((4, 4, 1)))[None], 2, axis=0)
    assert mask_iou(images, part).mean == pytest.approx(1, abs=0.02)
    count = FRAMES + 4
    none = np.zeros((count, 8, 8), np.uint8)
    assert mask_iou(np.zeros((count, 8, 8, 3)), none).values == (None,) * count
    many = mask_iou(np.repeat(painted(mask)[None], count, axis=0), np.repeat(mask[None].astype(np.uint8), count, 0))
    assert sum(value is not None for value in many.values) == FRAMES
    assert many.values[0] is not None and many.values[-1] is not None
    with pytest.raises(InputError, match="labels of shape"):
        mask_iou(images, part[:1])
