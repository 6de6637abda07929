"""A memory as safetensors bytes, so that a segment can start in another process or on another machine."""

from __future__ import annotations

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from backend.contract.values import Memory
from shared.errors import JobError


def memory_to_bytes(memory: Memory) -> bytes:
    """One safetensors file of the arrays by their names; the same memory gives the same bytes."""
    return bytes(save({name: values.detach().cpu().contiguous() for name, values in sorted(memory.arrays.items())}))


def memory_from_bytes(data: bytes) -> Memory:
    """Read what `memory_to_bytes` wrote, onto the CPU. Raises JobError if it is not that."""
    try:
        arrays = load(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise JobError("job.trajectory", f"A stored memory is damaged: {error}.", "Run the job again.") from error
    if not all(torch.isfinite(values).all() for values in arrays.values()):
        raise JobError("job.trajectory", "A stored memory holds values that are not finite.", "Run the job again.")
    return Memory(arrays)
