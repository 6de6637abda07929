"""The prompt of each frame of a segment, mixed from the encoded prompts when a batch needs it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from backend.contract.values import SampleSettings, Segment
from backend.models.sd15.components import Components
from backend.models.sd15.text import PromptEmbeds
from shared.errors import InputError
from shared.jobs.keyed_prompts import PromptMix

_ONE_PROMPT = PromptMix(0, 0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class SegmentText:
    """The encoded prompts of a shot, frame by frame; made by `segment_text`."""

    components: Components
    prompts: Tensor  # (prompts, tokens, channels)
    negative: Tensor | None  # (1, tokens, channels), None without classifier-free guidance
    mixes: tuple[PromptMix, ...]  # a frame of the shot each; none where all have the one prompt

    @torch.no_grad()
    def of(self, frames: tuple[int, ...]) -> Tensor:
        """The prompts of some frames of the shot, (halves x frames, tokens, channels), first the negative.

        Where all have one prompt it comes once: (halves, tokens, channels).
        """
        mixes = [self.mixes[frame] if self.mixes else _ONE_PROMPT for frame in frames]
        if len(set(mixes)) == 1:
            mixes = mixes[:1]
        mixed = torch.cat([self._mixed(mix) for mix in mixes])
        parts = [mixed] if self.negative is None else [self.negative.expand(len(mixes), -1, -1), mixed]
        return self.components.to_model(torch.cat(parts))

    def _mixed(self, mix: PromptMix) -> Tensor:
        """(1 - w) before + w after, in float32, as (1, tokens, channels)."""
        before, after = self.prompts[mix.before, None], self.prompts[mix.after, None]
        if mix.before == mix.after:
            return before
        return torch.lerp(before.float(), after.float(), mix.weight).to(before.dtype)


def segment_text(
    components: Components, prompt: PromptEmbeds, settings: SampleSettings, segment: Segment
) -> SegmentText:
    """The prompts of one segment's frames. Raises InputError where the shot has fewer mixes than the segment needs."""
    if prompt.mixes and len(prompt.mixes) < segment.stop:
        raise InputError(
            "sample.prompts",
            f"The prompts are for {len(prompt.mixes)} frames; this segment ends at frame {segment.stop}.",
        )
    return SegmentText(components, prompt.positive, prompt.negative if settings.halves == 2 else None, prompt.mixes)
