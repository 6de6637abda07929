"""Latents of the training pictures, made once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor

from backend.make.training.autoencoder import to_pixels
from backend.make.training.dataset import PairStore
from backend.make.training.training_loop import Crew

LATENT_SIZE = 32
PROBES = 4  # pictures that the importance of the channels is measured on
PROBE_STD = 0.3


@dataclass(frozen=True, slots=True)
class Latents:
    """Scaled latents of all pairs, the share of each cell that shows the body, and what a channel means to a picture.

    `importance` is the mean squared change of a picture in -1..1 for a change of unit variance in one channel alone.
    """

    values: NDArray[np.float16]  # (pairs, 3, channels, 32, 32): frame 0, frame 1, frame 1 in another look
    body: NDArray[np.float16]  # (pairs, 2, 32, 32)
    importance: NDArray[np.float64]  # (channels,)


@torch.no_grad()
def write_latents(crew: Crew, data: Path, vae_folder: Path, target: Path) -> None:
    """Encode this process's share of the pairs into `target.RANK.npz`; a share that is there is kept."""
    path = _share(target, crew.rank, crew.size)
    if path.exists():
        return
    vae = AutoencoderKL.from_pretrained(vae_folder).to(crew.device, memory_format=torch.channels_last).eval()
    store = PairStore(data)
    mine = range(crew.rank, len(store), crew.size)
    values = np.zeros((len(mine), 3, vae.config.latent_channels, LATENT_SIZE, LATENT_SIZE), np.float16)
    body = np.zeros((len(mine), 2, LATENT_SIZE, LATENT_SIZE), np.float16)
    for row, index in enumerate(mine):
        with crew.autocast():
            pictures = np.concatenate([store.rgb(index), store.stray(index)[None]])
            mean = vae.encode(to_pixels(pictures, crew.device)).latent_dist.mode()
        values[row] = (mean.float() * vae.config.scaling_factor).cpu().numpy()
        covered = (store.depth(index) > 0).reshape(2, LATENT_SIZE, 8, LATENT_SIZE, 8)
        body[row] = covered.mean((2, 4))
    partial = path.with_name(path.name + ".partial.npz")
    np.savez(partial, values=values, body=body, importance=channel_importance(vae, values[:PROBES, 0]))
    partial.replace(path)


@torch.no_grad()
def channel_importance(vae: AutoencoderKL, latents: NDArray[np.float16]) -> NDArray[np.float64]:
    """`Latents.importance` from scaled latents (n, channels, h, w)."""
    device = next(vae.parameters()).device
    scaled = torch.from_numpy(latents).float().to(device)
    noise = torch.randn(scaled.shape, generator=torch.Generator().manual_seed(0)).to(device) * PROBE_STD

    def picture(latent: Tensor) -> Tensor:
        decoded: Tensor = vae.decode(latent / vae.config.scaling_factor).sample
        return decoded

    plain, found = picture(scaled), []
    for channel in range(scaled.shape[1]):
        moved = scaled.clone()
        moved[:, channel] += noise[:, channel]
        found.append(float((picture(moved) - plain).square().mean()) / PROBE_STD**2)
    return np.array(found)


def read_latents(target: Path, shares: int) -> Latents:
    """The latents of all shares, in the pairs' order."""
    parts = []
    for rank in range(shares):
        with np.load(_share(target, rank, shares)) as data:
            parts.append((data["values"], data["body"], data["importance"]))
    count = sum(len(values) for values, _, _ in parts)
    values = np.zeros((count, *parts[0][0].shape[1:]), np.float16)
    body = np.zeros((count, *parts[0][1].shape[1:]), np.float16)
    for rank, (part_values, part_body, _) in enumerate(parts):
        values[rank::shares], body[rank::shares] = part_values, part_body
    return Latents(values, body, np.mean([importance for _, _, importance in parts], axis=0))


def _share(target: Path, rank: int, size: int) -> Path:
    return target.with_name(f"{target.name}.{rank}of{size}.npz")
