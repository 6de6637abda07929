"""Cross-frame attention, written out: softmax attention of every frame to frame 0 (NumPy, float64)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def cross_frame_attention(
    hidden: Array,  # (halves, frames, tokens, channels)
    wq: Array,  # (channels, channels) rows give outputs
    wk: Array,
    wv: Array,
    wo: Array,
    bo: Array,  # (channels,)
    heads: int,
) -> Array:
    """Each frame's queries, frame 0's keys and values of the same half; (halves, frames, tokens, channels)."""
    halves, frames, tokens, channels = hidden.shape
    width = channels // heads
    output = np.zeros_like(hidden)
    for half in range(halves):
        keys, values = hidden[half, 0] @ wk.T, hidden[half, 0] @ wv.T
        for frame in range(frames):
            queries = hidden[half, frame] @ wq.T
            attended = np.zeros((tokens, channels))
            for head in range(heads):
                part = slice(head * width, (head + 1) * width)
                scores = queries[:, part] @ keys[:, part].T / np.sqrt(width)
                weights = np.exp(scores - scores.max(axis=1, keepdims=True))
                attended[:, part] = weights / weights.sum(axis=1, keepdims=True) @ values[:, part]
            output[half, frame] = attended @ wo.T + bo
    return output
