"""Where a new character stands: beside those that are there, if it would stand inside one of them."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..shared.motion.skeleton import JOINT_NAMES
from .joints import joint_bones
from .stack.layers import clip_range

GAP_M = 1.0  # from the outermost joint of one to that of the other

_TORSO = tuple(JOINT_NAMES.index(name) for name in ("pelvis", "spine3", "head"))
_INSIDE_M = 0.3  # two bodies whose torsos come nearer are inside each other
_MOST_FRAMES = 60


def stand_beside(scene: Any, made: list[Any], others: list[Any]) -> float:
    """Move new characters along the world's X until they are clear of the others; returns by how much, in metres.

    They move as one, and only where one of them would be inside one of the others in some frame: 0 if not. All are
    armatures. The scene is stepped through; its current frame is put back. Raises InputError if an armature has not
    SMPL's joints.
    """
    if not others:
        return 0.0
    ways = _ways(scene, [*made, *others])
    own, present = ways[: len(made)], ways[len(made) :]
    if not any(_inside(one, other) for one in own for other in present):
        return 0.0
    left = min(float(one[..., 0].min()) for one in own)
    step = max(float(one[..., 0].max()) for one in present) + GAP_M - left
    for armature in made:
        armature.location.x += step
    scene.frame_set(scene.frame_current)
    return step


def _ways(scene: Any, armatures: list[Any]) -> list[NDArray[np.float64]]:
    """The joints of each armature over the frames in which one of them moves, (frames, 24, 3) metres in the world."""
    bones = [joint_bones(one) for one in armatures]
    found: list[list[list[Any]]] = [[] for _ in armatures]
    current = scene.frame_current
    try:
        for frame in _frames(armatures, current):
            scene.frame_set(frame)
            depsgraph = bpy.context.evaluated_depsgraph_get()
            for way, one, names in zip(found, armatures, bones, strict=True):
                shown = one.evaluated_get(depsgraph)
                way.append([shown.matrix_world @ shown.pose.bones[name].head for name in names])
    finally:
        scene.frame_set(current)
    return [np.array(way, np.float64) for way in found]


def _frames(armatures: list[Any], current: int) -> list[int]:
    """Frames from the first to the last that is keyed, evenly; the current one if nothing is."""
    ranges = [found for one in armatures if (found := clip_range(one)) is not None]
    if not ranges:
        return [current]
    first, last = min(start for start, _ in ranges), max(end for _, end in ranges)
    count = min(last - first + 1, _MOST_FRAMES)
    return sorted({round(frame) for frame in np.linspace(first, last, count)})


def _inside(own: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether two torsos come too near each other in some frame; ways (frames, 24, 3)."""
    apart = own[:, _TORSO, None] - other[:, None, _TORSO]
    return bool((np.linalg.norm(apart, axis=-1) < _INSIDE_M).any())
