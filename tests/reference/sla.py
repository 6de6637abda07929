"""Spatial latent alignment, written out: frame after frame, match after match (NumPy)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backend.correspondence.types import Matches


def align_chain(latents: NDArray[np.float32], pairs: Sequence[Matches]) -> NDArray[np.float32]:
    """x^i[q] = x^{i-1}[s], in place from the first frame on; (frames, channels, h, w)."""
    aligned = latents.copy()
    for frame, matches in enumerate(pairs, start=1):
        for q, s in zip(matches.current, matches.reference, strict=True):
            row, column = divmod(int(q), matches.width)
            row_before, column_before = divmod(int(s), matches.width)
            aligned[frame, :, row, column] = aligned[frame - 1, :, row_before, column_before]
    return aligned
