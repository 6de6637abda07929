"""DDIM, with the one correction that a briefly trained model needs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from diffusers import DDIMScheduler
from torch import Tensor

from shared.errors import ModelError

EPSILON_DIVISOR = "epsilon_divisor"


class ScaledDDIMScheduler(DDIMScheduler):  # type: ignore[misc]
    """DDIM (Song et al., 2021, equation 12) that divides the predicted noise by `epsilon_divisor` on the way on.

    What a network fails to take out of x_t comes back as predicted noise, so that x_{t-1} holds more noise than its
    timestep says, and step by step the excess settles in the picture as grain (Ning et al., "Elucidating the Exposure
    Bias in Diffusion Models", 2024, section 4: uniform epsilon scaling). 1 is plain DDIM.
    """

    epsilon_divisor: float = 1.0

    def step(self, model_output: Tensor, timestep: int, sample: Tensor, **options: Any) -> tuple[Tensor, Tensor]:
        """(x_{t-1}, x0); `options` as DDIM has them, always as a tuple."""
        following, x0 = super().step(model_output, timestep, sample, **{**options, "return_dict": False})
        if self.epsilon_divisor != 1.0:
            before = timestep - self.config.num_train_timesteps // self.num_inference_steps
            alpha_bar = self.alphas_cumprod[before] if before >= 0 else self.final_alpha_cumprod
            clean = torch.as_tensor(alpha_bar).sqrt().to(x0) * x0
            following = clean + (following - clean) / self.epsilon_divisor
        return following, x0


def make_scheduler(config: Mapping[str, Any]) -> ScaledDDIMScheduler:
    """The scheduler of a model's scheduler file. Raises ModelError for a divisor that is no number from 1 to 2."""
    values = dict(config)
    divisor = values.pop(EPSILON_DIVISOR, 1.0)
    if not isinstance(divisor, int | float) or not math.isfinite(divisor) or not 1.0 <= divisor <= 2.0:
        raise ModelError(
            "model.scheduler", f"scheduler_config.json has the {EPSILON_DIVISOR} {divisor!r}; it must lie in 1 to 2."
        )
    scheduler: ScaledDDIMScheduler = ScaledDDIMScheduler.from_config(values)
    scheduler.epsilon_divisor = float(divisor)
    return scheduler
