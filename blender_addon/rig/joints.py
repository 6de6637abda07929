"""Which bone is which of SMPL's joints: by a mark that a bone keeps when it is renamed, else by its name."""

from __future__ import annotations

from typing import Any

from ..shared.errors import InputError
from ..shared.motion.skeleton import JOINT_NAMES

JOINT = "latentman_joint"  # on a bone


def mark_joints(armature: Any) -> None:
    """Mark the bones of an armature that has them under the joints' names."""
    for name in JOINT_NAMES:
        armature.data.bones[name][JOINT] = name


def joint_bones(armature: Any) -> tuple[str, ...]:
    """The names of the 24 joints' bones, in the order of JOINT_NAMES. Raises InputError if one is missing."""
    bones = armature.data.bones
    marked = {bone.get(JOINT): bone.name for bone in reversed(list(bones))}  # of copies the first counts
    found = []
    for joint in JOINT_NAMES:
        named = joint in bones and bones[joint].get(JOINT, joint) == joint
        name = joint if named else marked.get(joint)
        if name is None:
            raise InputError(
                "rig.joints",
                f"{armature.name!r} has no bone {joint!r}.",
                "Give the bone that name, or import the motion again.",
            )
        found.append(name)
    return tuple(found)
