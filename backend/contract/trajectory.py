"""Trajectories as safetensors bytes, so that a segment can start in another process or on another machine."""

from __future__ import annotations

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from backend.contract.values import Trajectory
from shared.errors import JobError

_KEYS = ("latents", "x0")


def trajectory_to_bytes(trajectory: Trajectory) -> bytes:
    """One safetensors file: `latents` and `x0`, each (steps, channels, h, w)."""
    tensors = {"latents": trajectory.latents, "x0": trajectory.x0}
    return bytes(save({key: values.detach().cpu().contiguous() for key, values in tensors.items()}))


def trajectory_from_bytes(data: bytes) -> Trajectory:
    """Read what `trajectory_to_bytes` wrote, onto the CPU. Raises JobError if it is not that."""
    try:
        tensors = load(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise JobError("job.trajectory", f"A stored trajectory is damaged: {error}.", "Run the job again.") from error
    if set(tensors) != set(_KEYS) or tensors["latents"].ndim != 4 or tensors["latents"].shape != tensors["x0"].shape:
        shapes = {key: tuple(value.shape) for key, value in tensors.items()}
        raise JobError("job.trajectory", f"A stored trajectory has wrong parts: {shapes}.", "Run the job again.")
    if not all(torch.isfinite(tensors[key]).all() for key in _KEYS):
        raise JobError("job.trajectory", "A stored trajectory holds values that are not finite.", "Run the job again.")
    return Trajectory(tensors["latents"], tensors["x0"])
