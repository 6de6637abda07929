"""What spatial latent alignment itself takes of a run: of two whole runs' times the difference is mostly noise."""

from __future__ import annotations

import statistics
import time

import torch

from backend.contract.values import Canvas, Segment, Step
from backend.loop.method import FrameMethod

RUNS = 20


def alignment_seconds(method: FrameMethod, frames: int, steps: int, channels: int, canvas: Canvas) -> float:
    """Median seconds to prepare the shot's gather and to carry it out at every step that has it.

    Raises InputError if the method's matches do not fit the shot.
    """
    latents = torch.randn((frames, channels, canvas.latent_height, canvas.latent_width), device=canvas.device)
    taken = []
    for _ in range(RUNS):
        since = time.perf_counter()
        align = method.prepare(Segment(0, frames), canvas).before_unet
        assert align is not None, "the bench measures a method that aligns"
        for index in range(steps):
            latents = align(Step(index, steps, 0, 1.0), latents, None)
        float(latents[0, 0, 0, 0])  # waits for the device
        taken.append(time.perf_counter() - since)
    return statistics.median(taken)
