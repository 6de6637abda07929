"""What the network makes of frame 1 by itself: the kind of picture that a frame has drifted to while sampling.

Another look (`stray.py`) errs as a whole; the network errs in blotches, and in another place each time. A frame 1 that
starts from such a guess has to be mended from frame 0. (Learning from one's own output, as scheduled sampling does:
Bengio et al. 2015.)
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor, nn

from backend.make.training.judging.first_frame import FirstFrameSwitch

AHEAD = 300  # timesteps, at most, that a guess is noisier than the step it serves


def predict(modules: Mapping[str, nn.Module], noisy: Tensor, steps: Tensor, words: Tensor, control: Tensor) -> Tensor:
    """x0 (n, channels, h, w) as `modules`' UNet and ControlNet see it."""
    down, middle = modules["controlnet"](noisy, steps, words, controlnet_cond=control, return_dict=False)
    predicted: Tensor = modules["unet"](
        noisy,
        steps,
        words,
        down_block_additional_residuals=down,
        mid_block_additional_residual=middle,
        return_dict=False,
    )[0]
    return predicted


def steps_ahead(steps: Tensor, count: int, rng: Generator) -> Tensor:
    """Timesteps (n,) as much as AHEAD noisier than `steps`, of `count` in all."""
    ahead = torch.from_numpy(rng.integers(0, AHEAD + 1, len(steps))).to(steps)
    return (steps + ahead).clamp(max=count - 1)


@torch.no_grad()
def guess_alone(
    modules: Mapping[str, nn.Module],
    switch: FirstFrameSwitch,
    start: Tensor,  # (n, channels, h, w) latents
    steps: Tensor,  # (n,)
    words: Tensor,  # (n, tokens, width)
    control: Tensor,  # (n, 3, 8 h, 8 w)
    alphas: Tensor,
    rng: Generator,
) -> Tensor:
    """`start` under fresh noise, as the network predicts it without frame 0; the switch is left as it was."""
    noise = torch.from_numpy(rng.standard_normal(start.shape, dtype=np.float32)).to(start)
    alpha = alphas[steps][:, None, None, None]
    before, switch.on = switch.on, False
    try:
        guess = predict(modules, alpha.sqrt() * start + (1 - alpha).sqrt() * noise, steps, words, control)
    finally:
        switch.on = before
    return guess.to(start)
