"""What spatial latent alignment itself takes of a run: of two whole runs' times the difference is mostly noise."""

from __future__ import annotations

import statistics
import time

import torch

from backend.contract.values import Canvas, Segment, Step
from backend.loop.method import Method

RUNS = 20


def alignment_seconds(method: Method, frames: int, steps: int, channels: int, canvas: Canvas) -> float:
    """Median seconds to prepare the shot's gather and to carry it out at every step that has it.

    Raises InputError if the method's matches do not fit the shot.
    """
    latents = torch.randn((frames, channels, canvas.latent_height, canvas.latent_width), device=canvas.device)
    taken = []
    for _ in range(RUNS):
        since = time.perf_counter()
        hooks = method.prepare(Segment(0, frames), canvas)
        for index in range(steps):
            latents = hooks.before_unet(Step(index, steps, 0, 1.0), latents, None)
        float(latents[0, 0, 0, 0])  # waits for the device
        taken.append(time.perf_counter() - since)
    return statistics.median(taken)
