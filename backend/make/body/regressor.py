"""A sparse, non-negative joint regressor fitted to many shapes."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from backend.make.body.shapes import ShapeSamples
from shared.motion.skeleton import PARENTS

Array = NDArray[np.float64]

CANDIDATES: Final = 400
SUM_WEIGHT: Final = 10.0
REACH_M: Final = 0.15  # candidates lie at most this much farther from the joint than the nearest skin


def fit_joint_regressor(samples: ShapeSamples, weights: Array) -> Array:
    """J_regressor (24, V): each row a convex combination of vertices near the joint that follows it over the shapes.

    Non-negative least squares as in SMPL (Loper et al. 2015, section 4.2), over vertices around the joint that are
    skinned to it or its parent. `weights` (V, 24).
    """
    mean, places = samples.vertices.mean(axis=0), samples.joints.mean(axis=0)
    regressor = np.zeros((24, len(mean)))
    for joint in range(24):
        distance = np.linalg.norm(mean - places[joint], axis=1)
        near = np.flatnonzero(distance < distance.min() + REACH_M)
        near = near[weights[near][:, [joint, max(PARENTS[joint], 0)]].sum(axis=1) > 0.05]
        ring = near[_spread(mean[near], CANDIDATES)]
        points = samples.vertices[:, ring].transpose(0, 2, 1)  # (samples, 3, n)
        system = points - places[joint][None, :, None]
        target = samples.joints[:, joint] - places[joint]
        matrix = np.concatenate([system.reshape(-1, len(ring)), np.full((1, len(ring)), SUM_WEIGHT)])
        solution, _ = nnls(matrix, np.append(target.ravel(), SUM_WEIGHT))
        regressor[joint, ring] = solution / solution.sum()
    return regressor


def _spread(points: Array, count: int) -> NDArray[np.int64]:
    """Indices of `count` points spread evenly by farthest-point sampling from the first."""
    chosen = np.zeros(min(count, len(points)), dtype=np.int64)
    distance = np.full(len(points), np.inf)
    for index in range(1, len(chosen)):
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[index - 1]], axis=1))
        chosen[index] = int(np.argmax(distance))
    return chosen
