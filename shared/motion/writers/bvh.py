"""BVH: the skeleton with its proportions, and rotations as angles about Z, X and Y. Metres, Y up, the body faces +Z.

The root has no offset, so that programs that add it to its place and those that do not show the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from ...rotations import axis_angle_to_matrix
from ..skeleton import JOINT_NAMES, PARENTS, bone_offsets
from .writer import Array, Writer, Written

_CHANNELS: Final = "Zrotation Xrotation Yrotation"
_LEVEL: Final = 1e-7  # of the cosine: below it Z and Y turn about one line, and Y keeps its angle
_TIP: Final = 0.5  # of a leaf's own offset, which is how far its end is
_SHORTEST_M: Final = 0.03


def encode_bvh(written: Written) -> bytes:
    """The file's bytes. Angles go on beyond half a turn, so that curves do not jump."""
    motion, offsets = written.motion, bone_offsets(written.rest)
    order: list[int] = []
    hierarchy = [*_joint(0, offsets, 0, order)]
    degrees = np.degrees(zxy_angles(axis_angle_to_matrix(motion.poses)))[:, order]
    numbers = np.concatenate([motion.root + written.rest[0], degrees.reshape(motion.frame_count, -1)], axis=1)
    lines = [
        "HIERARCHY",
        *hierarchy,
        "MOTION",
        f"Frames: {motion.frame_count}",
        f"Frame Time: {1.0 / motion.fps:.12g}",
        *(" ".join(f"{number:.9g}" for number in row) for row in numbers),
    ]
    return ("\n".join(lines) + "\n").encode("ascii")


def zxy_angles(matrices: Array) -> Array:  # (frames, ..., 3, 3)
    """Radians (frames, ..., 3) about Z, X, Y with R = Rz Rx Ry, each frame's nearest to the frame before.

    Every rotation has two such triples, and each of their angles any number of whole turns.
    """
    cosine = np.hypot(matrices[..., 0, 1], matrices[..., 1, 1])
    x = np.arctan2(matrices[..., 2, 1], cosine)
    z = np.arctan2(-matrices[..., 0, 1], matrices[..., 1, 1])
    y = np.arctan2(-matrices[..., 2, 0], matrices[..., 2, 2])
    # At the pole only z + y (x = 90 degrees) or z - y is known: with y = 0, that is z alone.
    alone = np.arctan2(matrices[..., 1, 0], matrices[..., 0, 0])
    sign = np.sign(matrices[..., 2, 1])
    angles: Array = np.stack([z, x, y], axis=-1)
    for frame in range(len(angles)):
        before = angles[frame - 1] if frame else np.zeros_like(angles[0])
        pole = cosine[frame] < _LEVEL
        angles[frame, pole, 0] = (alone[frame] - sign[frame] * before[..., 2])[pole]
        angles[frame, pole, 2] = before[pole, 2]
        angles[frame] = _nearest(angles[frame], before)
    return angles


def _nearest(angles: Array, before: Array) -> Array:  # (..., 3) z, x, y
    """The triple of the same rotation whose angles are nearest to those of the frame before."""
    z, x, y = np.moveaxis(angles, -1, 0)
    triples = [angles, np.stack([z + np.pi, np.pi - x, y + np.pi], axis=-1)]
    first, second = (one + 2.0 * np.pi * np.rint((before - one) / (2.0 * np.pi)) for one in triples)
    farther = np.abs(first - before).sum(axis=-1) > np.abs(second - before).sum(axis=-1)
    return np.asarray(np.where(farther[..., None], second, first))


def _joint(joint: int, offsets: Array, depth: int, order: list[int]) -> Iterator[str]:
    """The lines of a joint and of all below it; `order` takes the joints as they come."""
    order.append(joint)
    inner = "\t" * (depth + 1)
    yield "\t" * depth + ("ROOT " if joint == 0 else "JOINT ") + JOINT_NAMES[joint]
    yield "\t" * depth + "{"
    yield inner + f"OFFSET {_three(offsets[joint] if joint else np.zeros(3))}"
    places = "6 Xposition Yposition Zposition " if joint == 0 else "3 "
    yield inner + f"CHANNELS {places}{_CHANNELS}"
    children = [child for child, parent in enumerate(PARENTS) if parent == joint]
    for child in children:
        yield from _joint(child, offsets, depth + 1, order)
    if not children:
        tip = _TIP * offsets[joint]
        tip = tip if np.linalg.norm(tip) >= _SHORTEST_M else np.array([0.0, _SHORTEST_M, 0.0])
        yield from (inner + "End Site", inner + "{", inner + f"\tOFFSET {_three(tip)}", inner + "}")
    yield "\t" * depth + "}"


def _three(numbers: Array) -> str:
    return " ".join(f"{number:.9g}" for number in numbers)


BVH: Final = Writer(
    "bvh",
    "BVH",
    ".bvh",
    "A skeleton with SMPL's joints, for programs that know no SMPL",
    encode_bvh,
)
