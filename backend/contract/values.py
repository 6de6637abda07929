"""The values that an engine takes and gives. All of them are frozen; none holds a model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from shared.errors import CancelledError, InputError


def _keep_on(step: int, steps: int, x0: Tensor) -> None:
    """Ignore it."""


def _keep_on_frame(stage: str, frame: int) -> None:
    """Ignore it."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class SampleSettings:
    """What an engine needs to know of a job.

    `height` and `width` are the picture's, in pixels. `guidance_scale` above 1 turns classifier-free guidance on.
    `micro_batch` is how many frames go through the model at once, `graph_batch` how many of them with the graph that a
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
        for name, value in (
            ("steps", self.steps),
            ("height", self.height),
            ("width", self.width),
            ("micro_batch", self.micro_batch),
            ("graph_batch", self.graph_batch),
        ):
            if value is not None and value < 1:
                raise InputError("sample.settings", f"{name} is {value}; it must be at least 1.")
        if not 0 <= self.seed < 2**63:
            raise InputError("sample.settings", f"The seed is {self.seed}; it must be from 0 to 2^63 - 1.")
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
    """One denoising step. Index 0 is the noisiest; `alpha_bar` is the cumulative product at its timestep,
    `alpha_bar_after` that of what the step leads to."""

    index: int
    count: int
    timestep: int
    alpha_bar: float
    alpha_bar_after: float = 1.0

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

    latents: Tensor  # (steps, channels, h, w) x_t as the UNet saw it (after the method's `before_unet`), noisiest first
    x0: Tensor  # (steps, channels, h, w) the clean latents predicted at each step


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """What a finish keeps of the segments so far: tensors by name, on the CPU, whose size does not grow with the
    shot."""

    arrays: Mapping[str, Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """What a segment is given of those before it: the shot's frame 0, the frame before its own first one, and the
    memory of all of them.

    All are None for the segment that starts at frame 0, and each where the job has no use for it.
    """

    first: Trajectory | None = None
    previous: Trajectory | None = None
    memory: Memory | None = None


NOTHING_CARRIED = Carried()


@dataclass(frozen=True, slots=True, eq=False)
class SegmentResult:
    """A denoised segment, and what it carries on to the next."""

    latents: Tensor  # (frames, channels, h, w) on the device; scaled as the UNet has them
    first: Trajectory | None  # the shot's frame 0, None where it is not carried on
    last: Trajectory  # this segment's last frame
    memory: Memory | None = None  # of all segments so far with this one, None where nothing is kept

    @property
    def carried(self) -> Carried:
        """What the next segment is given."""
        return Carried(self.first, self.last, self.memory)


@dataclass(frozen=True, slots=True)
class Batches:
    """How many frames go through the model at once: in all, and with the graph that a gradient runs back through.

    They change memory, speed and rounding only. Raises InputError for less than one.
    """

    micro_batch: int
    graph_batch: int

    def __post_init__(self) -> None:
        if min(self.micro_batch, self.graph_batch) < 1:
            raise InputError(
                "job.batches",
                f"Batches of {self.micro_batch} and {self.graph_batch} frames are too small: both must be at least 1.",
            )


@dataclass(frozen=True, slots=True)
class Callbacks:
    """How a caller watches and stops an engine.

    `on_step(step, steps, x0)` follows each step, `step` counted from 1, with the clean latents predicted so far,
    (frames, channels, h, w). `on_frame(stage, frame)` follows what is done for one frame of the shot ahead of the
    steps, in a stage named as progress names it. `cancelled()` is asked before each call of a network; True ends in
    CancelledError.
    """

    on_step: Callable[[int, int, Tensor], None] = _keep_on
    on_frame: Callable[[str, int], None] = _keep_on_frame
    cancelled: Callable[[], bool] = _never

    def check_cancelled(self) -> None:
        """Raise CancelledError once the caller wants no more."""
        if self.cancelled():
            raise CancelledError("job.cancelled", "The job was cancelled.")


UNWATCHED = Callbacks()
