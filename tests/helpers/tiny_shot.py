"""A made-up shot for tiny models: depth pictures and random matches, and its latents."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.contract.values import NOTHING_CARRIED, SampleSettings, Segment, SegmentResult, Trajectory
from backend.correspondence.types import Matches
from backend.loop.engine import FrameEngine
from backend.loop.method import FrameMethod, StepTools
from backend.loop.model import pictures_of
from backend.methods.latentman.body_cells import PartReader
from backend.methods.latentman.matches import LatentManMatches
from backend.models.sd15.components import Components
from backend.models.sd15.model import StableDiffusion
from backend.models.sd15.text import PromptEmbeds, encode_prompt


def random_depth(frames: int, size: int, seed: int = 0) -> NDArray[np.float32]:
    """Depth pictures (frames, size, size), smooth over time, 0..1."""
    generator = np.random.default_rng(seed)
    base, drift = generator.random((2, size, size))
    depth = np.stack([np.clip(base + 0.1 * frame * (drift - 0.5), 0, 1) for frame in range(frames)])
    return np.asarray(depth, np.float32)


def random_pair(generator: np.random.Generator, count: int, size: int) -> Matches:
    """`count` random matches of a size x size picture."""
    current = np.sort(generator.permutation(size * size)[:count])
    reference = generator.permutation(size * size)[:count]
    return Matches(current, reference, size, size)


def random_matches(frames: int, latent_size: int, guidance_size: int, seed: int = 1) -> LatentManMatches:
    """Matches of consecutive frames for a quarter of the cells and of the pixels."""
    generator = np.random.default_rng(seed)
    latent = [random_pair(generator, latent_size**2 // 4, latent_size) for _ in range(frames - 1)]
    guidance = [random_pair(generator, guidance_size**2 // 4, guidance_size) for _ in range(frames - 1)]
    return LatentManMatches(latent, guidance)


def body_everywhere(size: int) -> PartReader:
    """The parts of pictures, `size` square, that show nothing but the body."""
    return lambda frames: np.ones((len(frames), size, size), np.uint8)


def shifted_pair(size: int, rows: int, columns: int) -> Matches:
    """What moved by whole pixels: (r, c) now was (r - rows, c - columns) before, where that is in the picture."""
    row, column = np.divmod(np.arange(size * size), size)
    before_row, before_column = row - rows, column - columns
    inside = (before_row >= 0) & (before_row < size) & (before_column >= 0) & (before_column < size)
    return Matches(np.flatnonzero(inside), (before_row * size + before_column)[inside], size, size)


def engine(
    components: Components,
    method: FrameMethod,
    depth: NDArray[np.float32],
    settings: SampleSettings,
    prompt: PromptEmbeds | None = None,
) -> FrameEngine:
    """The engine of a shot whose depth pictures (frames, height, width) are all of its frames'."""
    prompt = prompt or encode_prompt(components, "a red robot", "blurry")
    return FrameEngine(StableDiffusion(components, prompt), method, pictures_of(depth), settings)


def step_tools(components: Components, first_x0: Tensor | None = None) -> StepTools:
    """What a method has at hand in a step that nobody stops."""
    nothing = torch.zeros(1, 1, 1)
    model = StableDiffusion(components, PromptEmbeds(nothing, nothing))
    return StepTools(model, first_x0, lambda latents: {}, lambda: None)


def sample_in_segments(
    components: Components,
    method: FrameMethod,
    depth: NDArray[np.float32],
    settings: SampleSettings,
    cuts: Sequence[int],
    prompt: PromptEmbeds | None = None,
) -> Tensor:
    """The latents (frames, channels, h, w) of a shot denoised in the segments between `cuts`, one after the other."""
    whole, parts, carried = engine(components, method, depth, settings, prompt), [], NOTHING_CARRIED
    for start, stop in pairwise(cuts):
        result = whole.sample(Segment(start, stop), carried)
        parts.append(result.latents)
        carried = result.carried
    return torch.cat(parts)


def first_of(result: SegmentResult) -> Trajectory:
    """The trajectory of the shot's frame 0, which the segment ran or carries on."""
    assert result.first is not None
    return result.first
