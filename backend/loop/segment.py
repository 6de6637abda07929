"""Denoise one segment of a shot: the way into this package.

    components = load_components("embedded", "cpu", "auto")
    prompt = encode_prompt(components, job.prompt, job.negative_prompt)
    method = METHOD_CLASSES[job.method].build(inputs)
    result = sample_segment(components, method, prompt, depth, anchor_depth, settings, Segment(0, 8), None, None)
    pictures = decode_frames(components, result.latents)
    result = sample_segment(..., Segment(8, 16), result.anchor, result.last)

Frames come out as each segment ends, and equal those of one batch of the whole shot up to rounding.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backend.contract.values import (
    Callbacks,
    Canvas,
    SampleSettings,
    Segment,
    SegmentResult,
    Trajectory,
)
from backend.loop.memory import fit_to_memory
from backend.loop.method import Method
from backend.loop.sampler import Sampler
from backend.models.sd15.components import Components
from backend.models.sd15.text import PromptEmbeds
from shared.errors import InputError, JobError

__all__ = ["Callbacks", "SampleSettings", "Segment", "SegmentResult", "Trajectory", "sample_segment"]


def sample_segment(
    components: Components,
    method: Method,
    prompt: PromptEmbeds,
    depth: NDArray[np.float32],  # (frames of the segment, height, width) 0..1, near = 1
    anchor_depth: NDArray[np.float32],  # (height, width) the shot's frame 0
    settings: SampleSettings,
    segment: Segment,
    anchor: Trajectory | None = None,
    previous: Trajectory | None = None,
    callbacks: Callbacks = Callbacks(),  # noqa: B008 (frozen)
) -> SegmentResult:
    """Denoise the frames of one segment (LatentMan, algorithm 1, all frames of the segment in step).

    `anchor` is the trajectory of the shot's frame 0, `previous` that of the frame before the segment; both come from
    the SegmentResult of the segment before and are None for the segment that starts at 0. Results are the same for
    any cut of a shot into segments, up to rounding.
    Raises InputError where sizes do not fit, JobError where a needed trajectory is missing or the model gives values
    that are not finite, CancelledError soon after `callbacks.cancelled()` is true.
    """
    canvas = _canvas(components, settings)
    _check_depth(depth, anchor_depth, settings, segment)
    first = segment.start == 0
    for name, needed, trajectory in (
        ("anchor", method.spec.needs_first, anchor),
        ("previous", method.spec.needs_previous, previous),
    ):
        _check_trajectory(name, needed and not first, None if first else trajectory, components, settings, canvas)
    fitted = fitted_settings(components, method, settings)
    sampler = Sampler(components, method, prompt, fitted, segment, canvas, callbacks)
    if first:
        return sampler.run(depth, anchor_depth, None, None)
    return sampler.run(depth, anchor_depth, anchor, previous)


def fitted_settings(components: Components, method: Method, settings: SampleSettings) -> SampleSettings:
    """The settings with the batches that `sample_segment` would choose now, where they leave them open.

    A job that keeps them comes out the same, bit for bit, however much memory is free when it is taken up again.
    Raises InputError for a size that does not fit the model.
    """
    return fit_to_memory(components, settings, _canvas(components, settings), method)


def _canvas(components: Components, settings: SampleSettings) -> Canvas:
    factor = components.latent_factor
    for name, size in (("height", settings.height), ("width", settings.width)):
        if size % factor:
            raise InputError("sample.size", f"The {name} is {size} pixels; this model needs a multiple of {factor}.")
    return Canvas(
        settings.height // factor, settings.width // factor, settings.height, settings.width, components.device
    )


def _check_depth(
    depth: NDArray[np.float32], anchor_depth: NDArray[np.float32], settings: SampleSettings, segment: Segment
) -> None:
    size = (settings.height, settings.width)
    if depth.shape != (len(segment), *size) or anchor_depth.shape != size:
        raise InputError(
            "sample.depth",
            f"Depth pictures are {depth.shape} and {anchor_depth.shape}; "
            f"this segment needs {(len(segment), *size)} and {size}.",
        )


def _check_trajectory(
    name: str,
    needed: bool,
    trajectory: Trajectory | None,
    components: Components,
    settings: SampleSettings,
    canvas: Canvas,
) -> None:
    if trajectory is None:
        if needed:
            raise JobError("job.trajectory", f"This segment needs the {name} trajectory of the segment before it.")
        return
    expected = (settings.steps, components.latent_channels, canvas.latent_height, canvas.latent_width)
    for key in ("latents", "x0"):
        shape = tuple(getattr(trajectory, key).shape)
        if shape != expected:
            raise JobError("job.trajectory", f"The {name} trajectory's {key} are {shape}; this job has {expected}.")
