"""DDIM, with the one correction that a briefly trained model needs.

A model folder that needs it names this module and class in its `model_index.json`: diffusers' own pipelines then take
the same steps, or refuse to load where this module has not been imported; they never pass over it in silence. DDIM's
own fields and the weights cannot hold the correction. It acts once a step, so that what it comes to at a timestep
depends on the number of steps, which neither a table of betas nor a network knows; and of the two factors that make
x_{t-1} of x_t and x0 it changes one, where a step's alpha decides both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from diffusers import DDIMScheduler

# By this name diffusers finds here how a class is loaded.
from diffusers import SchedulerMixin as SchedulerMixin
from diffusers.schedulers.scheduling_ddim import DDIMSchedulerOutput
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

    @classmethod
    def from_config(cls, config: Mapping[str, Any], **options: Any) -> Any:
        """The scheduler of a scheduler file's values; `options` as diffusers has them.

        Raises ModelError for a divisor that is no number from 1 to 2.
        """
        values = dict(config)
        divisor = values.pop(EPSILON_DIVISOR, 1.0)
        if not isinstance(divisor, int | float) or not math.isfinite(divisor) or not 1.0 <= divisor <= 2.0:
            raise ModelError(
                "model.scheduler",
                f"scheduler_config.json has the {EPSILON_DIVISOR} {divisor!r}; it must lie in 1 to 2.",
            )
        made = super().from_config(values, **options)
        scheduler = made[0] if isinstance(made, tuple) else made  # with what was not used, where that is asked for
        scheduler.epsilon_divisor = float(divisor)
        scheduler.register_to_config(**{EPSILON_DIVISOR: float(divisor)})
        return made

    def step(
        self, model_output: Tensor, timestep: int, sample: Tensor, *args: Any, return_dict: bool = True, **options: Any
    ) -> Any:
        """x_{t-1} and x0, as a tuple unless `return_dict`; the other options as DDIM has them."""
        following, x0 = super().step(model_output, timestep, sample, *args, return_dict=False, **options)
        if self.epsilon_divisor != 1.0:
            before = timestep - self.config.num_train_timesteps // self.num_inference_steps
            alpha_bar = self.alphas_cumprod[before] if before >= 0 else self.final_alpha_cumprod
            clean = torch.as_tensor(alpha_bar).sqrt().to(x0) * x0
            following = clean + (following - clean) / self.epsilon_divisor
        return DDIMSchedulerOutput(following, x0) if return_dict else (following, x0)


def make_scheduler(config: Mapping[str, Any]) -> ScaledDDIMScheduler:
    """The scheduler of a model's scheduler file. Raises ModelError for a divisor that is no number from 1 to 2."""
    scheduler: ScaledDDIMScheduler = ScaledDDIMScheduler.from_config(config)
    return scheduler
