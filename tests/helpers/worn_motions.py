"""Sample motions with one fault each, of a size that is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.body import free_body
from shared.motion import SMPLMotion, read_motion, sample_path


def rest_joints() -> NDArray[np.float64]:
    """The free body's, (24, 3) metres."""
    return np.asarray(free_body().joints(np.zeros(10)), np.float64)


def sample(name: str) -> SMPLMotion:
    return read_motion(sample_path(name))


def sliding(motion: SMPLMotion) -> SMPLMotion:
    """The whole body drifts about by some 10 cm, twice around in the clip."""
    return _moved(motion, lambda turn: (0.1 * np.sin(2 * turn), 0 * turn, 0.1 * np.cos(2 * turn) - 0.1))


def sinking(motion: SMPLMotion) -> SMPLMotion:
    """It begins 10 cm above the floor and ends 10 cm below it."""
    return _moved(motion, lambda turn: (0 * turn, 0.1 - 0.2 * turn / (2 * np.pi), 0 * turn))


def trembling(motion: SMPLMotion, seed: int = 0) -> SMPLMotion:
    """Noise of about a degree at each joint, and of 5 mm at the root, in every frame."""
    random = np.random.default_rng(seed)
    poses = motion.poses + random.normal(0, 0.02, motion.poses.shape)
    return replace(motion, poses=poses, root=motion.root + random.normal(0, 0.005, motion.root.shape))


def _moved(motion: SMPLMotion, way: Any) -> SMPLMotion:
    turn = np.linspace(0, 2 * np.pi, motion.frame_count)
    return replace(motion, root=motion.root + np.stack(way(turn), axis=1))
