"""`latentman bench arithmetic`: what a frame costs in floating point operations, whatever the machine.

Full-size models are counted on torch's meta device: nothing is computed, and no memory is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from backend.contract.values import SampleSettings, Segment, Step
from backend.loop.attending import read_frame_zero, step_memory
from backend.loop.model import Frames, pictures_of
from backend.measure.bench.full_size import full_size_components
from backend.methods.latentman.step_decoder import GuideDecoder
from backend.methods.latentman.tiny_decode import decode_tiny
from backend.models.sd15.components import Components, load_components
from backend.models.sd15.decode import decode_picture
from backend.models.sd15.model import StableDiffusion
from backend.models.sd15.text import PromptEmbeds
from backend.models.sd15.tiny_decoder import with_tiny_decoder
from backend.models.sources import find_sources
from shared.models.files import EMBEDDED

TIMESTEP = 500


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """One frame's operations, in units of 10^9; both halves of classifier-free guidance where the UNet runs."""

    model: str
    size: int
    step: float  # UNet and ControlNet
    step_back: float  # from a prediction's gradient to x_t's, the ControlNet's residuals held
    decode: float  # by the decoder that guidance looks through
    decode_back: float  # from a picture's gradient to its latents'

    def over_baseline(self, *, through_unet: bool, guided: float = 0.5, decoded: float = 1.0) -> float:
        """What guidance adds to a baseline of plain steps: 0.6 is 60 % more.

        `guided` is the share of steps in the window B, `decoded` the share of the picture that is decoded.
        """
        extra = decoded * (self.decode + self.decode_back) + (self.step_back if through_unet else 0)
        return guided * extra / self.step


def count_arithmetic(full_size: bool, size: int | None = None, decoder: GuideDecoder = "full") -> Arithmetic:
    """Count for the embedded model, or for Stable Diffusion 1.5, at `size` pixels a side (default: its own)."""
    if full_size:
        components, name = full_size_components(torch.device("meta"), torch.float32), "Stable Diffusion 1.5"
    else:
        components = with_tiny_decoder(load_components(EMBEDDED, "cpu", "float32"), find_sources(EMBEDDED))
        name = EMBEDDED
    size = size or (512 if full_size else 256)
    cells = size // components.latent_factor
    latents = torch.zeros(1, components.latent_channels, cells, cells, device=components.device)
    with _prediction(components, size, latents) as predict:
        step, step_back = _there_and_back(predict, latents)
    decodes = decode_picture if decoder == "full" else decode_tiny
    decode, decode_back = _there_and_back(lambda x: decodes(components, x), latents)
    shown = name if decoder == "full" else f"{name}, tiny decoder"
    return Arithmetic(shown, size, step, step_back, decode, decode_back)


@contextmanager
def _prediction(components: Components, size: int, latents: Tensor) -> Iterator[Callable[[Tensor], Tensor]]:
    """A guided prediction that reads frame 0's keys and values, here those of `latents`."""
    width = components.text_encoder.config.hidden_size
    text = torch.zeros(1, components.tokenizer.model_max_length, width, device=components.device)
    model = StableDiffusion(components, PromptEmbeds(text, text))
    settings = SampleSettings(1, 7.5, 1.0, 0, size, size)
    pictures = pictures_of(np.zeros((1, size, size), np.float32))
    memory = step_memory(read_frame_zero, model.layers, Step(0, 1, TIMESTEP, 1.0), settings.halves)
    frames = Frames((), range(1))
    with ExitStack() as scope:
        with torch.no_grad():
            denoiser = scope.enter_context(model.denoiser(settings, Segment(0, 1), pictures))

        def predict(latents: Tensor) -> Tensor:
            return denoiser.predict_copies(denoiser.copies(latents), frames, TIMESTEP, memory.call(frames.all))

        with torch.no_grad():
            predict(latents)
        yield predict


def _there_and_back(work: Callable[[Tensor], Tensor], latents: Tensor) -> tuple[float, float]:
    """Operations of `work`, and of its gradient with respect to the latents.

    Attention runs as plain products: the counter does not know a CPU's fused kernel and would leave it out.
    """
    with sdpa_kernel(SDPBackend.MATH):
        with torch.no_grad(), FlopCounterMode(display=False) as there:
            work(latents)
        leaf = latents.clone().requires_grad_()
        result = work(leaf)
        with FlopCounterMode(display=False) as back:
            torch.autograd.grad(result, leaf, torch.ones_like(result))
    return there.get_total_flops() / 1e9, back.get_total_flops() / 1e9
