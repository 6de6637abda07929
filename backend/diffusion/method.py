"""What a method is to the denoising loop: a few declarations and hooks. The loop knows no method by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from torch import Tensor

from backend.diffusion.noise import NoiseStream
from backend.diffusion.values import Canvas, Segment, Step

Decode = Callable[[Tensor], Tensor]
"""Latents (1, channels, h, w) -> picture (1, 3, height, width), 0..1 where valid, not clamped, differentiable."""


GradientThrough = Literal["decoder", "unet", "controlnet"]
"""What a gradient runs through: the decoder alone; UNet and decoder; ControlNet, UNet and decoder."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One self-attention layer. `block` counts its model's transformer blocks in the order they run, from 0."""

    model: Literal["unet", "controlnet"]
    name: str
    block: int


@dataclass(frozen=True, slots=True)
class Needs:
    """What a method needs beyond prompt and depth.

    `anchor`: later segments need frame 0's trajectory; `previous`: the trajectory of the frame before them;
    `correspondence`: matches of consecutive frames.
    """

    anchor: bool = False
    previous: bool = False
    correspondence: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class FrameSample:
    """One frame at one step, with the graph from `latents` to `x0` that the method's `gradient_through` asks for."""

    latents: Tensor  # (1, channels, h, w) x_t, a leaf; requires its gradient unless that ends at the decoder
    x0: Tensor  # (1, channels, h, w) predicted clean latents, in the graph
    next: Tensor  # (1, channels, h, w) x_{t-1} of the scheduler, detached


@dataclass(frozen=True, slots=True, eq=False)
class FrameReference:
    """The frame before, at the same step, without a graph; `picture` is there if a hook has decoded it."""

    x0: Tensor  # (1, channels, h, w)
    picture: Tensor | None = None  # (1, 3, height, width)


@dataclass(frozen=True, slots=True, eq=False)
class Guided:
    """What `after_unet` gives back: the x_{t-1} to go on with, and the frame's picture if it was decoded."""

    latents: Tensor  # (1, channels, h, w)
    picture: Tensor | None = None  # (1, 3, height, width), detached


class StepHooks(Protocol):
    """A method's part in each step of one segment. Hooks keep no state between calls."""

    def before_unet(self, step: Step, latents: Tensor, previous: Tensor | None) -> Tensor:
        """The segment's x_t (frames, channels, h, w) as the UNet shall see it.

        `previous` (channels, h, w) is the x_t of the frame before the segment as the UNet saw it, None in a shot's
        first segment.
        """
        ...

    def wants_gradient(self, step: Step) -> bool:
        """Whether `after_unet` shall be called at this step; frames then run one at a time, with their graph."""
        ...

    def after_unet(
        self, step: Step, frame: int, sample: FrameSample, reference: FrameReference, decode: Decode
    ) -> Guided:
        """One frame's x_{t-1}, changed by whatever its gradient says. Never called for the shot's frame 0."""
        ...


class Method(Protocol):
    """A published method: what it needs, and the parts of the loop that it changes."""

    name: ClassVar[str]
    needs: ClassVar[Needs]

    @property
    def gradient_through(self) -> GradientThrough:
        """How far the graph behind `FrameSample.x0` reaches."""
        ...

    def noise_stream(self, frame: int) -> NoiseStream:
        """Which stream of the seed a frame's initial noise comes from."""
        ...

    def reads_anchor(self, layer: Layer, step: Step) -> bool:
        """Whether `layer` takes its keys and values from frame 0 at this step."""
        ...

    def prepare(self, segment: Segment, canvas: Canvas) -> StepHooks:
        """The hooks for one segment. Raises InputError if the method's data does not fit it."""
        ...


class NoHooks:
    """Hooks of a method that changes nothing around the UNet."""

    def before_unet(self, step: Step, latents: Tensor, previous: Tensor | None) -> Tensor:
        """The latents as they are."""
        return latents

    def wants_gradient(self, step: Step) -> bool:
        """Never."""
        return False

    def after_unet(
        self, step: Step, frame: int, sample: FrameSample, reference: FrameReference, decode: Decode
    ) -> Guided:
        """The scheduler's x_{t-1} as it is."""
        return Guided(sample.next)
