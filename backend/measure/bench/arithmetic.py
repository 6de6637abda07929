"""`latentman bench arithmetic`: what a frame costs in floating point operations, whatever the machine.

Full-size models are counted on torch's meta device: nothing is computed, and no memory is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from backend.loop.conditioning import embedded_depth
from backend.loop.denoiser import Denoiser
from backend.loop.method import GuideDecoder
from backend.measure.bench.full_size import full_size_components
from backend.models.sd15.attention import AnchorReader, AnchorRecorder
from backend.models.sd15.components import Components, load_components
from backend.models.sd15.decode import StepDecoder
from backend.models.sd15.tiny_decoder import with_tiny_decoder
from backend.models.sources import find_sources
from shared.models.files import EMBEDDED

HALVES = 2  # of classifier-free guidance
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
    step, step_back = _there_and_back(_prediction(components, size, latents), latents)
    decode, decode_back = _there_and_back(lambda x: StepDecoder(components, None)(x, None, decoder), latents)
    shown = name if decoder == "full" else f"{name}, tiny decoder"
    return Arithmetic(shown, size, step, step_back, decode, decode_back)


def _prediction(components: Components, size: int, latents: Tensor) -> Callable[[Tensor], Tensor]:
    """A guided prediction that reads frame 0's keys and values, here those of `latents`."""
    width = components.text_encoder.config.hidden_size
    text = torch.zeros(HALVES, components.tokenizer.model_max_length, width, device=components.device)
    pictures = torch.zeros(1, 3, size, size, device=components.device)
    depth = components.controlnet.controlnet_cond_embedding(pictures)
    denoiser = Denoiser(components, text, 7.5, 1.0)
    recorder = AnchorRecorder(HALVES, frozenset(components.layers), {})
    with torch.no_grad(), embedded_depth(components):
        denoiser.predict(latents, depth, TIMESTEP, recorder)

    def predict(latents: Tensor) -> Tensor:
        with embedded_depth(components):
            return denoiser.predict(latents, depth, TIMESTEP, AnchorReader(HALVES, recorder.cache))

    return predict


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
