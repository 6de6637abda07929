"""Which frame each place of the surface takes its detail from: a few key frames, in large and stable pieces.

Only geometry decides, so that the choice is the same at every step of the denoising.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backend.surface.nodes import Nodes

MOST_KEYS = 6
LEAST_GAIN = 0.02  # of what all frames together can give
GOOD_ENOUGH = 0.5  # of the best view of a place
FAINT = np.float32(1e-5)  # of any view that sees a texel, should those that are the best around it not do so

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


def key_frames(quality: Floats, extent: Floats) -> list[int]:
    """The views, best first, that see the surface nearly as well as all together: rows of `quality` (views, nodes).

    `extent` (nodes,) is how much of the surface a node stands for. Greedy: each adds the most; at most `MOST_KEYS`,
    and none that adds less than `LEAST_GAIN`.
    """
    goal = float((quality.max(axis=0) * extent).sum())
    best, keys = np.zeros(quality.shape[1], np.float32), []
    for _ in range(min(MOST_KEYS, len(quality))):
        gains = (np.maximum(quality, best) * extent).sum(axis=1) - (best * extent).sum()
        key = int(gains.argmax())
        if goal <= 0 or gains[key] < LEAST_GAIN * goal:
            break
        keys.append(key)
        best = np.maximum(best, quality[key])
    return keys


def view_labels(quality: Floats, extent: Floats, *, kept: Floats | None = None) -> Labels:
    """The view (nodes,) that each node takes its detail from; -1 = what was there before, -2 = nobody sees it.

    `kept` (nodes,) is how well the frames before saw it: a view takes over only where it sees the place twice as well.
    """
    top = quality.max(axis=0)
    labels = quality.argmax(axis=0)
    keys = key_frames(quality, extent)
    if keys:
        among = quality[keys]
        good = among.max(axis=0) >= GOOD_ENOUGH * top
        labels = np.where(good, np.asarray(keys)[among.argmax(axis=0)], labels)
    if kept is not None:
        labels = np.where((kept > 0) & (kept >= GOOD_ENOUGH * top), -1, labels)
        top = np.maximum(top, kept)
    return np.where(top > 0, labels, -2)


def feathered(nodes: Nodes, labels: Labels, seen: Sequence[NDArray[np.int32]], kept: Floats | None) -> list[Floats]:
    """How much (K,) each view gives to a texel's detail, one view an entry, and last what was there before.

    Labels go over into each other across a node's width. They sum to 1 where any of the views sees the texel, `seen`
    being theirs and `kept` (K,) that of the frames before; elsewhere to 0.
    """
    texels = nodes.read.shape[0]
    shares = []
    for view, mine in enumerate(seen):
        share = np.zeros(texels, np.float32)
        share[mine] = (nodes.read @ (labels == view).astype(np.float32))[mine] + FAINT
        shares.append(share)
    before = np.zeros(texels, np.float32)
    if kept is not None:
        before = (nodes.read @ (labels == -1).astype(np.float32) + FAINT) * (kept > 0)
    total = before + sum(shares)
    norm = np.where(total > 0, 1 / np.maximum(total, FAINT), 0).astype(np.float32)
    return [share * norm for share in (*shares, before)]
