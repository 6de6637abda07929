"""How well the tiny decoder stands in for the autoencoder's where guidance looks: on x0 estimates of real shots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.contract.values import NOTHING_CARRIED, Callbacks, SampleSettings, Segment
from backend.correspondence.chart_index import chart_index
from backend.correspondence.pairs import pair_matches
from backend.loop.engine import FrameEngine
from backend.loop.method import FrameLoss, FrameReference
from backend.loop.model import pictures_of
from backend.make.training.judging.trial_shot import TrialShot, render_trial_shot
from backend.make.training.renders.figure import load_training_body
from backend.measure.judging.steadiness import SHOTS
from backend.methods.latentman.cell_box import Crop
from backend.methods.latentman.losses import frame_loss
from backend.methods.latentman.pixel_pairs import PixelPairs, pixel_pairs
from backend.methods.latentman.step_decoder import Decode, GuideDecoder
from backend.methods.latentman.tiny_decode import decode_tiny
from backend.methods.text2video_zero.method import Text2VideoZero
from backend.models.sd15.components import Components, load_components
from backend.models.sd15.decode import decode_picture
from backend.models.sd15.model import StableDiffusion
from backend.models.sd15.text import encode_prompt
from backend.models.sd15.tiny_decoder import with_tiny_decoder
from backend.models.sources import find_sources
from backend.passes.shot_passes import depth_pictures


@dataclass(frozen=True, slots=True)
class TinyPlan:
    """What is sampled: shots of SHOTS, frames a shot, steps, guidance, and the steps at which frames are looked at."""

    shots: int = 4
    frames: int = 4
    steps: int = 20
    guidance: float = 2.0
    looked_at: tuple[int, ...] = (5, 8, 11, 14, 20)  # of the 20: guidance acts from 5 to 14; 20 is the clean picture


@dataclass(frozen=True, slots=True)
class TinyRow:
    """The tiny decoder beside the autoencoder's after one step, over all pairs of frames.

    `psnr_db` is of its pictures against the autoencoder's; `cosine` that of the two gradients of equation 7's loss with
    respect to x0, its mean and its least; `loss_ratio` the loss that it sees over the loss that there is.
    """

    step: int
    psnr_db: float
    cosine: float
    least_cosine: float
    loss_ratio: float


def measure_tiny_decoder(model: Path, plan: TinyPlan) -> list[TinyRow]:
    """A row for each step that is looked at. Raises ModelError for a model without a tiny decoder."""
    components = with_tiny_decoder(load_components(str(model), "cpu", "auto"), find_sources(str(model)))
    body, found = load_training_body(), {step: list[tuple[float, ...]]() for step in plan.looked_at}
    for number, (motion, scene) in enumerate(SHOTS[: plan.shots]):
        shot = render_trial_shot(body, motion, scene, plan.frames, number)
        pairs = list(_pairs(shot, components))
        for step, estimates in _estimates(components, shot, plan).items():
            for frame, pair in enumerate(pairs, 1):
                found[step].append(_compared(components, estimates[frame], estimates[frame - 1], pair))
    return [_row(step, np.array(values)) for step, values in found.items()]


def _row(step: int, values: NDArray[np.float64]) -> TinyRow:
    error, cosine, ratio = values.T
    psnr = -10 * np.log10(error.mean())
    return TinyRow(step, *(round(float(x), 3) for x in (psnr, cosine.mean(), cosine.min(), ratio.mean())))


def _pairs(shot: TrialShot, components: Components) -> Iterator[PixelPairs]:
    index, (height, width) = chart_index(shot.passes.charts), shot.passes.size
    for frame in range(1, len(shot.passes.shot.frames)):
        matches = pair_matches(shot.passes, frame, frame - 1, height, width, method="surface", index=index)
        yield pixel_pairs(matches, height, width, components.device)


def _estimates(components: Components, shot: TrialShot, plan: TinyPlan) -> dict[int, Tensor]:
    """Step -> x0 (frames, channels, h, w) of the baseline after it."""
    depth, seen = depth_pictures(shot.passes, shot.passes.positions), dict[int, Tensor]()

    def keep(step: int, steps: int, x0: Tensor) -> None:
        if step in plan.looked_at:
            seen[step] = x0.clone()

    settings = SampleSettings(plan.steps, plan.guidance, 1.0, 0, *depth.shape[1:])
    prompt, whole = encode_prompt(components, shot.prompt, ""), Segment(0, len(depth))
    callbacks = Callbacks(on_step=keep)
    model = StableDiffusion(components, prompt)
    engine = FrameEngine(model, Text2VideoZero(), pictures_of(depth), settings)
    engine.sample(whole, NOTHING_CARRIED, callbacks=callbacks)
    return seen


def _whole_by(components: Components, chosen: GuideDecoder) -> Decode:
    """What decodes whole pictures by the autoencoder or by the tiny decoder."""

    def decode(latents: Tensor, crop: Crop | None = None, decoder: GuideDecoder = "full") -> Tensor:
        if chosen == "full":
            return decode_picture(components, latents)
        return decode_tiny(components, latents, None if crop is None else crop.box)

    return decode


def _compared(components: Components, x0: Tensor, before: Tensor, pairs: PixelPairs) -> tuple[float, ...]:
    """Mean squared error of the picture (0 to 1), cosine of the gradients, ratio of the losses."""
    reference = FrameReference(before[None])
    losses: dict[GuideDecoder, FrameLoss] = {}
    for decoder in get_args(GuideDecoder):
        loss = frame_loss(x0[None], reference, pairs, _whole_by(components, decoder))
        assert loss is not None, "a frame of a trial shot shows something of the frame before it"
        losses[decoder] = loss
    full, tiny = losses["full"], losses["tiny"]
    error = float((full.picture.clamp(0, 1) - tiny.picture.clamp(0, 1)).square().mean())
    cosine = torch.cosine_similarity(full.gradient.flatten(), tiny.gradient.flatten(), dim=0)
    return error, float(cosine), tiny.total / full.total
