"""What a method is to the denoising loop: a few declarations and hooks. The loop knows no method by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from torch import Tensor

from backend.contract.values import Canvas, Segment, Step
from backend.loop.noise import NoiseStream
from shared.methods import MethodSpec


@dataclass(frozen=True, slots=True)
class CellBox:
    """Rows `top` to `bottom - 1` and columns `left` to `right - 1` of a map of cells or pixels."""

    top: int
    left: int
    bottom: int
    right: int

    def scaled(self, factor: int) -> CellBox:
        """The same box where each cell is `factor` cells wide and high."""
        return CellBox(self.top * factor, self.left * factor, self.bottom * factor, self.right * factor)

    def halved(self) -> CellBox:
        """The smallest box of cells twice as large that covers it."""
        return CellBox(self.top // 2, self.left // 2, -(-self.bottom // 2), -(-self.right // 2))

    def grown(self, cells: int, height: int, width: int) -> CellBox:
        """The box with `cells` more on each side, inside a height x width map."""
        return CellBox(
            max(self.top - cells, 0),
            max(self.left - cells, 0),
            min(self.bottom + cells, height),
            min(self.right + cells, width),
        )

    def joined(self, other: CellBox) -> CellBox:
        """The smallest box that covers both."""
        return CellBox(
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )

    def cut_from(self, values: Tensor, place: CellBox) -> Tensor:
        """This box's part of values (..., height, width) that lie at `place`, a box around it."""
        rows = slice(self.top - place.top, self.bottom - place.top)
        columns = slice(self.left - place.left, self.right - place.left)
        return values[..., rows, columns]


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of a picture to be decoded, in latent cells, and whose group norm statistics the decoder shall take.

    "own": those of the latents at hand, at the cost of a whole decode without gradients; "first": those of the shot's
    frame 0 at the same step, measured once a step for all frames.
    """

    box: CellBox
    statistics: Literal["own", "first"]


GuideDecoder = Literal["full", "tiny"]
"""What decodes for a method's hooks: the model's autoencoder, or the small one that follows it."""


class Decode(Protocol):
    """Latents to pictures at one step."""

    def __call__(self, latents: Tensor, crop: Crop | None = None, decoder: GuideDecoder = "full") -> Tensor:
        """Latents (n, channels, h, w) -> pictures (n, 3, height, width), differentiable, not clamped.

        0 is black, 1 white. With a crop the pictures are 0 outside it, and n is 1; the tiny decoder has no norms, so
        that it takes of a crop only the box, and any n.
        """
        ...


GradientThrough = Literal["decoder", "unet", "controlnet", "unconditional"]
"""What a gradient runs through, and so what it is taken with respect to.

"decoder": the decoder alone, with respect to x0; "unet": UNet and decoder, with respect to x_t; "controlnet": the
ControlNet too; "unconditional": as "unet", but with respect to the copy of x_t that the UNet sees without the prompt,
taken for an input of its own, x_t itself being a constant.
"""


@dataclass(frozen=True, slots=True)
class Layer:
    """One self-attention layer. `block` counts its model's transformer blocks in the order they run, from 0."""

    model: Literal["unet", "controlnet"]
    name: str
    block: int


@dataclass(frozen=True, slots=True, eq=False)
class FrameReference:
    """The frame before, at the same step, without a graph; `picture` is there if a hook has decoded it."""

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


class StepHooks(Protocol):
    """A method's part in each step of one segment. Hooks keep no state between calls."""

    def before_unet(self, step: Step, latents: Tensor, previous: Tensor | None) -> Tensor:
        """The segment's x_t (frames, channels, h, w) as the UNet shall see it.

        `previous` (channels, h, w) is the x_t of the frame before the segment as the UNet saw it, None in a shot's
        first segment.
        """
        ...

    def wants_gradient(self, step: Step) -> bool:
        """Whether frames are judged and guided at this step."""
        ...

    def losses(self, first: int, x0: Tensor, reference: FrameReference, decode: Decode) -> Sequence[FrameLoss | None]:
        """Judge the x0 (n, channels, h, w) of frames from `first` on; None leaves a frame alone.

        `reference` is the frame before `first`. Called with gradients enabled, never for the shot's frame 0.
        """
        ...

    def guided(self, step: Step, frame: int, following: Tensor, loss: FrameLoss, gradient: Tensor) -> Tensor:
        """The x_{t-1} of the shot's frame `frame`, `following` being the scheduler's: each (1, channels, h, w).

        `gradient` is that of `loss.total`, as far back as the method's `gradient_through`.
        """
        ...


class Method(Protocol):
    """A published method: what it needs, and the parts of the loop that it changes."""

    spec: ClassVar[MethodSpec]

    @property
    def gradient_through(self) -> GradientThrough:
        """How far back the gradient of a frame's loss is taken."""
        ...

    @property
    def guide_decoder(self) -> GuideDecoder:
        """What decodes for the loss. The tiny decoder's graphs of a batch are alive at once, the full one's are not."""
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

    def losses(self, first: int, x0: Tensor, reference: FrameReference, decode: Decode) -> Sequence[FrameLoss | None]:
        """Nothing."""
        return [None] * len(x0)

    def guided(self, step: Step, frame: int, following: Tensor, loss: FrameLoss, gradient: Tensor) -> Tensor:
        """The scheduler's x_{t-1} as it is."""
        return following
