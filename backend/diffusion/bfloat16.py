"""Whether the processor has instructions for bfloat16 products."""

from __future__ import annotations

import torch


def cpu_computes_bfloat16() -> bool:
    """Without those instructions a CPU is slower in bfloat16 than in float32."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
