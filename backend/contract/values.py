"""The values that the denoising loop takes and gives. All of them are frozen; none holds a model."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from shared.errors import InputError


def _keep_on(step: int, steps: int, x0: Tensor) -> None:
    """Say nothing."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class SampleSettings:
    """What the loop needs to know of a job.

    `height` and `width` are the picture's, in pixels. `guidance_scale` above 1 turns classifier-free guidance on.
    `micro_batch` is how many frames go through the UNet at once, `graph_batch` how many of them with the graph that a
    gradient runs back through; None is as many as there is memory for. They change memory, speed and rounding only.
    Raises InputError for a value that cannot be used.
    """

    steps: int
    guidance_scale: float
    controlnet_scale: float
    seed: int
    height: int
    width: int
    micro_batch: int | None = None
    graph_batch: int | None = None

    def __post_init__(self) -> None:
        for name in ("steps", "height", "width", "micro_batch", "graph_batch"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError("sample.settings", f"{name} is {value}; it must be at least 1.")
        if not 0 <= self.seed < 2**63:
            raise InputError("sample.settings", f"The seed is {self.seed}; it must lie in 0..2^63-1.")
        if not (math.isfinite(self.guidance_scale) and math.isfinite(self.controlnet_scale)):
            raise InputError("sample.settings", "guidance_scale and controlnet_scale must be finite numbers.")

    @property
    def halves(self) -> int:
        """Two where classifier-free guidance runs the UNet without and with the prompt, otherwise one."""
        return 2 if self.guidance_scale > 1 else 1


@dataclass(frozen=True, slots=True)
class Segment:
    """Frames `start` to `stop - 1` of a shot, counted from 0 in the order of the shot's frames."""

    start: int
    stop: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.stop:
            raise InputError("sample.segment", f"A segment cannot run from {self.start} to {self.stop}.")

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Step:
    """One denoising step. Index 0 is the noisiest; `alpha_bar` is the cumulative product at its timestep."""

    index: int
    count: int
    timestep: int
    alpha_bar: float

    def within(self, span: tuple[float, float]) -> bool:
        """Whether this step lies in `span`, given as fractions of the steps: (0, 0.4) of 100 is steps 0..39."""
        return round(span[0] * self.count) <= self.index < round(span[1] * self.count)


@dataclass(frozen=True, slots=True)
class Canvas:
    """The sizes of one job, in latent cells and in pixels, and where its tensors live."""

    latent_height: int
    latent_width: int
    height: int
    width: int
    device: torch.device


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """One frame's way through the denoising: all that a later segment needs to know of it.

    Memory is 2 x steps x latent, whatever the shot's length.
    """

    latents: Tensor  # (steps, channels, h, w) x_t as the UNet saw it (after the alignment), noisiest first
    x0: Tensor  # (steps, channels, h, w) the clean latents predicted at each step


@dataclass(frozen=True, slots=True, eq=False)
class SegmentResult:
    """A denoised segment, and the two trajectories that the next segment takes as `anchor` and `previous`."""

    latents: Tensor  # (frames, channels, h, w) on the device; scaled as the UNet has them
    anchor: Trajectory  # the shot's frame 0
    last: Trajectory  # this segment's last frame


@dataclass(frozen=True, slots=True)
class Callbacks:
    """How a caller watches and stops the loop.

    `on_step(step, steps, x0)` follows each step, `step` counted from 1, with the clean latents predicted so far,
    (frames, channels, h, w). `cancelled()` is asked before each call of the UNet; True ends in CancelledError.
    """

    on_step: Callable[[int, int, Tensor], None] = _keep_on
    cancelled: Callable[[], bool] = _never
