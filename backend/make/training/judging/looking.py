"""Frame 1's attention is told where to look: at the same points of the figure in frame 0.

One head of each layer takes part; what it fetches, and what the other heads do, the picture's own loss decides.
"""

from __future__ import annotations

from math import isqrt, sqrt

import torch
from torch import Tensor

SPREAD_M = 0.06  # how far apart, on the T-posed figure, points still count as the same
MOST_ASKED = 256  # queries of a layer that are compared, evenly spread; its keys are all there
FARTHEST_M = 0.15  # a point whose nearest in frame 0 is farther away is not seen there


class Guide:
    """The figure's points in both frames, and what each layer's attention misses of them."""

    def __init__(self, label: Tensor, rest: Tensor) -> None:
        """`label` (2 n, h, w) and `rest` (2 n, 3, h, w) metres, as `Batch`: frame 0 of all pairs, then frame 1."""
        self._label, self._rest = label, rest
        self._targets: dict[int, tuple[Tensor, Tensor]] = {}
        self._losses: list[Tensor] = []

    def compare(self, queries: Tensor, keys: Tensor) -> None:
        """Take in one head's queries of frame 1 and keys of frame 0, both (n, tokens, width)."""
        target, seen = self._target(queries.shape[1])
        logits = (queries[:, _asked(queries.shape[1])] @ keys.transpose(1, 2)).float() / sqrt(queries.shape[-1])
        missed = -(target * logits.log_softmax(-1)).sum(-1)
        self._losses.append((missed * seen).sum() / seen.sum().clamp(min=1))

    def loss(self) -> Tensor:
        """Mean cross entropy over all layers compared so far."""
        return torch.stack(self._losses).mean()

    def _target(self, tokens: int) -> tuple[Tensor, Tensor]:
        """Where each asked token of frame 1 should look (n, asked, tokens), and whether it is known (n, asked)."""
        if tokens not in self._targets:
            step = self._label.shape[-1] // isqrt(tokens)
            label = self._label[:, step // 2 :: step, step // 2 :: step].flatten(1)
            rest = self._rest[:, :, step // 2 :: step, step // 2 :: step].flatten(2).transpose(1, 2)
            count = len(label) // 2
            asked = _asked(tokens)
            apart = torch.cdist(rest[count:, asked], rest[:count])
            apart = apart.masked_fill((label[:count] == 0)[:, None], 1e3)
            seen = (label[count:, asked] > 0) & (apart.amin(-1) < FARTHEST_M)
            self._targets[tokens] = (-apart.square() / (2 * SPREAD_M**2)).softmax(-1), seen
        return self._targets[tokens]


def _asked(tokens: int) -> slice:
    """Every so many tokens, MOST_ASKED at most; an odd stride, so that they do not stand in columns."""
    stride = -(-tokens // MOST_ASKED)
    return slice(None, None, stride + (stride > 1 and stride % 2 == 0))
