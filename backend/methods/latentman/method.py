"""LatentMan (Eldesokey and Wonka, 2023): a baseline, spatial latent alignment and pixel-wise guidance."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from backend.contract.values import UNWATCHED, Callbacks, Canvas, Segment, Step
from backend.correspondence.chain import ReferenceMode, root_map
from backend.correspondence.types import Matches
from backend.loop.memory import GradientThrough
from backend.loop.method import FrameLoss, FrameMethod, FrameReference, MethodInputs, Parts, StepTools
from backend.loop.noise import NoiseStream
from backend.methods.latentman.alignment import LatentGather, align_latents, latent_gather
from backend.methods.latentman.body_cells import PartReader, segment_cells
from backend.methods.latentman.fixed_guidance import FixedGuidance
from backend.methods.latentman.guidance import AdaptiveGuidance, GuidanceRule
from backend.methods.latentman.matches import LatentManMatches
from backend.methods.latentman.pixel_pairs import PixelPairs
from backend.methods.latentman.shot_matcher import latentman_matches
from backend.methods.latentman.step_decoder import StepDecoder
from backend.methods.masactrl.method import MasaCtrl
from backend.methods.text2video_zero.method import Text2VideoZero
from shared.errors import InputError
from shared.methods import METHODS, MethodSpec
from shared.methods.latentman import LatentManSettings
from shared.methods.setting import settings_as, span_acts
from shared.models.sd15 import TINY_VAE

Span = tuple[float, float]
BASELINES: Mapping[str, FrameMethod] = MappingProxyType({"text2video_zero": Text2VideoZero(), "masactrl": MasaCtrl()})


@dataclass(frozen=True, slots=True, eq=False)
class LatentMan(FrameMethod):
    """`align` and `guide` are the steps, as fractions of all, of spatial latent alignment and pixel-wise guidance.

    The paper's: alignment in the first 40 %, guidance from 20 to 70 % (section 4.1: A = [0, 39], B = [20, 69] of
    100). An empty span (0, 0) turns a part off; with both off the method is its baseline, bit for bit.

    Guidance moves the cells that show the body, as `parts` reads it, and `around` cells around them; all cells without
    `parts`. Alignment moves matched cells alone.
    """

    matches: LatentManMatches
    align: Span = (0.0, 0.4)
    guide: Span = (0.2, 0.7)
    guidance: GuidanceRule = AdaptiveGuidance()
    baseline: FrameMethod = Text2VideoZero()
    reference_mode: ReferenceMode = "prev"
    parts: PartReader | None = None
    around: int = 1

    spec: ClassVar[MethodSpec] = METHODS["latentman"]

    @classmethod
    def build(cls, inputs: MethodInputs) -> LatentMan:
        """The method with a job's settings, on the shot's passes. Raises InputError for settings that do not fit."""
        settings = settings_as(inputs.settings, LatentManSettings)
        matches = latentman_matches(inputs.passes, settings, inputs.latent_factor)
        return cls.with_matches(settings, matches, inputs.passes.parts)

    @classmethod
    def with_matches(cls, settings: LatentManSettings, matches: LatentManMatches, parts: PartReader) -> LatentMan:
        """The method with a job's settings on matches that are there already. Raises InputError as `build` does."""
        on_body = settings.guide_extent == "body" and span_acts(settings.guide)
        return cls(
            matches,
            settings.align,
            settings.guide,
            _guidance(settings),
            BASELINES[settings.baseline],
            settings.reference_mode,
            parts if on_body else None,
            settings.guide_around,
        )

    @property
    def gradient_through(self) -> GradientThrough:
        """As the guidance has it."""
        return self.guidance.through

    @property
    def model_parts(self) -> frozenset[str]:
        """The tiny decoder, where guidance looks through it."""
        return frozenset({TINY_VAE.name}) if span_acts(self.guide) and self.guidance.decoder == "tiny" else frozenset()

    def noise_stream(self, frame: int) -> NoiseStream:
        """As the baseline has it."""
        return self.baseline.noise_stream(frame)

    def prepare(self, segment: Segment, canvas: Canvas, callbacks: Callbacks = UNWATCHED) -> Parts:
        """The baseline's attention, and the two parts. Raises InputError if the matches do not fit the segment."""
        if self.reference_mode == "first" and (segment.start or span_acts(self.guide)):
            raise InputError(
                "method.reference_mode",
                'The reference mode "first" needs the shot in one segment, without guidance.',
                'Use "prev", or one segment and guide at 0 to 0.',
            )
        first = max(segment.start - 1, 0)  # the frame that the segment's chain starts from
        latent, guided = self._pairs(range(first, segment.stop - 1), callbacks)
        return dataclasses.replace(
            self.baseline.prepare(segment, canvas, callbacks),
            before_unet=self._alignment(latent, canvas) if span_acts(self.align) else None,
            guidance=self._pixel_guidance(guided, first, segment, canvas) if span_acts(self.guide) else None,
        )

    def _pairs(self, pairs: range, callbacks: Callbacks) -> tuple[list[Matches], list[Matches]]:
        """The matches of these pairs of frames at both sizes, none for a part that is off."""
        latent = self.matches.latent if span_acts(self.align) else None
        guidance = self.matches.guidance if span_acts(self.guide) else None
        _check_count("latent", latent, pairs)
        _check_count("guidance", guidance, pairs)
        found: tuple[list[Matches], list[Matches]] = ([], [])
        for pair in pairs:
            callbacks.check_cancelled()
            if latent is not None or guidance is not None:
                callbacks.on_frame("correspondence", pair + 1)
            for matches, one in zip((latent, guidance), found, strict=True):
                if matches is not None:
                    one.append(matches[pair])
        return found

    def _alignment(self, latent: Sequence[Matches], canvas: Canvas) -> Alignment:
        for pair in latent:
            if (pair.height, pair.width) != (canvas.latent_height, canvas.latent_width):
                raise InputError(
                    "method.matches",
                    f"Matches for the alignment are {pair.width}x{pair.height}; "
                    f"the latents are {canvas.latent_width}x{canvas.latent_height}.",
                )
        roots = root_map(latent, canvas.latent_height * canvas.latent_width, reference_mode=self.reference_mode)
        return Alignment(self.align, latent_gather(roots.frame, roots.cell, canvas.device))

    def _pixel_guidance(self, guided: Sequence[Matches], first: int, segment: Segment, canvas: Canvas) -> PixelGuidance:
        movable = None if self.parts is None else segment_cells(self.parts, segment, canvas, self.around)
        pairs = self.guidance.pairs(guided, canvas)
        return PixelGuidance(self.guide, self.guidance, pairs, first, segment.start, movable)


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Spatial latent alignment at the steps of a span, from the previous segment's last frame on."""

    span: Span
    gather: LatentGather

    def __call__(self, step: Step, latents: Tensor, previous: Tensor | None) -> Tensor:
        """See `loop.method.BeforeUnet`."""
        if not step.within(self.span):
            return latents
        if previous is None:
            return align_latents(latents, self.gather)
        return align_latents(torch.cat([previous[None], latents]), self.gather)[1:]


@dataclass(frozen=True, slots=True, eq=False)
class PixelGuidance:
    """Pixel-wise guidance at the steps of a span, by one of the two rules; implements `loop.method.Guidance`.

    `pairs` begin with that of frame `first` and the one after it; `movable` are the cells that guidance may move, None
    for all.
    """

    span: Span
    rule: GuidanceRule
    pairs: tuple[PixelPairs, ...]
    first: int
    start: int
    movable: Tensor | None  # (frames of the segment, 1, h, w) bool

    @property
    def through(self) -> GradientThrough:
        """As the rule has it."""
        return self.rule.through

    def acts(self, step: Step) -> bool:
        """Within the span."""
        return step.within(self.span)

    def losses(self, first: int, x0: Tensor, reference: FrameReference, tools: StepTools) -> Sequence[FrameLoss | None]:
        """How far each frame's picture is from the one before it, at the matches."""
        start = first - 1 - self.first
        return self.rule.losses(x0, reference, self.pairs[start : start + len(x0)], StepDecoder(tools))

    def guided(self, step: Step, frame: int, following: Tensor, loss: FrameLoss, gradient: Tensor) -> Tensor:
        """The rule's step; before its length is found, the gradient is made 0 on cells that stay."""
        if self.movable is not None:
            gradient = gradient.where(self.movable[frame - self.start], torch.zeros_like(gradient))
        return self.rule.guide(step, following, loss, gradient)


def _check_count(name: str, matches: Sequence[Matches] | None, pairs: range) -> None:
    if matches is not None and len(matches) < pairs.stop:
        raise InputError(
            "method.matches",
            f"There are {name} matches for {len(matches)} pairs of frames; this segment needs {pairs.stop}.",
        )


def _guidance(settings: LatentManSettings) -> GuidanceRule:
    """How a job's settings guide."""
    if settings.guide_rule == "fixed":
        return FixedGuidance(
            delta=settings.guide_strength,
            reduction=settings.guide_loss,
            value_range=settings.guide_range,
            clamp=settings.guide_clamp,
            through=settings.guide_through,
            smooth=settings.guide_smooth,
        )
    if settings.guide_through == "unconditional":
        raise InputError("method.guide_through", "Guidance through the unconditional half needs fixed steps.")
    return AdaptiveGuidance(
        strength=settings.guide_strength,
        through=settings.guide_through,
        decode=settings.guide_decode,
        decoder=settings.guide_decoder,
        smooth=settings.guide_smooth,
    )
