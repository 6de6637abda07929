"""Decoded pictures: checked, and as grey levels."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.errors import JobError


def check_finite(picture: Tensor, frame: int) -> None:
    """Refuse a picture with values that are no numbers: half precision can overflow in some autoencoders. `frame`
    counts the segment's frames from 0. Raises JobError."""
    if not torch.isfinite(picture).all():
        raise JobError(
            "model.not_finite",
            f"The model produced invalid values (NaN or infinity) in frame {frame} of the segment.",
            "Run it in float32.",
        )


def grey_levels(picture: Tensor) -> NDArray[np.uint8]:
    """A picture (3, height, width) from 0 to 1 -> (height, width, 3)."""
    levels = (picture.clamp(0, 1) * 255).round().to(torch.uint8)
    return levels.permute(1, 2, 0).cpu().numpy()
