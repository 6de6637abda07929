"""CMU's takes as text files of 117 numbers a frame: the pelvis' place, then a rotation vector for each of 38 joints.

Research code on motion prediction uses this form (Li et al., "Convolutional Sequence to Sequence Model for Human
Dynamics", 2018). The joints are those of CMU's usual BVH files with their ends; the first frame is the rest pose.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.errors import MotionError
from shared.motion.retarget.skeleton import Skeleton, SkeletonMotion
from shared.rotations import axis_angle_to_matrix

Array = npt.NDArray[np.float64]

FPS: Final = 120.0  # CMU's cameras; the files do not say it
WIDTH: Final = 117
# Joint, parent and the way from the parent in the rest pose, in CMU's unit (5.6 cm).
_JOINTS: Final = (
    ("Hips", "", 0.0, 0.0, 0.0),
    ("LHipJoint", "Hips", 0.0, 0.0, 0.0), ("LeftUpLeg", "LHipJoint", 1.657, -1.803, 0.625),
    ("LeftLeg", "LeftUpLeg", 2.597, -7.136, 0.0), ("LeftFoot", "LeftLeg", 2.492, -6.848, 0.0),
    ("LeftToeBase", "LeftFoot", 0.197, -0.541, 2.146), ("LeftToeEnd", "LeftToeBase", 0.0, 0.0, 1.112),
    ("RHipJoint", "Hips", 0.0, 0.0, 0.0), ("RightUpLeg", "RHipJoint", -1.611, -1.803, 0.625),
    ("RightLeg", "RightUpLeg", -2.595, -7.130, 0.0), ("RightFoot", "RightLeg", -2.468, -6.780, 0.0),
    ("RightToeBase", "RightFoot", -0.230, -0.633, 2.134), ("RightToeEnd", "RightToeBase", 0.0, 0.0, 1.116),
    ("LowerBack", "Hips", 0.0, 0.0, 0.0), ("Spine", "LowerBack", 0.020, 2.055, -0.141),
    ("Spine1", "Spine", 0.010, 2.064, -0.059), ("Neck", "Spine1", 0.0, 0.0, 0.0),
    ("Neck1", "Neck", 0.007, 1.567, 0.150), ("Head", "Neck1", 0.034, 1.560, -0.100),
    ("HeadEnd", "Head", 0.013, 1.626, -0.053),
    ("LeftShoulder", "Spine1", 0.0, 0.0, 0.0), ("LeftArm", "LeftShoulder", 3.542, 0.904, -0.174),
    ("LeftForeArm", "LeftArm", 4.865, 0.0, 0.0), ("LeftHand", "LeftForeArm", 3.356, 0.0, 0.0),
    ("LeftFingerBase", "LeftHand", 0.0, 0.0, 0.0), ("LeftHandIndex1", "LeftFingerBase", 0.661, 0.0, 0.0),
    ("LeftHandEnd", "LeftHandIndex1", 0.533, 0.0, 0.0), ("LThumb", "LeftHand", 0.0, 0.0, 0.0),
    ("LThumbEnd", "LThumb", 0.541, 0.0, 0.541),
    ("RightShoulder", "Spine1", 0.0, 0.0, 0.0), ("RightArm", "RightShoulder", -3.498, 0.760, -0.326),
    ("RightForeArm", "RightArm", -5.026, 0.0, 0.0), ("RightHand", "RightForeArm", -3.364, 0.0, 0.0),
    ("RightFingerBase", "RightHand", 0.0, 0.0, 0.0), ("RightHandIndex1", "RightFingerBase", -0.730, 0.0, 0.0),
    ("RightHandEnd", "RightHandIndex1", -0.589, 0.0, 0.0), ("RThumb", "RightHand", 0.0, 0.0, 0.0),
    ("RThumbEnd", "RThumb", -0.598, 0.0, 0.598),
)  # fmt: skip
NAMES: Final = tuple(row[0] for row in _JOINTS)
PARENTS: Final = tuple(NAMES.index(row[1]) if row[1] else -1 for row in _JOINTS)
_WAYS: Final = np.array([row[2:] for row in _JOINTS], dtype=np.float64)


def read_cmu_maps(path: Path) -> Iterator[tuple[str, SkeletonMotion]]:
    """The take, Y up, without its first frame. Raises MotionError `motion.cmu_maps`."""
    try:
        values = np.loadtxt(path, delimiter=",", ndmin=2)
    except (ValueError, UnicodeDecodeError) as error:
        raise MotionError("motion.cmu_maps", f"{path.name} is not rows of numbers.", "Download it again.") from error
    if values.shape[1] != WIDTH or len(values) < 2 or not np.isfinite(values).all():
        what = f"{path.name} is not two or more frames of {WIDTH} finite numbers; its shape is {values.shape}."
        raise MotionError("motion.cmu_maps", what, "Use a file of CMU's takes as rotation vectors.")
    yield "", posed(values[1:], path.name)


def cmu_skeleton() -> Skeleton:
    """The rest pose: a T-pose with the legs apart."""
    heads = np.zeros((len(NAMES), 3))
    for joint, parent in enumerate(PARENTS):
        heads[joint] = _WAYS[joint] + (heads[parent] if parent >= 0 else 0.0)
    tails = heads.copy()
    for joint in range(len(NAMES)):
        ends = [heads[child] for child, parent in enumerate(PARENTS) if parent == joint]
        if ends:
            tails[joint] = np.mean(ends, axis=0)
    return Skeleton(NAMES, PARENTS, heads, tails, np.tile(np.eye(3), (len(NAMES), 1, 1)))


def posed(values: Array, name: str) -> SkeletonMotion:  # (frames, 117)
    """The take of these rows."""
    # The rotation vectors belong to matrices that are multiplied from the right: the other way round.
    turns = axis_angle_to_matrix(-values[:, 3:].reshape(len(values), len(NAMES), 3))
    rotations, heads = np.zeros_like(turns), np.zeros((len(values), len(NAMES), 3))
    for joint, parent in enumerate(PARENTS):
        if parent < 0:
            rotations[:, joint], heads[:, joint] = turns[:, joint], values[:, :3]
        else:
            rotations[:, joint] = rotations[:, parent] @ turns[:, joint]
            heads[:, joint] = heads[:, parent] + rotations[:, parent] @ _WAYS[joint]
    return SkeletonMotion(cmu_skeleton(), rotations, heads, FPS, name)
