"""What the loop asks of a model family: its networks behind a few calls, with one job's prompt already in them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.contract.values import Canvas, SampleSettings, Segment
from backend.loop.attending import AttentionContext, Layer
from backend.loop.memory import FrameMemory

ControlPictures = Callable[[range], NDArray[np.float32]]
"""The control pictures of some frames of the shot: (frames, height, width) grey or (frames, 3, height, width), 0..1."""


def pictures_of(shot: NDArray[np.float32]) -> ControlPictures:
    """Control pictures of a whole shot that is in memory, (frames, height, width) or (frames, 3, height, width)."""
    return lambda frames: shot[frames.start : frames.stop]


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames of one model call by their index in the shot: carried ones that run again, then a run of others."""

    carried: tuple[int, ...]
    own: range

    @property
    def all(self) -> tuple[int, ...]:
        """Every frame, in the order of the batch."""
        return (*self.carried, *self.own)

    def __len__(self) -> int:
        return len(self.carried) + len(self.own)


class TemporalLayers(Protocol):
    """Layers of a method's own behind the transformer blocks of the model, which see a segment's frames together."""

    def after(self, block: str, hidden: Tensor, frames: int) -> Tensor:
        """What goes on from a transformer block, by the name of its module in the UNet.

        `hidden` is (halves x frames, channels, h, w), and so is the result.
        """
        ...


class Scheduler(Protocol):
    """The parts of diffusers' schedulers that the loop uses."""

    timesteps: Tensor
    alphas_cumprod: Tensor
    final_alpha_cumprod: Tensor
    config: Any

    def step(self, model_output: Tensor, timestep: int, sample: Tensor, *, return_dict: bool) -> tuple[Tensor, ...]:
        """x_{t-1} and x0 of x_t."""
        ...


class Denoiser(Protocol):
    """The networks' prediction for the frames of one segment, with the segment's prompts and control pictures."""

    def copies(self, latents: Tensor) -> Tensor:
        """The networks' input: the frames (n, channels, h, w) once for each half, first those without the prompt."""
        ...

    def predict_copies(
        self,
        doubled: Tensor,  # (halves x n, channels, h, w) of `copies`
        frames: Frames,
        timestep: int,
        context: AttentionContext,
        *,
        control_gradient: bool = False,
    ) -> Tensor:
        """Noise or velocity, as the model was trained, (n, channels, h, w), guided by the prompt.

        Runs with gradients where they are enabled; what the control pictures add only with `control_gradient`.
        """
        ...


class FrameModel(Protocol):
    """A model of single pictures, as the frame-by-frame engine uses it."""

    @property
    def device(self) -> torch.device:
        """Where its tensors live."""
        ...

    @property
    def dtype(self) -> torch.dtype:
        """The networks' precision."""
        ...

    @property
    def state_dtype(self) -> torch.dtype:
        """The precision of latents, guidance and losses."""
        ...

    @property
    def latent_channels(self) -> int:
        """Channels of the latents."""
        ...

    @property
    def latent_factor(self) -> int:
        """Pixels a latent cell, along each side."""
        ...

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Every self-attention layer, in the order in which they run."""
        ...

    @property
    def prompt_cut(self) -> str:
        """The end of the prompt that the encoder had no room for."""
        ...

    def scheduler(self, steps: int) -> Scheduler:
        """A scheduler for one run. Raises InputError for more steps than the model was trained with."""
        ...

    def denoiser(
        self,
        settings: SampleSettings,
        segment: Segment,
        controls: ControlPictures,
        temporal: TemporalLayers | None = None,
    ) -> AbstractContextManager[Denoiser]:
        """The prediction for a segment, while the context lasts. Raises InputError for control pictures that do not
        fit, and for prompts of fewer frames."""
        ...

    def decode(self, latents: Tensor) -> Tensor:
        """Latents (n, channels, h, w) -> pictures (n, 3, height, width), 0 black and 1 white, not clamped; the
        gradient runs through."""
        ...

    def encode(self, pictures: Tensor) -> Tensor:
        """Pictures (n, 3, height, width) -> latents (n, channels, h, w), the mean of the encoder's distribution."""
        ...

    def preview(self, x0: Tensor) -> Tensor:
        """A quick picture (3, h, w) in 0..1, on the CPU, of clean latents (channels, h, w)."""
        ...

    def frame_memory(self, canvas: Canvas, halves: int, parts: frozenset[str]) -> FrameMemory:
        """What one frame takes; `parts` are the optional parts of the model that the method uses."""
        ...

    def recomputing(self) -> AbstractContextManager[None]:
        """Inside, activations are computed again on a gradient's way back: slower, less memory, the same result."""
        ...
