"""Where bfloat16 is the quick precision: on devices with instructions for its products."""

from __future__ import annotations

import os

import torch

SWITCH = "LATENTMAN_BFLOAT16"
"""Environment variable: "0" makes a CPU with such instructions compute as one without them, in float32."""


def cpu_computes_bfloat16() -> bool:
    """Whether this CPU has the instructions; without them it is many times slower in bfloat16 than in float32."""
    if os.environ.get(SWITCH) == "0":
        return False
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def computes_bfloat16(device: torch.device) -> bool:
    """Whether a device, CPU or GPU, has the instructions."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return cpu_computes_bfloat16()


def mixed_precision(device: torch.device) -> torch.autocast:
    """A context that computes products in bfloat16 where the device does so quickly, and changes nothing elsewhere."""
    return torch.autocast(device.type, torch.bfloat16, enabled=computes_bfloat16(device))
