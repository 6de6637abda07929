"""Stable Diffusion 1.5 with one job's prompt, as the frame-by-frame engine uses it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.contract.values import Canvas, SampleSettings, Segment
from backend.loop.attending import Layer
from backend.loop.memory import FrameMemory
from backend.loop.model import ControlPictures, Denoiser, Scheduler, TemporalLayers
from backend.models.sd15.components import Components
from backend.models.sd15.conditioning import embedded_pictures, segment_controls
from backend.models.sd15.decode import decode_picture, encode_picture
from backend.models.sd15.denoiser import SegmentDenoiser
from backend.models.sd15.frame_memory import frame_memory
from backend.models.sd15.latent_colours import LatentColours, fit_colours
from backend.models.sd15.segment_text import segment_text
from backend.models.sd15.temporal import temporal_layers
from backend.models.sd15.text import PromptEmbeds


@dataclass(frozen=True, slots=True, eq=False)
class StableDiffusion:
    """Implements `loop.model.FrameModel`. `colours` save previews from fitting them at every call."""

    components: Components
    prompt: PromptEmbeds
    colours: LatentColours | None = None

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return self.components.device

    @property
    def dtype(self) -> torch.dtype:
        """The networks' precision."""
        return self.components.dtype

    @property
    def state_dtype(self) -> torch.dtype:
        """The latents' precision."""
        return self.components.state_dtype

    @property
    def latent_channels(self) -> int:
        """Channels of the latents."""
        return self.components.latent_channels

    @property
    def latent_factor(self) -> int:
        """Pixels a latent cell, along each side."""
        return self.components.latent_factor

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The UNet's self-attention layers, then the ControlNet's."""
        return self.components.layers

    @property
    def prompt_cut(self) -> str:
        """The end of the prompt that the text encoder had no room for."""
        return self.prompt.cut

    def scheduler(self, steps: int) -> Scheduler:
        """A DDIM scheduler of its own; see `Components.scheduler`."""
        scheduler: Scheduler = self.components.scheduler(steps)
        return scheduler

    @contextmanager
    def denoiser(
        self,
        settings: SampleSettings,
        segment: Segment,
        controls: ControlPictures,
        temporal: TemporalLayers | None = None,
    ) -> Iterator[Denoiser]:
        """The prediction for a segment; see `FrameModel.denoiser`."""
        text = segment_text(self.components, self.prompt, settings, segment)
        embedded = segment_controls(self.components, settings, segment, controls)
        with embedded_pictures(self.components), temporal_layers(self.components.unet, temporal, settings.halves):
            yield SegmentDenoiser(self.components, text, embedded, settings)

    def decode(self, latents: Tensor) -> Tensor:
        """Latents to pictures by the autoencoder."""
        return decode_picture(self.components, latents)

    def encode(self, pictures: Tensor) -> Tensor:
        """Pictures to latents by the autoencoder."""
        return encode_picture(self.components, pictures)

    def preview(self, x0: Tensor) -> Tensor:
        """The latents' colours, by a linear map."""
        colours = fit_colours(self.components) if self.colours is None else self.colours
        return colours(x0)

    def frame_memory(self, canvas: Canvas, halves: int, parts: frozenset[str]) -> FrameMemory:
        """What one frame takes, by the networks' widths."""
        return frame_memory(self.components, canvas, halves, parts)

    @contextmanager
    def recomputing(self) -> Iterator[None]:
        """Inside, the networks keep fewer activations for the way back; nothing changes where they do so anyway."""
        components = self.components
        networks = [
            n for n in (components.unet, components.controlnet, components.vae) if not n.is_gradient_checkpointing
        ]
        for network in networks:
            network.enable_gradient_checkpointing()
        try:
            yield
        finally:
            for network in networks:
                network.disable_gradient_checkpointing()
