"""One guided noise prediction: ControlNet, UNet and classifier-free guidance for any batch of frames."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from backend.contract.values import SampleSettings
from backend.models.sd15.attention import AttentionContext
from backend.models.sd15.components import Components
from backend.models.sd15.text import PromptEmbeds


@dataclass(frozen=True, slots=True, eq=False)
class Denoiser:
    """The model's prediction for frames of one job. The ControlNet must take embedded depth (`embedded_depth`)."""

    components: Components
    embeds: Tensor  # (halves, tokens, channels) of the first prompt in the model's precision, first without it
    guidance_scale: float
    controlnet_scale: float

    def predict(
        self,
        latents: Tensor,  # (frames, channels, h, w) x_t
        depth: Tensor,  # (frames, control channels, h, w) embedded depth
        timestep: int,
        context: AttentionContext,
        *,
        text: Tensor | None = None,  # (halves or halves x frames, tokens, channels), None for the first prompt
        controlnet_gradient: bool = False,
    ) -> Tensor:
        """The UNet's output (noise or velocity, as the model was trained), (frames, channels, h, w).

        `text` has one prompt for all frames, or one for each (`SegmentText.rows`). Runs with gradients if they are
        enabled; the ControlNet only with `controlnet_gradient`.
        """
        return self.predict_copies(
            self.copies(latents), depth, timestep, context, text=text, controlnet_gradient=controlnet_gradient
        )

    def copies(self, latents: Tensor) -> Tensor:
        """The UNet's input: the frames once for each half, in its precision, first those without the prompt."""
        return _stacked(self.components.to_model(latents), self.embeds.shape[0])

    def predict_copies(
        self,
        doubled: Tensor,  # (halves x frames, channels, h, w) of `copies`
        depth: Tensor,
        timestep: int,
        context: AttentionContext,
        *,
        text: Tensor | None = None,
        controlnet_gradient: bool = False,
    ) -> Tensor:
        """As `predict`, with copies that may differ, or be a graph's leaf of their own."""
        halves = self.embeds.shape[0]
        text = self.embeds if text is None else text
        if len(text) > halves:
            context = context.with_own_text()
        else:
            text = text.repeat_interleave(doubled.shape[0] // halves, dim=0)
        kwargs = {"context": context}
        with torch.set_grad_enabled(torch.is_grad_enabled() and controlnet_gradient):
            down, middle = self._residuals(doubled, depth, timestep, text, context)
        output: Tensor = self.components.unet(
            doubled,
            timestep,
            encoder_hidden_states=text,
            cross_attention_kwargs=kwargs,
            down_block_additional_residuals=down,
            mid_block_additional_residual=middle,
            return_dict=False,
        )[0]
        return self._guide(output.to(self.components.state_dtype))

    def _residuals(
        self, doubled: Tensor, depth: Tensor, timestep: int, text: Tensor, context: AttentionContext
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """The ControlNet's residuals; one that never sees the prompt runs for one half and serves both."""
        halves, frames = self.embeds.shape[0], depth.shape[0]
        runs = halves if self.components.controlnet_reads_prompt else 1
        down, middle = self.components.controlnet(
            doubled[: runs * frames],
            timestep,
            encoder_hidden_states=text[: runs * frames],
            controlnet_cond=_stacked(depth, runs),
            conditioning_scale=self.controlnet_scale,
            cross_attention_kwargs={"context": context},
            return_dict=False,
        )
        times = halves // runs
        return tuple(_stacked(residual, times) for residual in down), _stacked(middle, times)

    def _guide(self, output: Tensor) -> Tensor:
        """Classifier-free guidance (Ho and Salimans, 2022): u + scale (c - u)."""
        if self.embeds.shape[0] == 1:
            return output
        without, with_prompt = output.chunk(2)
        return without + self.guidance_scale * (with_prompt - without)


def _stacked(maps: Tensor, times: int) -> Tensor:
    """(n, channels, h, w) -> (times x n, channels, h, w). Unlike `repeat` it keeps channels last in memory."""
    return maps if times == 1 else torch.cat([maps] * times)


def make_denoiser(components: Components, prompt: PromptEmbeds, settings: SampleSettings) -> Denoiser:
    """The denoiser for one job's prompt and scales."""
    first = prompt.positive[:1]
    parts = [prompt.negative, first] if settings.halves == 2 else [first]
    embeds = components.to_model(torch.cat(parts))
    return Denoiser(components, embeds, settings.guidance_scale, settings.controlnet_scale)
