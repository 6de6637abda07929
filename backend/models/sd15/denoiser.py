"""One guided noise prediction: ControlNet, UNet and classifier-free guidance for any batch of a segment's frames."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from backend.contract.values import SampleSettings
from backend.loop.attending import AttentionContext
from backend.loop.model import Frames
from backend.models.sd15.components import Components
from backend.models.sd15.conditioning import SegmentControls
from backend.models.sd15.segment_text import SegmentText


@dataclass(frozen=True, slots=True, eq=False)
class SegmentDenoiser:
    """Implements `loop.model.Denoiser`. The ControlNet must take embedded pictures (`embedded_pictures`)."""

    components: Components
    text: SegmentText
    controls: SegmentControls
    settings: SampleSettings

    def copies(self, latents: Tensor) -> Tensor:
        """The UNet's input: the frames once for each half, in its precision, first those without the prompt."""
        return _stacked(self.components.to_model(latents), self.settings.halves)

    def predict_copies(
        self,
        doubled: Tensor,  # (halves x n, channels, h, w) of `copies`, which may differ
        frames: Frames,
        timestep: int,
        context: AttentionContext,
        *,
        control_gradient: bool = False,
    ) -> Tensor:
        """The UNet's output (noise or velocity, as the model was trained), (n, channels, h, w).

        Runs with gradients if they are enabled; the ControlNet only with `control_gradient`.
        """
        halves = self.settings.halves
        text = self.text.of(frames.all)
        if len(text) > halves:
            context = context.with_own_text()
        else:
            text = text.repeat_interleave(doubled.shape[0] // halves, dim=0)
        with torch.set_grad_enabled(torch.is_grad_enabled() and control_gradient):
            down, middle = self._residuals(doubled, self.controls.of(frames), timestep, text, context)
        output: Tensor = self.components.unet(
            doubled,
            timestep,
            encoder_hidden_states=text,
            cross_attention_kwargs={"context": context},
            down_block_additional_residuals=down,
            mid_block_additional_residual=middle,
            return_dict=False,
        )[0]
        return self._guide(output.to(self.components.state_dtype))

    def _residuals(
        self, doubled: Tensor, pictures: Tensor, timestep: int, text: Tensor, context: AttentionContext
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """The ControlNet's residuals; one that never sees the prompt runs for one half and serves both."""
        halves, frames = self.settings.halves, pictures.shape[0]
        runs = halves if self.components.controlnet_reads_prompt else 1
        down, middle = self.components.controlnet(
            doubled[: runs * frames],
            timestep,
            encoder_hidden_states=text[: runs * frames],
            controlnet_cond=_stacked(pictures, runs),
            conditioning_scale=self.settings.controlnet_scale,
            cross_attention_kwargs={"context": context},
            return_dict=False,
        )
        times = halves // runs
        return tuple(_stacked(residual, times) for residual in down), _stacked(middle, times)

    def _guide(self, output: Tensor) -> Tensor:
        """Classifier-free guidance (Ho and Salimans, 2022): u + scale (c - u)."""
        if self.settings.halves == 1:
            return output
        without, with_prompt = output.chunk(2)
        return without + self.settings.guidance_scale * (with_prompt - without)


def _stacked(maps: Tensor, times: int) -> Tensor:
    """(n, channels, h, w) -> (times x n, channels, h, w). Unlike `repeat` it keeps channels last in memory."""
    return maps if times == 1 else torch.cat([maps] * times)
