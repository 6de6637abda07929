"""What the benches compare with: diffusers' own ControlNet pipeline, with Text2Video-Zero's attention as written down.

All frames of the shot are one batch, frame 0's keys and values are copied for every frame, the depth pictures are
embedded at every step, and the whole batch is decoded at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch.nn.functional as F
from diffusers import StableDiffusionControlNetPipeline
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from torch import Tensor

from backend.contract.values import SampleSettings
from backend.models.sd15.components import Components
from backend.models.sd15.fused import plain_layers
from backend.models.sd15.text import PromptEmbeds


class PlainCrossFrameAttention:
    """Self-attention to frame 0 (Text2Video-Zero, equation 7) for a batch of `halves` blocks of frames."""

    def __init__(self, halves: int) -> None:
        self.halves = halves
        self._plain = AttnProcessor2_0()

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        """Attend; `hidden_states` is (halves x frames, tokens, channels)."""
        if encoder_hidden_states is not None:
            attended: Tensor = self._plain(attn, hidden_states, encoder_hidden_states, attention_mask, temb)
            return attended
        frames = hidden_states.shape[0] // self.halves
        keys, values = (self._of_frame_0(projection(hidden_states), frames) for projection in (attn.to_k, attn.to_v))
        joined = (attn.to_q(hidden_states), keys, values)
        heads = [x.reshape(*x.shape[:2], attn.heads, -1).transpose(1, 2) for x in joined]
        mixed = F.scaled_dot_product_attention(heads[0], heads[1], heads[2]).transpose(1, 2).flatten(2)
        output: Tensor = attn.to_out[1](attn.to_out[0](mixed)) / attn.rescale_output_factor
        return output

    def _of_frame_0(self, values: Tensor, frames: int) -> Tensor:
        split = values.reshape(self.halves, frames, *values.shape[1:])
        return split[:, [0] * frames].flatten(0, 1)


def stock_pipeline(components: Components, steps: int) -> Any:
    """diffusers' pipeline over the same modules."""
    pipeline = StableDiffusionControlNetPipeline(
        vae=components.vae,
        text_encoder=components.text_encoder,
        tokenizer=components.tokenizer,
        unet=components.unet,
        controlnet=components.controlnet,
        scheduler=components.scheduler(steps),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def run_stock(
    pipeline: Any,
    components: Components,
    prompt: PromptEmbeds,
    pictures: Tensor,  # (frames, 3, height, width) depth, 0..1
    noise: Tensor,  # (channels, h, w) shared by all frames
    settings: SampleSettings,
) -> Tensor:
    """All frames by the stock pipeline: pictures (frames, 3, height, width), 0..1."""
    frames = len(pictures)
    with (
        plain_attention(components, settings.halves),
        plain_layers(components.unet, components.controlnet, components.vae.decoder),
    ):
        result: Tensor = pipeline(
            prompt_embeds=components.to_model(prompt.positive).repeat(frames, 1, 1),
            negative_prompt_embeds=components.to_model(prompt.negative).repeat(frames, 1, 1),
            image=pictures,
            num_inference_steps=settings.steps,
            guidance_scale=settings.guidance_scale,
            controlnet_conditioning_scale=settings.controlnet_scale,
            latents=components.to_model(noise[None].repeat(frames, 1, 1, 1)),
            output_type="pt",
        ).images
    return result


@contextmanager
def plain_attention(components: Components, halves: int) -> Iterator[None]:
    """Inside, UNet and ControlNet have the plain processor in every attention."""
    before: list[tuple[Any, dict[str, Any]]] = []
    for model in (components.unet, components.controlnet):
        processors = dict(model.attn_processors)
        if processors:
            before.append((model, processors))
            model.set_attn_processor(PlainCrossFrameAttention(halves))
    try:
        yield
    finally:
        for model, processors in before:
            model.set_attn_processor(processors)
