"""The sampler's guided loop against its slow twin, value by value: both rules, both baselines, any batches and cuts."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.contract.values import Canvas, SampleSettings, Segment
from backend.correspondence.types import Matches
from backend.loop.noise import SHARED_NOISE, draw
from backend.methods.latentman.body_cells import PartReader, body_cells
from backend.methods.latentman.fixed_guidance import FixedGuidance
from backend.methods.latentman.guidance import AdaptiveGuidance
from backend.methods.latentman.method import LatentMan
from backend.methods.masactrl.method import MasaCtrl
from backend.methods.text2video_zero.method import Text2VideoZero
from backend.models.sd15.components import Components
from backend.models.sd15.text import encode_prompt
from shared.errors import InputError
from shared.methods.latentman import LatentManSettings
from tests.helpers.tiny_models import tiny_components, tiny_modules
from tests.helpers.tiny_shot import random_depth, random_matches, sample_in_segments
from tests.reference import guidance_loop

SIZE, LATENT, FRAMES, STEPS = 16, 8, 4, 5
SETTINGS = SampleSettings(STEPS, guidance_scale=3.0, controlnet_scale=0.9, seed=7, height=SIZE, width=SIZE)
DEPTH = random_depth(FRAMES, SIZE)
MATCHES = random_matches(FRAMES, LATENT, SIZE)
# MasaCtrl reads frame 0 in a tiny UNet's last block from the third step on.
MASACTRL = MasaCtrl(first_step=2, first_up_block=1)
# Of random weights so small a part of the way is at its limit already.
ADAPTIVE = AdaptiveGuidance(strength=0.5)
PAPER = FixedGuidance(0.02, "sum", 2.0, False, "controlnet")
RELEASED = FixedGuidance(0.1, "mean", 25.0, True, "unconditional")
# How a shot is cut into segments, frames at once without a graph, and with one.
BATCHES = (((0, 4), None, None), ((0, 4), 2, 2), ((0, 1, 3, 4), 1, 1), ((0, 2, 4), 3, 1))


def walking_body() -> NDArray[Any]:
    """Parts (frames, SIZE, SIZE): a figure of 6 x 5 pixels that walks, so that its cells differ from frame to frame."""
    part = np.zeros((FRAMES, SIZE, SIZE), np.uint8)
    for frame in range(FRAMES):
        part[frame, 3:9, 1 + 3 * frame : 6 + 3 * frame] = 1 + frame
    return part


@cache
def components() -> Components:
    return tiny_components(dtype=torch.float64)


@cache
def stock_modules() -> dict[str, Any]:
    """The same weights in diffusers' modules as they come."""
    modules = tiny_modules()
    return {name: modules[name].double().requires_grad_(False) for name in ("unet", "controlnet", "vae")}


def pairs(matches: Matches) -> list[tuple[int, int]]:
    return list(zip(matches.current.tolist(), matches.reference.tolist(), strict=True))


def reads_as_text2video_zero(model: str, layer: str, step: int) -> bool:
    return True


def reads_as_masactrl(model: str, layer: str, step: int) -> bool:
    return model == "unet" and layer.startswith("up_blocks.1.") and step >= 2


@cache
def by_twin(method: LatentMan) -> Tensor:
    """The shot by the slow loop, with the method's own values."""
    guidance = method.guidance
    prompt = encode_prompt(components(), "a red robot", "blurry")
    assert isinstance(guidance, AdaptiveGuidance | FixedGuidance)
    fixed = isinstance(guidance, FixedGuidance)
    loop = guidance_loop.Loop(
        modules=stock_modules(),
        text=(prompt.negative[0].double(), prompt.positive[0].double()),
        depth=DEPTH,
        noise=draw(SETTINGS.seed, SHARED_NOISE, (4, LATENT, LATENT)).double(),
        aligned=[pairs(one) for one in MATCHES.latent],
        matched=[pairs(one) for one in MATCHES.guidance],
        body=None if method.parts is None else method.parts(range(FRAMES)) > 0,
        reads=reads_as_masactrl if isinstance(method.baseline, MasaCtrl) else reads_as_text2video_zero,
        steps=STEPS,
        guidance_scale=SETTINGS.guidance_scale,
        controlnet_scale=SETTINGS.controlnet_scale,
        align=range(3),
        guide=range(1, 4),
        rule="fixed" if fixed else "adaptive",
        strength=guidance.delta if isinstance(guidance, FixedGuidance) else guidance.strength,
        through=guidance.through,
        **({name: getattr(guidance, name) for name in ("reduction", "value_range", "clamp")} if fixed else {}),
    )
    return guidance_loop.run(loop)


def method(guidance: AdaptiveGuidance | FixedGuidance, baseline: Any, part: NDArray[Any] | None) -> LatentMan:
    parts = None if part is None else read_from(part)
    # Steps 0 to 2 are aligned, 1 to 3 guided.
    return LatentMan(MATCHES, (0.0, 0.6), (0.2, 0.8), guidance, baseline, parts=parts)


def read_from(part: NDArray[Any]) -> PartReader:
    return lambda frames: part[frames.start : frames.stop]


def cases() -> list[Any]:
    rules: dict[str, AdaptiveGuidance | FixedGuidance] = {
        "adaptive": ADAPTIVE,
        "adaptive, below the limit": dataclasses.replace(ADAPTIVE, strength=0.02),
        "adaptive, decoder": dataclasses.replace(ADAPTIVE, through="decoder"),
        "paper": PAPER,
        "released": RELEASED,
    }
    chosen: list[tuple[str, Text2VideoZero | MasaCtrl, NDArray[Any] | None]] = [
        (name, baseline, walking_body()) for name in rules for baseline in (Text2VideoZero(), MASACTRL)
    ]
    chosen += [(name, Text2VideoZero(), None) for name in ("adaptive", "paper")]  # and on all cells
    return [
        pytest.param(
            method(rules[name], baseline, part), id=f"{name}-{baseline.spec.name}-{'all' if part is None else 'body'}"
        )
        for name, baseline, part in chosen
    ]


@pytest.mark.parametrize("latentman", cases())
def test_every_cut_and_batch_is_the_slow_loops(latentman: LatentMan) -> None:
    expected = by_twin(latentman)
    for cuts, micro_batch, graph_batch in BATCHES:
        settings = dataclasses.replace(SETTINGS, micro_batch=micro_batch, graph_batch=graph_batch)
        prompt = encode_prompt(components(), "a red robot", "blurry")
        found = sample_in_segments(components(), latentman, DEPTH, settings, cuts, prompt)
        # diffusers has the alphas in single precision.
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_the_cases_differ_from_each_other() -> None:
    ends = [by_twin(one.values[0]) for one in cases()]
    assert all((one - other).abs().max() > 1e-3 for i, one in enumerate(ends) for other in ends[:i])


def test_a_cell_moves_if_a_pixel_of_it_or_of_a_neighbour_shows_the_body() -> None:
    part = np.zeros((2, 8, 12), np.uint8)  # 4 x 6 cells of 2 x 2 pixels
    part[0, 3, 4] = 24  # cell (1, 2)
    part[1, 0, 11] = 1  # cell (0, 5), in the corner
    expected = np.zeros((2, 4, 6), bool)
    expected[0, 0:3, 1:4] = True
    expected[1, 0:2, 4:6] = True
    assert np.array_equal(body_cells(part, 4, 6, 1), expected)
    assert np.argwhere(body_cells(part, 4, 6, 0)).tolist() == [[0, 1, 2], [1, 0, 5]]
    assert not body_cells(np.zeros_like(part), 4, 6, 1).any()
    with pytest.raises(InputError, match="12x8 do not divide into 5x4"):
        body_cells(part, 4, 5, 1)


@pytest.mark.parametrize("around", [0, 1])
def test_the_background_stays_at_a_guided_step_and_the_body_moves(around: int) -> None:
    # Guidance at the last step alone: nothing that follows can spread what it did.
    own = method(ADAPTIVE, Text2VideoZero(), walking_body())
    guided = dataclasses.replace(own, align=(0.0, 0.0), guide=(0.8, 1.0), around=around)
    plain, moved = (
        sample_in_segments(components(), one, DEPTH, SETTINGS, (0, FRAMES)) for one in (Text2VideoZero(), guided)
    )
    change = (moved - plain).abs().amax(dim=1).numpy()
    kept = ~body_cells(walking_body(), LATENT, LATENT, around)
    assert change[kept].max() <= 1e-12
    assert all(change[frame].max() > 1e-3 for frame in range(1, FRAMES))


def test_the_extent_is_the_jobs_and_needs_the_parts() -> None:
    own, everywhere = LatentManSettings(), LatentManSettings(guide_extent="all")
    parts = read_from(walking_body())
    assert LatentMan.with_matches(own, MATCHES, parts).parts is parts
    for around in (0, 2):
        assert LatentMan.with_matches(LatentManSettings(guide_around=around), MATCHES, parts).around == around
    assert LatentMan.with_matches(everywhere, MATCHES, parts).parts is None
    unguided = dataclasses.replace(own, guide=(0.0, 0.0))
    assert LatentMan.with_matches(unguided, MATCHES, parts).parts is None
    canvas = Canvas(LATENT, LATENT, SIZE, SIZE, torch.device("cpu"))
    with pytest.raises(InputError, match="parts of 2 frames; this segment has 4"):
        method(ADAPTIVE, Text2VideoZero(), walking_body()[:2]).prepare(Segment(0, FRAMES), canvas)
