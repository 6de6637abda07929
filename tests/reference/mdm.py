"""MDM in NumPy, float64, from its paper: one frame, one head and one weight after the other, for a batch of one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Weights = Mapping[str, Array]


def linear(weights: Weights, name: str, x: Array) -> Array:
    result: Array = x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]
    return result


def layer_norm(weights: Weights, name: str, x: Array) -> Array:
    rows = [(row - row.mean()) / math.sqrt(row.var() + 1e-5) for row in x]
    result: Array = np.array(rows) * weights[f"{name}.weight"] + weights[f"{name}.bias"]
    return result


def gelu(x: Array) -> Array:
    return np.array([[0.5 * v * (1.0 + math.erf(v / math.sqrt(2.0))) for v in row] for row in x])


def attention(weights: Weights, name: str, x: Array, seen: Array, hidden: Array | None, heads: int = 4) -> Array:
    # x (tokens, width) asks, seen (others, width) answers, hidden (others,) true where nothing is to be seen
    width = x.shape[1]
    stacked, bias = weights[f"{name}.in_proj_weight"], weights[f"{name}.in_proj_bias"]
    query, key, value = (
        tokens @ stacked[part * width : (part + 1) * width].T + bias[part * width : (part + 1) * width]
        for part, tokens in enumerate((x, seen, seen))
    )
    size = width // heads
    gathered = np.zeros_like(x)
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        for row in range(len(x)):
            scores = key[:, part] @ query[row, part] / math.sqrt(size)
            if hidden is not None:
                scores = np.where(hidden, -np.inf, scores)
            shares = np.exp(scores - scores.max())
            gathered[row, part] = shares @ value[:, part] / shares.sum()
    return linear(weights, f"{name}.out_proj", gathered)


def place(index: int, width: int) -> Array:
    values = np.zeros(width)
    for pair in range(0, width, 2):
        angle = index * math.exp(-math.log(10000.0) * pair / width)
        values[pair] = math.sin(angle)
        if pair + 1 < width:
            values[pair + 1] = math.cos(angle)
    return values


def step_token(weights: Weights, step: int) -> Array:
    width = len(weights["embed_timestep.time_embed.0.bias"])
    x = linear(weights, "embed_timestep.time_embed.0", place(step, width)[None])
    return linear(weights, "embed_timestep.time_embed.2", x / (1.0 + np.exp(-x)))


def with_places(tokens: Array) -> Array:
    return np.array([token + place(index, len(token)) for index, token in enumerate(tokens)])


def layers_of(weights: Weights, stack: str) -> int:
    return 1 + max(int(name.split(".")[2]) for name in weights if name.startswith(f"{stack}.layers."))


def feed_forward(weights: Weights, layer: str, x: Array) -> Array:
    return linear(weights, f"{layer}.linear2", gelu(linear(weights, f"{layer}.linear1", x)))


def encoder_form(weights: Weights, x: Array, step: int, text: Array, hidden: Array | None = None) -> Array:
    # x (frames, 263), text (1, text width), hidden (frames,)
    """The clean motion (frames, 263) by the form with one token for step and text."""
    token = step_token(weights, step) + linear(weights, "embed_text", text)
    tokens = with_places(np.concatenate([token, linear(weights, "input_process.poseEmbedding", x)]))
    mask = None if hidden is None else np.concatenate([[False], hidden])
    for number in range(layers_of(weights, "seqTransEncoder")):
        layer = f"seqTransEncoder.layers.{number}"
        tokens = layer_norm(
            weights, f"{layer}.norm1", tokens + attention(weights, f"{layer}.self_attn", tokens, tokens, mask)
        )
        tokens = layer_norm(weights, f"{layer}.norm2", tokens + feed_forward(weights, layer, tokens))
    return linear(weights, "output_process.poseFinal", tokens[1:])


def decoder_form(
    weights: Weights, x: Array, step: int, text: Array, text_hidden: Array, prefix: Array, hidden: Array | None = None
) -> Array:
    # x (frames, 263), text (pieces, text width), text_hidden (pieces,), prefix (context, 263), hidden (frames,)
    """The clean motion (frames, 263) by the form that attends to the text, behind a clean prefix: DiP."""
    memory = linear(weights, "embed_text", text) + step_token(weights, step)
    tokens = with_places(linear(weights, "input_process.poseEmbedding", np.concatenate([prefix, x])))
    mask = None if hidden is None else np.concatenate([np.zeros(len(prefix), dtype=bool), hidden])
    for number in range(layers_of(weights, "seqTransDecoder")):
        layer = f"seqTransDecoder.layers.{number}"
        seen = attention(weights, f"{layer}.self_attn", tokens, tokens, mask)
        tokens = layer_norm(weights, f"{layer}.norm1", tokens + seen)
        read = attention(weights, f"{layer}.multihead_attn", tokens, memory, text_hidden)
        tokens = layer_norm(weights, f"{layer}.norm2", tokens + read)
        tokens = layer_norm(weights, f"{layer}.norm3", tokens + feed_forward(weights, layer, tokens))
    return linear(weights, "output_process.poseFinal", tokens[len(prefix) :])


def cosine_betas(steps: int) -> list[float]:
    def left(t: float) -> float:
        return math.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2

    return [min(1 - left((i + 1) / steps) / left(i / steps), 0.999) for i in range(steps)]


def sample(predict: Callable[[Array, int], Array], steps: int, draws: list[Array]) -> Array:
    """Ancestral sampling from the definition of q(x_{t-1} | x_t, x_0), as a product of two Gaussians."""
    betas = cosine_betas(steps)
    x = draws[0]
    for t in reversed(range(steps)):
        clean = predict(x, t)
        kept = math.prod(1 - beta for beta in betas[:t])  # of x_{t-1}
        if t == 0:
            return clean
        # x_{t-1} ~ N(sqrt(kept) x0, 1 - kept), and x_t = sqrt(1 - beta) x_{t-1} + sqrt(beta) noise.
        a, beta = math.sqrt(1 - betas[t]), betas[t]
        precision = 1 / (1 - kept) + a * a / beta
        mean = (math.sqrt(kept) * clean / (1 - kept) + a * x / beta) / precision
        x = mean + math.sqrt(1 / precision) * draws[steps - t]
    raise AssertionError("no steps")
