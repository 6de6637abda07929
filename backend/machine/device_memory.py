"""What this process holds of the device's memory, and giving back what nobody needs any more."""

from __future__ import annotations

import gc

import psutil
import torch

from backend.machine.freed_memory import give_back_freed_memory
from shared.protocol.worker_memory import WorkerMemory


def measure_memory(device: torch.device, *, model_loaded: bool) -> WorkerMemory:
    """The memory of the device as it is now; on a CPU that of this process."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return WorkerMemory(
            device=torch.cuda.get_device_name(device),
            kind="card",
            model_loaded=model_loaded,
            held_bytes=torch.cuda.memory_reserved(device),
            used_bytes=total - free,
            total_bytes=total,
            peak_bytes=torch.cuda.max_memory_allocated(device),
        )
    machine = psutil.virtual_memory()
    return WorkerMemory(
        device="CPU",
        kind="process",
        model_loaded=model_loaded,
        held_bytes=psutil.Process().memory_info().rss,
        used_bytes=machine.total - machine.available,
        total_bytes=machine.total,
    )


def give_back(device: torch.device) -> None:
    """Return to the system what was freed: torch and the C library both keep it for the next tensor otherwise."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    give_back_freed_memory()
