"""The table of an armature's bones: which of them is which of SMPL's joints. Saved with the file, on the armature."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import StringProperty

from ..shared.motion.retarget.bone_map import REQUIRED, BoneMap
from ..shared.motion.skeleton import JOINT_NAMES
from ..typed_bpy import pointer_to

_PLACES = {
    "hip": "thigh", "knee": "shin", "ankle": "foot", "foot": "toes", "collar": "collarbone", "shoulder": "upper arm",
    "elbow": "forearm", "wrist": "hand", "hand": "fingers, the first bone of the middle one",
}  # fmt: skip


def joint_label(joint: str) -> str:
    """A joint's name as the table shows it."""
    return joint.replace("_", " ").replace("spine", "spine ").title()


def _field(joint: str) -> Any:
    side, _, part = joint.rpartition("_")
    what = f"{side} {_PLACES[part]}" if side else joint_label(joint).lower()
    needed = "" if joint in REQUIRED else ". Empty: it moves with the bone before it"
    return StringProperty(name=joint_label(joint), description=f"The armature's bone for the {what}{needed}")


class LatentManBones(bpy.types.PropertyGroup):
    """A bone for each of SMPL's joints."""

    label: StringProperty(description="Where the names come from", options={"HIDDEN"})


for _joint in JOINT_NAMES:
    LatentManBones.__annotations__[_joint] = _field(_joint)


def table_of(armature: Any) -> BoneMap | None:
    """The map that the armature's table holds; None if the table is empty."""
    table = armature.latentman_bones
    bones = {joint: getattr(table, joint) for joint in JOINT_NAMES if getattr(table, joint)}
    return BoneMap(table.label or "the table", bones) if bones else None


def fill_table(armature: Any, bone_map: BoneMap) -> None:
    """Have the armature's table hold this map."""
    table = armature.latentman_bones
    table.label = bone_map.label
    for joint in JOINT_NAMES:
        setattr(table, joint, bone_map.bones.get(joint, ""))


def register() -> None:
    """Add the table to armatures."""
    bpy.utils.register_class(LatentManBones)
    objects: Any = bpy.types.Object
    objects.latentman_bones = pointer_to(LatentManBones)


def unregister() -> None:
    """Remove it; what is stored in files stays there."""
    objects: Any = bpy.types.Object
    del objects.latentman_bones
    bpy.utils.unregister_class(LatentManBones)
