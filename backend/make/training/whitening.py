"""Latents with zero mean and unit covariance, by a change of the autoencoder's two 1x1 convolutions alone."""

from __future__ import annotations

import torch
from diffusers import AutoencoderKL
from torch import Tensor


@torch.no_grad()
def whiten_latents(vae: AutoencoderKL, latents: Tensor) -> None:
    """Fold ZCA whitening of `latents` (n, channels, h, w) into the encoder, and its inverse into the decoder.

    Reconstructions stay the same. The noise of the posterior, which is diagonal, is rescaled per channel.
    """
    cells = latents.double().permute(0, 2, 3, 1).reshape(-1, latents.shape[1])
    mean = cells.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov((cells - mean).T))
    forward = vectors @ torch.diag(values.rsqrt()) @ vectors.T
    backward = vectors @ torch.diag(values.sqrt()) @ vectors.T
    channels = latents.shape[1]
    into, out = vae.quant_conv, vae.post_quant_conv
    into.weight[:channels] = torch.einsum("ab,bcyx->acyx", forward, into.weight[:channels].double()).float()
    into.bias[:channels] = (forward @ (into.bias[:channels].double() - mean)).float()
    into.bias[channels:] += 2 * forward.diagonal().log().float()
    out.bias += torch.einsum("abyx,b->a", out.weight.double(), mean).float()
    out.weight.copy_(torch.einsum("abyx,bc->acyx", out.weight.double(), backward).float())
