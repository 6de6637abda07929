"""Writes BVH files as programs write them, from a skeleton whose bones have the world's axes at rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.motion.retarget.skeleton import Skeleton, SkeletonMotion

Array = NDArray[Any]


def bvh_text(*people: SkeletonMotion) -> str:
    """One file, a hierarchy a person, with the whole way in the root's position channels and ZYX rotations."""
    lines, columns = ["HIERARCHY"], []
    for motion in people:
        root = motion.skeleton.parents.index(-1)
        columns.append(_joint(motion, root, 0, lines))
    rows = np.concatenate(columns, axis=1)
    lines += ["MOTION", f"Frames: {len(rows)}", f"Frame Time: {1.0 / people[0].fps:.9f}"]
    lines += [" ".join(f"{value:.9f}" for value in row) for row in rows]
    return "\n".join(lines) + "\n"


def _joint(motion: SkeletonMotion, bone: int, depth: int, lines: list[str]) -> Array:
    skeleton, pad = motion.skeleton, "  " * depth
    parent = skeleton.parents[bone]
    offset = skeleton.heads[bone] - (skeleton.heads[parent] if parent >= 0 else 0.0)
    places = "" if parent >= 0 else "Xposition Yposition Zposition "
    lines += [f"{pad}{'JOINT' if parent >= 0 else 'ROOT'} {skeleton.names[bone]}", f"{pad}{{"]
    lines += [f"{pad}  OFFSET {_row(offset)}"]
    lines += [f"{pad}  CHANNELS {3 if parent >= 0 else 6} {places}Zrotation Yrotation Xrotation"]
    turn = motion.rotations[:, bone]
    local = turn if parent < 0 else np.swapaxes(motion.rotations[:, parent], -1, -2) @ turn
    columns = [*([] if parent >= 0 else [motion.heads[:, bone]]), np.degrees(_zyx(local))]
    below = skeleton.children[bone]
    columns += [_joint(motion, child, depth + 1, lines) for child in below]
    if not below:
        end = skeleton.tails[bone] - skeleton.heads[bone]
        lines += [f"{pad}  End Site", f"{pad}  {{", f"{pad}    OFFSET {_row(end)}", f"{pad}  }}"]
    lines += [f"{pad}}}"]
    return np.concatenate(columns, axis=1)


def _row(values: Sequence[float] | Array) -> str:
    return " ".join(f"{value:.9f}" for value in values)


def _zyx(turn: Array) -> Array:  # (frames, 3, 3)
    """Angles about Z, Y and X of R = Rz Ry Rx, (frames, 3) radians."""
    y = np.arcsin(np.clip(-turn[:, 2, 0], -1.0, 1.0))
    return np.stack([np.arctan2(turn[:, 1, 0], turn[:, 0, 0]), y, np.arctan2(turn[:, 2, 1], turn[:, 2, 2])], axis=-1)


def z_up(motion: SkeletonMotion) -> SkeletonMotion:
    """The same with Z up, at rest too."""
    turn = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])
    skeleton = motion.skeleton
    rest = Skeleton(
        skeleton.names, skeleton.parents, skeleton.heads @ turn.T, skeleton.tails @ turn.T, skeleton.rotations
    )
    rotations = turn @ motion.rotations @ turn.T
    return SkeletonMotion(rest, rotations, motion.heads @ turn.T, motion.fps, motion.name)
