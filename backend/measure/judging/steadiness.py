"""How much each method steadies a shot on the embedded model, beside what no method can beat.

The floor is what remains when a perfect painter's renders of the same shot go through the autoencoder.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from backend.contract.values import SampleSettings, Segment
from backend.correspondence.chart_index import chart_index
from backend.correspondence.surface import match_surface
from backend.correspondence.types import Matches
from backend.loop.engine import FrameEngine
from backend.loop.method import FrameMethod
from backend.loop.model import pictures_of
from backend.make.training.autoencoder import to_pixels
from backend.make.training.judging.trial_shot import TrialShot, render_trial_shot
from backend.make.training.prompts import Scene
from backend.make.training.renders.figure import load_training_body
from backend.measure.metrics.background import background_change
from backend.measure.metrics.h_mse import h_mse
from backend.measure.metrics.sharpness import sharpness
from backend.methods.latentman.matches import LatentManMatches
from backend.methods.latentman.method import LatentMan
from backend.methods.per_frame.method import PerFrame
from backend.methods.shared_noise.method import SharedNoise
from backend.methods.text2video_zero.method import Text2VideoZero
from backend.models.sd15.components import Components, load_components
from backend.models.sd15.decode import decode_frames
from backend.models.sd15.model import StableDiffusion
from backend.models.sd15.text import encode_prompt
from backend.models.sd15.tiny_decoder import with_tiny_decoder
from backend.models.sources import find_sources
from backend.passes.shot_passes import ShotPasses, depth_pictures
from shared.methods.latentman import LatentManSettings

NEVER = (0.0, 0.0)
LOOK_PX = 16.0  # standard deviation of the smoothing that leaves colours and costume, and takes texture and edges away
SHOTS = (
    ("walk", Scene("robot", "silver", "walking", "moon")),
    ("dance", Scene("clown", None, "dancing", "stage")),
    ("wave", Scene("superhero", "red", "waving", "city")),
    ("jump", Scene("knight", "blue", "jumping", "mountains")),
    ("dance", Scene("astronaut", None, "dancing", "beach")),
    ("walk", Scene("pirate", "green", "walking", "street")),
    ("wave", Scene("footballer", None, "waving", "field")),
    ("jump", Scene("wizard", "purple", "jumping", "desert")),
)


@dataclass(frozen=True, slots=True)
class SteadinessPlan:
    """What is sampled: frames a shot, steps, guidance and seeds."""

    frames: int = 8
    steps: int = 20
    guidance: float = 2.0
    seeds: tuple[int, ...] = (0, 1)
    settings: LatentManSettings = LatentManSettings()


@dataclass(frozen=True, slots=True)
class Row:
    """One method's figures over all shots and seeds: squared differences on 0..255, and sharpness.

    `background` is what changes between consecutive frames off the body; `look_1` is `lag_1` of pictures smoothed over
    the body by LOOK_PX.
    """

    name: str
    lag_1: float
    lag_4: float
    look_1: float
    background: float
    sharpness: float


def measure_steadiness(model: Path, plan: SteadinessPlan) -> list[Row]:
    """A row a method, from none to all of LatentMan, then the renders through the autoencoder and the renders."""
    body, components = load_training_body(), load_components(str(model), "cpu", "auto")
    if plan.settings.guide_decoder == "tiny":
        components = with_tiny_decoder(components, find_sources(str(model)))
    found: dict[str, list[tuple[float, ...]]] = {}
    for number, (motion, scene) in enumerate(SHOTS):
        shot = render_trial_shot(body, motion, scene, plan.frames, number)
        lags = tuple(_matches(shot.passes, 256, 256, lag) for lag in (1, 4))
        for name, method in _methods(shot.passes, plan.settings).items():
            for seed in plan.seeds:
                pictures = _sample(components, method, shot, plan, seed)
                found.setdefault(name, []).append(_figures(pictures, shot.passes, lags))
        for name, pictures in (("floor", _coded(components, shot.renders)), ("renders", shot.renders)):
            found.setdefault(name, []).append(_figures(pictures, shot.passes, lags))
    return [_row(name, values) for name, values in found.items()]


def _row(name: str, values: list[tuple[float, ...]]) -> Row:
    return Row(name, *(round(float(value), 2) for value in np.mean(values, axis=0)))


def _methods(passes: ShotPasses, settings: LatentManSettings) -> dict[str, FrameMethod]:
    matches = LatentManMatches(latent=_matches(passes, 32, 32, 1), guidance=_matches(passes, 256, 256, 1))

    def latentman(chosen: LatentManSettings) -> FrameMethod:
        return LatentMan.with_matches(chosen, matches, passes.parts)

    return {
        "per_frame": PerFrame(),
        "shared_noise": SharedNoise(),
        "text2video_zero": Text2VideoZero(),
        "latentman, alignment alone": latentman(replace(settings, guide=NEVER)),
        "latentman, guidance alone": latentman(replace(settings, align=NEVER)),
        "latentman": latentman(settings),
    }


def _matches(passes: ShotPasses, height: int, width: int, lag: int) -> list[Matches]:
    index = chart_index(passes.charts)
    frames = range(lag, len(passes.shot.frames))
    return [match_surface(passes, index, frame, frame - lag, height, width) for frame in frames]


def _sample(
    components: Components, method: FrameMethod, shot: TrialShot, plan: SteadinessPlan, seed: int
) -> NDArray[np.uint8]:
    depth = depth_pictures(shot.passes, shot.passes.positions)
    settings = SampleSettings(plan.steps, plan.guidance, 1.0, seed, *depth.shape[1:])
    prompt = encode_prompt(components, shot.prompt, "")
    engine = FrameEngine(StableDiffusion(components, prompt), method, pictures_of(depth), settings)
    result = engine.sample(Segment(0, len(depth)))
    return np.concatenate([decode_frames(components, latent[None]) for latent in result.latents])


@torch.no_grad()
def _coded(components: Components, renders: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The renders through the autoencoder."""
    vae = components.vae
    coded = []
    for picture in renders:
        pixels = to_pixels(picture[None], components.device).to(components.dtype)
        latent = vae.encode(pixels).latent_dist.mode() * vae.config.scaling_factor
        coded.append(decode_frames(components, latent))
    return np.concatenate(coded)


def _figures(pictures: NDArray[np.uint8], passes: ShotPasses, lags: tuple[list[Matches], ...]) -> tuple[float, ...]:
    near, far = (h_mse(pictures, matches, lag=lag).mean for matches, lag in zip(lags, (1, 4), strict=True))
    part = passes.parts(passes.positions)
    look = h_mse(smoothed_over_body(pictures, part, LOOK_PX), lags[0], lag=1).mean
    behind, sharp = background_change(pictures, passes), sharpness(pictures, part).mean
    found = (near, far, look, behind.mean if behind else None, sharp)
    return tuple(float("nan") if value is None else value for value in found)


def smoothed_over_body(pictures: NDArray[np.uint8], part: NDArray[np.uint8], sigma_px: float) -> NDArray[np.float64]:
    """Pictures (frames, H, W, 3) whose every body pixel is the Gaussian mean of the body pixels about it.

    `part` (frames, H, W) is above 0 on the body; other pixels become 0.
    """
    smooth = []
    for picture, inside in zip(pictures.astype(np.float64), (part > 0).astype(np.float64)[..., None], strict=True):
        total = gaussian_filter(picture * inside, (sigma_px, sigma_px, 0))
        share = gaussian_filter(inside, (sigma_px, sigma_px, 0))
        smooth.append(np.where(inside > 0, total / np.maximum(share, 1e-9), 0))
    return np.stack(smooth)


def write_steadiness(model: Path, target: Path, plan: SteadinessPlan) -> list[Row]:
    """Measure, and keep the rows as JSON."""
    rows = measure_steadiness(model, plan)
    target.write_text(json.dumps([{field: getattr(row, field) for field in Row.__slots__} for row in rows], indent=1))
    return rows
