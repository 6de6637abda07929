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


def attention_to_queries(
    queries: Array,  # (batch, heads, tokens, head width)
    keys: Array,  # (batch, heads, anchor tokens, head width)
    values: Array,  # as the keys
    push: Array,  # as the queries: the loss's gradient with respect to what is returned first
) -> tuple[Array, Array]:
    """softmax(Q K^T / sqrt(d)) V, and the loss's gradient with respect to Q, one query after the other."""
    attended, gradient = np.zeros_like(queries), np.zeros_like(queries)
    scale = 1 / np.sqrt(queries.shape[-1])
    for place in np.ndindex(*queries.shape[:3]):
        own_keys, own_values = keys[place[:2]], values[place[:2]]
        scores = own_keys @ queries[place] * scale
        weights = np.exp(scores - scores.max())
        weights /= weights.sum()
        attended[place] = weights @ own_values
        jacobian = np.diag(weights) - np.outer(weights, weights)  # of the softmax
        gradient[place] = own_keys.T @ (jacobian @ (own_values @ push[place])) * scale
    return attended, gradient


def attention_to_tokens(
    queries: Array,  # (tokens, head width)
    keys: Array,  # (read tokens, head width)
    values: Array,  # as the keys
    seen: NDArray[np.bool_],  # (read tokens,)
) -> Array:
    """softmax(q K^T / sqrt(d)) V over the tokens that are seen, or over all where none is; one query at a time."""
    shown = seen if seen.any() else np.ones_like(seen)
    attended = np.zeros_like(queries)
    for index, query in enumerate(queries):
        scores = keys[shown] @ query / np.sqrt(len(query))
        weights = np.exp(scores - scores.max())
        attended[index] = weights / weights.sum() @ values[shown]
    return attended
