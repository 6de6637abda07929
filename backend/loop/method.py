"""What a method is to the loop: the parts of it that the method supplies. The loop knows no method by name.

A method is a subclass of `FrameMethod` that says only what it does. All parts have a neutral default, so that a method
of none is each frame on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from backend.contract.values import UNWATCHED, Callbacks, Canvas, Memory, Segment, Step
from backend.loop.attending import AttentionRule, KeysValues, Layer
from backend.loop.memory import GradientThrough
from backend.loop.model import ControlPictures, FrameModel, TemporalLayers
from backend.loop.noise import NoiseStream, frame_noise
from backend.passes.shot_passes import ShotPasses
from backend.surface.shot_surface import ShotSurface
from shared.methods import MethodSettings, MethodSpec

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, eq=False)
class StepTools:
    """What a method has at hand within one step: the model, frame 0, what is remembered, the caller's wish to stop."""

    model: FrameModel
    first_x0: Tensor | None  # (1, channels, h, w) frame 0's at this step, None where the method carries none
    recorded: Callable[[Tensor], Mapping[Layer, KeysValues]]
    """What the networks' layers make of x_t (1, channels, h, w) of a picture that is no frame, for a bank: run once,
    with frame 0's prompt and control picture, each layer attending to the picture itself. Temporal layers see it as a
    segment of one frame."""
    check_cancelled: Callable[[], None]
    memory: Memory | None = None  # of the segments before, None in the first one and where the job keeps none
    _made: dict[type, Any] = field(default_factory=dict)

    def once(self, kind: type[Value], make: Callable[[], Value]) -> Value:
        """A value that is costly to make and the same for the whole step, made when it is first asked for."""
        if kind not in self._made:
            self._made[kind] = make()
        made: Value = self._made[kind]
        return made

    def decode(self, latents: Tensor) -> Tensor:
        """As `FrameModel.decode`. Raises CancelledError where the caller wants no more."""
        self.check_cancelled()
        return self.model.decode(latents)

    def encode(self, pictures: Tensor) -> Tensor:
        """As `FrameModel.encode`. Raises CancelledError where the caller wants no more."""
        self.check_cancelled()
        return self.model.encode(pictures)


@dataclass(frozen=True, slots=True, eq=False)
class FrameReference:
    """The frame before, at the same step, without a graph; `picture` is there if the guidance has decoded it."""

    x0: Tensor  # (1, channels, h, w)
    picture: Tensor | None = None  # (1, 3, height, width), where it was decoded


@dataclass(frozen=True, slots=True, eq=False)
class FrameLoss:
    """What a frame is judged by: a sum of terms, and its gradient as far as the decoder.

    The sum, not the mean, goes back through the network, for a mean's gradient underflows in half precision.
    """

    total: float
    terms: int
    gradient: Tensor  # (1, channels, h, w) of `total` with respect to x0
    picture: Tensor  # (1, 3, height, width) the frame's, without a graph


class InitialLatents(Protocol):
    """Where a segment's frames start."""

    def __call__(self, step: Step, noise: Tensor, tools: StepTools) -> Tensor:
        """The x_T of a segment's frames (frames, channels, h, w), of the noise level of `step`, the first one.

        `noise` is what they would have otherwise.
        """
        ...


class BeforeUnet(Protocol):
    """A change of x_t before the networks see it."""

    def __call__(self, step: Step, latents: Tensor, previous: Tensor | None) -> Tensor:
        """The segment's x_t (frames, channels, h, w) as the UNet shall see it.

        `previous` (channels, h, w) is the x_t of the frame before the segment as the UNet saw it, None in a shot's
        first segment.
        """
        ...


class CleanLatents(Protocol):
    """A change of the clean latents that a step predicts, all of a segment's frames together."""

    def acts(self, step: Step) -> bool:
        """Whether it does anything at this step."""
        ...

    def changed(self, step: Step, x0: Tensor, tools: StepTools) -> Tensor:
        """The x0 to go on with, (frames, channels, h, w); the predicted noise is held."""
        ...


class Guidance(Protocol):
    """Frames judged by a loss on their pictures, whose gradient moves them, one after the other."""

    @property
    def through(self) -> GradientThrough:
        """How far back the gradient of a frame's loss is taken."""
        ...

    def acts(self, step: Step) -> bool:
        """Whether frames are judged and guided at this step."""
        ...

    def losses(self, first: int, x0: Tensor, reference: FrameReference, tools: StepTools) -> Sequence[FrameLoss | None]:
        """Judge the x0 (n, channels, h, w) of frames from `first` on; None leaves a frame alone.

        `reference` is the frame before `first`. Called with gradients enabled, never for the shot's frame 0.
        """
        ...

    def guided(self, step: Step, frame: int, following: Tensor, loss: FrameLoss, gradient: Tensor) -> Tensor:
        """The x_{t-1} of the shot's frame `frame`, `following` being the scheduler's: each (1, channels, h, w).

        `gradient` is that of `loss.total`, as far back as `through`.
        """
        ...


class Finish(Protocol):
    """A last change of decoded frames, by what is remembered of the segments so far.

    A segment's memory is all that it hands on: the same pictures and memory give the same bytes in any process.
    """

    def learned(self, segment: Segment, pictures: Tensor, memory: Memory | None) -> Memory:
        """The memory with a segment in it, from its pictures (frames, 3, height, width), 0..1, before any finish.

        `memory` is that of the segments before, None for the shot's first.
        """
        ...

    def finished(self, segment: Segment, pictures: Tensor, memory: Memory) -> Tensor:
        """The segment's pictures as they are shown, of the same shape; `memory` is what `learned` gave for it."""
        ...

    def files(self, memory: Memory) -> Mapping[str, bytes]:
        """The job's result files by what they are (`atlas`), from the last segment's memory."""
        ...

    def notes(self, memory: Memory) -> tuple[str, ...]:
        """What it chose, a sentence each, from the last segment's memory."""
        ...


class Enlarge(Protocol):
    """What makes each finished picture larger, by itself."""

    @property
    def factor(self) -> int:
        """How many times higher and wider pictures become."""
        ...

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A picture (height, width, 3), `factor` times as high and wide."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What a method puts into the loop for one run of a segment. What they keep is made in that run and ends with it.

    `bank` gives keys and values of pictures that are no frames of the shot (`StepTools.recorded`). `temporal` goes with
    neither guidance nor, in later segments, attention to frames of earlier ones.
    """

    attention: AttentionRule | None = None
    bank: Callable[[Step, StepTools], Mapping[Layer, KeysValues]] | None = None
    initial_latents: InitialLatents | None = None
    before_unet: BeforeUnet | None = None
    clean_latents: CleanLatents | None = None
    guidance: Guidance | None = None
    temporal: TemporalLayers | None = None


@dataclass(frozen=True, slots=True, eq=False)
class MethodInputs:
    """What a method is built from: its settings and seed in the job, the passes of the shot and their surface."""

    settings: MethodSettings
    passes: ShotPasses
    latent_factor: int  # pixels a latent cell, along each side
    surface: ShotSurface  # nothing of it is made before it is asked for
    seed: int = 0
    prompts: tuple[str, ...] = ()  # those of the first segment's frames
    background: Literal["auto", "keep", "plate"] = "auto"  # what becomes of it, `FinishSettings`


@dataclass(frozen=True, slots=True, eq=False)  # a subclass that holds arrays must not inherit an equality
class FrameMethod:
    """A published method. A subclass overrides what it changes and says nothing of the rest."""

    spec: ClassVar[MethodSpec]

    @classmethod
    def build(cls, inputs: MethodInputs) -> FrameMethod:
        """The method for one job. Raises InputError if something that it needs is not there."""
        return cls()

    def noise_stream(self, frame: int) -> NoiseStream:
        """Which stream of the seed a frame's initial noise comes from: each frame's own."""
        return frame_noise(frame)

    def prepare(self, segment: Segment, canvas: Canvas, callbacks: Callbacks = UNWATCHED) -> Parts:
        """The parts for one segment. Raises InputError if the method's data does not fit it.

        Called once for each run of a segment: what its parts keep lasts for that run and no longer.
        """
        return Parts()

    @property
    def gradient_through(self) -> GradientThrough:
        """How far back the method takes gradients, to plan memory by; no further than x0 where it takes none."""
        return "decoder"

    @property
    def model_parts(self) -> frozenset[str]:
        """Optional parts of the model that the method uses, as `shared.models` names them."""
        return frozenset()

    @property
    def control_pictures(self) -> ControlPictures | None:
        """Control pictures of the method's own; None for the shot's depth."""
        return None

    @property
    def finish(self) -> Finish | None:
        """What is done to decoded frames where the job itself asks for nothing, None for nothing."""
        return None
