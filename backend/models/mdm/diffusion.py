"""The noise schedule and the ancestral sampler, with x0 predicted (Ho et al., "Denoising Diffusion Probabilistic
Models", 2020; the cosine schedule is Nichol and Dhariwal's, 2021).

A schedule of N steps is built at N: MDM's 50-step models have betas of their own, not every twentieth of 1000.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Array = npt.NDArray[np.float64]
Denoise = Callable[[Tensor, Tensor], Tensor]
"""From the noisy motion (batch, frames, features) and the step (batch,) to the clean motion."""
Noise = Callable[[tuple[int, ...]], Tensor]
"""Standard normal numbers of a shape; each call gives the next ones."""

_HIGHEST_BETA = 0.999


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """The figures of N steps; step 0 is the last one of sampling. All arrays are (N,) float64."""

    kept: Array  # product of 1 - beta: how much of the clean motion's power is left
    from_clean: Array  # weight of x0 in the mean of the next x
    from_noisy: Array  # weight of x in it
    spread: Array  # standard deviation of the noise that is added then; not used at step 0

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.kept)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Features that are given: at every step they replace those that the network thinks of."""

    features: Tensor  # (batch, frames, features) normalised
    mask: Tensor  # the same shape, true where the feature is given


def schedule_of(steps: int, kind: Literal["cosine", "linear"] = "cosine", small_variance: bool = True) -> Schedule:
    """The schedule of that many steps."""
    betas = _cosine_betas(steps) if kind == "cosine" else np.linspace(0.1 / steps, 20.0 / steps, steps)
    alphas = 1.0 - betas
    kept = np.cumprod(alphas)
    before = np.append(1.0, kept[:-1])
    variance = betas * (1.0 - before) / (1.0 - kept)
    if not small_variance:
        variance = np.append(variance[min(1, steps - 1)], betas[1:])
    return Schedule(
        kept=kept,
        from_clean=betas * np.sqrt(before) / (1.0 - kept),
        from_noisy=(1.0 - before) * np.sqrt(alphas) / (1.0 - kept),
        spread=np.sqrt(variance),
    )


def noisy(clean: Tensor, steps: Tensor, noise: Tensor, schedule: Schedule) -> Tensor:
    """The clean motion with the noise of its step, for training; steps (batch,)."""
    kept = torch.as_tensor(schedule.kept, dtype=clean.dtype, device=clean.device)[steps][:, None, None]
    return kept.sqrt() * clean + (1.0 - kept).sqrt() * noise


def sample(
    denoise: Denoise,
    shape: tuple[int, int, int],  # batch, frames, features
    schedule: Schedule,
    noise: Noise,
    *,
    known: Known | None = None,
    after_step: Callable[[int], None] = lambda _done: None,
) -> Tensor:
    """A clean motion from noise. `after_step` hears how many steps are done, and may raise to stop."""
    x = noise(shape)
    for index in reversed(range(schedule.steps)):
        clean = denoise(x, torch.full((shape[0],), index, dtype=torch.long, device=x.device))
        if known is not None:
            clean = torch.where(known.mask, known.features, clean)
        x = float(schedule.from_clean[index]) * clean + float(schedule.from_noisy[index]) * x
        # The noise of step 0 is drawn and not added, so that as many numbers are drawn as there are steps.
        drawn = noise(shape)
        if index > 0:
            x = x + float(schedule.spread[index]) * drawn
        after_step(schedule.steps - index)
    return clean


def guided(conditional: Tensor, unconditional: Tensor, scale: float) -> Tensor:
    """Classifier-free guidance (Ho and Salimans, 2022)."""
    return unconditional + scale * (conditional - unconditional)


def _cosine_betas(steps: int) -> Array:
    def left(time: float) -> float:
        return math.cos((time + 0.008) / 1.008 * math.pi / 2.0) ** 2

    ratios = [left((step + 1) / steps) / left(step / steps) for step in range(steps)]
    return np.minimum(1.0 - np.array(ratios), _HIGHEST_BETA)
