"""DDIM, written out (Song et al., 2021, equation 12, eta 0), for predictions of noise, velocity and x0 (NumPy)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def alpha_bars(start: float, end: float, count: int) -> Array:
    """Cumulative products of 1 - beta for Stable Diffusion's schedule: sqrt(beta) is linear."""
    betas = np.linspace(start**0.5, end**0.5, count) ** 2
    return np.cumprod(1 - betas)


def leading_timesteps(count: int, steps: int, offset: int) -> list[int]:
    """Timesteps k (count // steps) + offset, noisiest first."""
    return [k * (count // steps) + offset for k in reversed(range(steps))]


def ddim_step(latents: Array, output: Array, alpha: float, next_alpha: float, prediction: str) -> tuple[Array, Array]:
    """(x_{t-1}, x0) from x_t and the model's output."""
    if prediction == "epsilon":
        noise = output
        x0 = (latents - np.sqrt(1 - alpha) * noise) / np.sqrt(alpha)
    elif prediction == "sample":
        x0 = output
        noise = (latents - np.sqrt(alpha) * x0) / np.sqrt(1 - alpha)
    else:
        x0 = np.sqrt(alpha) * latents - np.sqrt(1 - alpha) * output
        noise = np.sqrt(alpha) * output + np.sqrt(1 - alpha) * latents
    return np.sqrt(next_alpha) * x0 + np.sqrt(1 - next_alpha) * noise, x0
