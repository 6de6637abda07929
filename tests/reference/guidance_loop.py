"""LatentMan's algorithm 1, one frame after another, with plain autograd through stock modules: slow and obvious.

Every frame is denoised to its end before the next begins. Frame 0 runs again beside each frame at each step, so that
nothing is cached; the gradient of a frame's loss is taken in one graph, from its latents to its picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests.reference.ddim import alpha_bars, leading_timesteps

Pairs = Sequence[tuple[int, int]]  # (place in this frame, place in the frame before), flat indices
Reads = Callable[[str, str, int], bool]  # model, attention layer, step -> whether it reads frame 0


@dataclass(frozen=True)
class Loop:
    """One job: stock modules of one precision, what is denoised, and how."""

    modules: Mapping[str, Any]  # unet, controlnet, vae
    text: tuple[Tensor, Tensor]  # (tokens, width) each, without and with the prompt
    depth: NDArray[np.float32]  # (frames, height, width) 0..1
    noise: Tensor  # (channels, h, w), that of all frames
    aligned: Sequence[Pairs]  # latent cells, of frames 1, 2, ...
    matched: Sequence[Pairs]  # pixels
    body: NDArray[np.bool_] | None  # (frames, height, width), None: guidance moves all cells
    reads: Reads
    steps: int
    guidance_scale: float
    controlnet_scale: float
    align: range  # steps
    guide: range
    rule: Literal["adaptive", "fixed"]
    strength: float  # of the way, or delta
    through: Literal["decoder", "unet", "controlnet", "unconditional"]
    reduction: Literal["sum", "mean"] = "mean"
    value_range: float = 1.0
    clamp: bool = False


@dataclass(frozen=True)
class Way:
    """One frame's denoising: what later frames look at, a step an entry, and where it ended."""

    seen: list[Tensor]  # x_t after the alignment, (channels, h, w)
    clean: list[Tensor]  # x0
    end: Tensor


def run(loop: Loop) -> Tensor:
    """The clean latents of all frames (frames, channels, h, w)."""
    ways: list[Way] = []
    for frame in range(len(loop.depth)):
        ways.append(_denoise(loop, frame, ways))
    return torch.stack([way.end for way in ways])


def _denoise(loop: Loop, frame: int, ways: Sequence[Way]) -> Way:
    alphas = alpha_bars(0.00085, 0.012, 1000)
    x, seen, clean = loop.noise.clone(), [], []
    for step, timestep in enumerate(leading_timesteps(1000, loop.steps, 1)):
        if frame and step in loop.align:
            x = _copied(x, ways[-1].seen[step], loop.aligned[frame - 1])
        guided = bool(frame) and step in loop.guide and len(loop.matched[frame - 1]) > 0
        start = x.clone().requires_grad_()  # what the gradient is taken of, where it runs back so far
        copy = x.clone().requires_grad_()  # the copy of x_t without the prompt, for the published code's gradient
        own, without = (x, copy) if loop.through == "unconditional" else (start, start)
        first = ways[0].seen[step] if frame else None
        noise = _predicted_noise(loop, frame, step, timestep, own, without, first)
        alpha, following_alpha = alphas[timestep], alphas[max(timestep - 1000 // loop.steps, 0)]
        x0 = (own - (1 - alpha) ** 0.5 * noise) / alpha**0.5
        following = following_alpha**0.5 * x0 + (1 - following_alpha) ** 0.5 * noise
        seen.append(x)
        clean.append(x0.detach())
        x = following.detach()
        if guided:
            leaf = x0.detach().requires_grad_() if loop.through == "decoder" else start
            leaf = copy if loop.through == "unconditional" else leaf
            picture = _picture(loop, leaf if loop.through == "decoder" else x0)
            with torch.no_grad():
                before = _picture(loop, ways[-1].clean[step])
            x = x - _guidance_step(loop, frame, alpha, picture, before, leaf)
    return Way(seen, clean, x)


def _copied(x: Tensor, before: Tensor, pairs: Pairs) -> Tensor:
    """Equation 6: matched cells take the latents of the frame before, which is aligned already."""
    flat, source = x.clone().flatten(1), before.flatten(1)
    for here, there in pairs:
        flat[:, here] = source[:, there]
    return flat.reshape(x.shape)


def _picture(loop: Loop, x0: Tensor) -> Tensor:
    """(3, height, width), 0 black and 1 white."""
    vae = loop.modules["vae"]
    decoded: Tensor = vae.decode(x0[None] / vae.config.scaling_factor).sample[0]
    return decoded / 2 + 0.5


def _predicted_noise(
    loop: Loop, frame: int, step: int, timestep: int, x: Tensor, without: Tensor, first: Tensor | None
) -> Tensor:
    """Classifier-free guidance over two runs: `without` is what the run without the prompt takes for x_t."""
    outputs = []
    for text, latents in zip(loop.text, (without, x), strict=True):
        # Frame 0 runs beside the frame, so that self-attention can read it; frame 0 itself runs alone.
        rows = [latents] if first is None else [first, latents]
        pictures = loop.depth[[frame] if first is None else [0, frame]]
        control = torch.from_numpy(pictures)[:, None].repeat(1, 3, 1, 1).to(x.dtype)
        batch, texts = torch.stack(rows), torch.stack([text] * len(rows))
        _set_attention(loop, step)
        with torch.set_grad_enabled(loop.through == "controlnet"):
            down, middle = loop.modules["controlnet"](
                batch, timestep, texts, control, conditioning_scale=loop.controlnet_scale, return_dict=False
            )
        output = loop.modules["unet"](
            batch,
            timestep,
            texts,
            down_block_additional_residuals=down,
            mid_block_additional_residual=middle,
            return_dict=False,
        )[0]
        outputs.append(output[-1])
    guided: Tensor = outputs[0] + loop.guidance_scale * (outputs[1] - outputs[0])
    return guided


def _set_attention(loop: Loop, step: int) -> None:
    for model in ("unet", "controlnet"):
        module = loop.modules[model]
        names = module.attn_processors
        module.set_attn_processor({name: _Attention(loop.reads(model, name, step)) for name in names})


class _Attention:
    """Softmax attention, whose keys and values are those of the batch's first row where it reads frame 0."""

    def __init__(self, reads_first: bool) -> None:
        self._reads_first = reads_first

    def __call__(self, attn: Any, hidden: Tensor, encoder_hidden_states: Tensor | None = None, **_: Any) -> Tensor:
        source = hidden if encoder_hidden_states is None else encoder_hidden_states
        if encoder_hidden_states is None and self._reads_first:
            source = hidden[:1].expand_as(hidden)
        rows = []
        for queries, keys, values in zip(attn.to_q(hidden), attn.to_k(source), attn.to_v(source), strict=True):
            width = queries.shape[-1] // attn.heads
            heads = []
            for head in range(attn.heads):
                part = slice(head * width, (head + 1) * width)
                scores = queries[:, part] @ keys[:, part].T / width**0.5
                heads.append(scores.softmax(dim=-1) @ values[:, part])
            rows.append(torch.cat(heads, dim=-1))
        output: Tensor = attn.to_out[0](torch.stack(rows))
        return output


def _guidance_step(loop: Loop, frame: int, alpha: float, picture: Tensor, before: Tensor, leaf: Tensor) -> Tensor:
    """Equations 7 and 8: what is subtracted from x_{t-1}."""
    if loop.clamp:
        picture, before = picture.clamp(0, 1), before.clamp(0, 1)
    here, there = picture.flatten(1), before.flatten(1)
    terms = [loop.value_range**2 * (here[:, p] - there[:, q]) ** 2 for p, q in loop.matched[frame - 1]]
    total = torch.stack(terms).sum()
    omega = total if loop.reduction == "sum" else total / (3 * len(terms))
    (gradient,) = torch.autograd.grad(omega, leaf)
    if loop.through == "decoder":
        gradient = gradient * alpha**0.5  # dx0/dx_t for latents of unit variance
    gradient = _on_body(loop, frame, gradient)
    if loop.rule == "fixed":
        return loop.strength * gradient
    step = loop.strength * float(omega.detach()) / float((gradient**2).sum()) * gradient
    largest = gradient.abs().max()
    reached = [cell for cell in gradient.flatten(1).T if cell.abs().max() > 1e-3 * largest]
    rms = float((step**2).sum() / (len(reached) * len(gradient))) ** 0.5
    most = 0.1 * (1 - alpha) ** 0.5
    return step if rms <= most else step * (most / rms)


def _on_body(loop: Loop, frame: int, gradient: Tensor) -> Tensor:
    """The gradient, 0 in every cell that neither shows a pixel of the body nor touches one that does."""
    if loop.body is None:
        return gradient
    _, rows, columns = gradient.shape
    height, width = loop.depth.shape[1] // rows, loop.depth.shape[2] // columns
    kept = torch.zeros_like(gradient)
    for row in range(rows):
        for column in range(columns):
            around = loop.body[
                frame,
                max(row - 1, 0) * height : (row + 2) * height,
                max(column - 1, 0) * width : (column + 2) * width,
            ]
            if around.any():
                kept[:, row, column] = gradient[:, row, column]
    return kept
