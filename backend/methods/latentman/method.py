"""LatentMan (Eldesokey and Wonka, 2023): a baseline, spatial latent alignment and pixel-wise guidance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.contract.values import Canvas, Segment, Step
from backend.correspondence.chain import ReferenceMode, root_map
from backend.correspondence.types import Matches
from backend.loop.method import (
    Decode,
    FrameLoss,
    FrameReference,
    GradientThrough,
    GuideDecoder,
    Layer,
)
from backend.loop.noise import SHARED_NOISE, NoiseStream
from backend.methods.inputs import LatentManMatches, MethodInputs
from backend.methods.latentman.alignment import LatentGather, align_latents, latent_gather
from backend.methods.latentman.body_cells import segment_cells
from backend.methods.latentman.fixed_guidance import FixedGuidance, guide_frame_fixed
from backend.methods.latentman.guidance import (
    GuidanceSettings,
    PixelPairs,
    guide_frame,
    joint_losses,
    pixel_pairs,
    segment_pairs,
    single_losses,
)
from backend.methods.masactrl.method import MasaCtrl
from backend.methods.text2video_zero.method import Text2VideoZero
from shared.errors import InputError
from shared.methods import METHODS, MethodSpec
from shared.methods.latentman import LatentManSettings, span_acts

Span = tuple[float, float]
BASELINES: Mapping[str, Text2VideoZero | MasaCtrl] = MappingProxyType(
    {"text2video_zero": Text2VideoZero(), "masactrl": MasaCtrl()}
)


@dataclass(frozen=True, slots=True, eq=False)
class LatentMan:
    """`align` and `guide` are the steps, as fractions of all, of spatial latent alignment and pixel-wise guidance.

    The paper's: alignment in the first 40 %, guidance from 20 to 70 % (section 4.1: A = [0, 39], B = [20, 69] of
    100). An empty span (0, 0) turns a part off; with both off the method is its baseline, bit for bit.

    Guidance moves the cells that show the body in `part` (the shot's frames, height, width), which is 0 where there
    is background, and one cell around them; all cells without `part`. Alignment moves matched cells alone.
    """

    matches: LatentManMatches
    align: Span = (0.0, 0.4)
    guide: Span = (0.2, 0.7)
    guidance: GuidanceSettings | FixedGuidance = GuidanceSettings()
    baseline: Text2VideoZero | MasaCtrl = Text2VideoZero()
    reference_mode: ReferenceMode = "prev"
    part: NDArray[np.uint8] | None = None

    spec: ClassVar[MethodSpec] = METHODS["latentman"]

    @classmethod
    def build(cls, inputs: MethodInputs) -> LatentMan:
        """The method with a job's settings, matches and parts. Raises InputError if one that it needs is missing."""
        if inputs.matches is None:
            raise InputError("method.matches", "The method latentman needs matches of consecutive frames.")
        settings = inputs.settings
        on_body = settings.guide_extent == "body" and span_acts(settings.guide)
        if on_body and inputs.part is None:
            raise InputError("method.part", "Guidance on the body alone needs the body parts of the shot's frames.")
        return cls(
            inputs.matches,
            settings.align,
            settings.guide,
            _guidance(settings),
            BASELINES[settings.baseline],
            settings.reference_mode,
            inputs.part if on_body else None,
        )

    @property
    def gradient_through(self) -> GradientThrough:
        """As the guidance settings say."""
        return self.guidance.through

    @property
    def guide_decoder(self) -> GuideDecoder:
        """As the guidance settings say, where there is guidance."""
        return _decoder(self.guidance) if span_acts(self.guide) else "full"

    def noise_stream(self, frame: int) -> NoiseStream:
        """One stream for all frames."""
        return SHARED_NOISE

    def reads_anchor(self, layer: Layer, step: Step) -> bool:
        """As the baseline does."""
        return self.baseline.reads_anchor(layer, step)

    def prepare(self, segment: Segment, canvas: Canvas) -> LatentManHooks:
        """The segment's gather and pixel pairs. Raises InputError if the matches do not fit the segment."""
        if self.reference_mode == "first" and (segment.start or span_acts(self.guide)):
            raise InputError(
                "method.reference_mode",
                "Reference mode first aligns a shot in one segment, and does not guide.",
                "Use prev, or one segment with guide 0 to 0.",
            )
        first = max(segment.start - 1, 0)  # the frame that the segment's chain starts from
        pairs = range(first, segment.stop - 1)
        latent = _matches("latent", self.matches.latent, pairs) if span_acts(self.align) else ()
        cells = canvas.latent_height * canvas.latent_width
        for pair in latent:
            if (pair.height, pair.width) != (canvas.latent_height, canvas.latent_width):
                raise InputError(
                    "method.matches",
                    f"Matches for the alignment are {pair.width}x{pair.height}; "
                    f"the latents are {canvas.latent_width}x{canvas.latent_height}.",
                )
        roots = root_map(latent, cells, reference_mode=self.reference_mode)
        guided = _matches("guidance", self.matches.guidance, pairs) if span_acts(self.guide) else ()
        return LatentManHooks(
            self.align,
            self.guide,
            self.guidance,
            latent_gather(roots.frame, roots.cell, canvas.device),
            self._pixel_pairs(guided, canvas),
            first,
            segment.start,
            None if self.part is None else segment_cells(self.part, segment, canvas),
        )

    def _pixel_pairs(self, guided: Sequence[Matches], canvas: Canvas) -> tuple[PixelPairs, ...]:
        if isinstance(self.guidance, FixedGuidance):  # decodes whole pictures, as published
            return tuple(pixel_pairs(pair, canvas.height, canvas.width, canvas.device) for pair in guided)
        return segment_pairs(guided, canvas, self.guidance)


@dataclass(frozen=True, slots=True, eq=False)
class LatentManHooks:
    """The two parts of the method, for the segment that starts at frame `start` and whose chain does at `first`.

    `movable` are the cells that guidance may move, None for all.
    """

    align: Span
    guide: Span
    guidance: GuidanceSettings | FixedGuidance
    gather: LatentGather
    pairs: tuple[PixelPairs, ...]
    first: int
    start: int
    movable: Tensor | None  # (frames of the segment, 1, h, w) bool

    def before_unet(self, step: Step, latents: Tensor, previous: Tensor | None) -> Tensor:
        """Spatial latent alignment, from the previous segment's last frame on."""
        if not step.within(self.align):
            return latents
        if previous is None:
            return align_latents(latents, self.gather)
        return align_latents(torch.cat([previous[None], latents]), self.gather)[1:]

    def wants_gradient(self, step: Step) -> bool:
        """At the steps of pixel-wise guidance."""
        return step.within(self.guide)

    def losses(self, first: int, x0: Tensor, reference: FrameReference, decode: Decode) -> Sequence[FrameLoss | None]:
        """How far each frame's picture is from the one before it, at the matches."""
        start = first - 1 - self.first
        pairs = self.pairs[start : start + len(x0)]
        if _decoder(self.guidance) == "tiny":
            return joint_losses(x0, reference, pairs, partial(decode, decoder="tiny"))
        clamp = isinstance(self.guidance, FixedGuidance) and self.guidance.clamp
        return single_losses(x0, reference, pairs, decode, clamp=clamp)

    def guided(self, step: Step, frame: int, following: Tensor, loss: FrameLoss, gradient: Tensor) -> Tensor:
        """Pixel-wise guidance; before the step's length is found, the gradient is made 0 on cells that stay."""
        if self.movable is not None:
            gradient = gradient.where(self.movable[frame - self.start], torch.zeros_like(gradient))
        if isinstance(self.guidance, FixedGuidance):
            return guide_frame_fixed(step, following, loss, gradient, self.guidance)
        return guide_frame(step, following, loss, gradient, self.guidance)


def _guidance(settings: LatentManSettings) -> GuidanceSettings | FixedGuidance:
    """How a job's settings guide."""
    if settings.guide_rule == "fixed":
        return FixedGuidance(
            delta=settings.guide_strength,
            reduction=settings.guide_loss,
            value_range=settings.guide_range,
            clamp=settings.guide_clamp,
            through=settings.guide_through,
        )
    if settings.guide_through == "unconditional":
        raise InputError("method.guide_through", "Guidance through the unconditional half needs fixed steps.")
    return GuidanceSettings(
        strength=settings.guide_strength,
        through=settings.guide_through,
        decode=settings.guide_decode,
        decoder=settings.guide_decoder,
    )


def _decoder(guidance: GuidanceSettings | FixedGuidance) -> GuideDecoder:
    """What decodes; the published rule knows the autoencoder alone."""
    return "full" if isinstance(guidance, FixedGuidance) else guidance.decoder


def _matches(name: str, matches: Sequence[Matches], pairs: range) -> tuple[Matches, ...]:
    if len(matches) < pairs.stop:
        raise InputError(
            "method.matches",
            f"There are {name} matches for {len(matches)} pairs of frames; this segment needs {pairs.stop}.",
        )
    return tuple(matches[index] for index in pairs)
