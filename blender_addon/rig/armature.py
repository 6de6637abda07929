"""The armature: 24 bones named as SMPL's joints.

Every bone points along SMPL's +Y with no roll, so its rest orientation is the identity and a pose bone's quaternion IS
the joint's rotation; the pelvis bone's location is SMPL's `transl`. Inside the armature all is SMPL's (Y up); the
object's rotation of +90 degrees about X makes Blender's Z-up, once.
"""

from __future__ import annotations

import math
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..shared.motion.skeleton import JOINT_NAMES, PARENTS
from .joints import mark_joints

ROOT_BONE = JOINT_NAMES[0]

_LONGEST_BONE_M = 0.12
_SHORTEST_BONE_M = 0.03


def new_armature(scene: Any, joints: NDArray[np.float64], name: str) -> Any:  # joints (24, 3) metres, SMPL's axes
    """Make the armature object at the rest joints and link it to the scene's collection."""
    data = bpy.data.armatures.new(name)
    armature: Any = bpy.data.objects.new(name, data)
    scene.collection.objects.link(armature)
    armature.rotation_euler = (math.radians(90), 0, 0)
    _add_bones(scene, armature, joints)
    mark_joints(armature)
    armature.show_in_front = True
    data.display_type = "STICK"
    for bone in armature.pose.bones:
        bone.rotation_mode = "QUATERNION"
    return armature


def _add_bones(scene: Any, armature: Any, joints: NDArray[np.float64]) -> None:
    """Bones can only be made in edit mode; the active object, its mode and the selection are put back."""
    current = bpy.context.view_layer
    view_layer: Any = current if current in list(scene.view_layers) else scene.view_layers[0]
    view_layer.update()  # lets the layer know the new object
    active, selected = view_layer.objects.active, [item for item in view_layer.objects if item.select_get()]
    mode: Any = active.mode if active is not None else "OBJECT"
    with bpy.context.temp_override(scene=scene, view_layer=view_layer):
        if mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        view_layer.objects.active = armature
        bpy.ops.object.mode_set(mode="EDIT")
        _fill(armature.data.edit_bones, joints)
        bpy.ops.object.mode_set(mode="OBJECT")
        armature.select_set(False, view_layer=view_layer)
        for item in selected:
            item.select_set(True, view_layer=view_layer)
        view_layer.objects.active = active
        if mode != "OBJECT":
            bpy.ops.object.mode_set(mode=mode)


def _fill(edit_bones: Any, joints: NDArray[np.float64]) -> None:
    bones = [edit_bones.new(joint) for joint in JOINT_NAMES]
    for joint, bone in enumerate(bones):
        bone.head = joints[joint]
        bone.tail = joints[joint] + np.array([0, _bone_length(joints, joint), 0])
        bone.roll = 0
        bone.parent = bones[PARENTS[joint]] if PARENTS[joint] >= 0 else None
        bone.use_connect = False


def _bone_length(joints: NDArray[np.float64], joint: int) -> float:
    """A third of the way to the nearest child, within bounds: long enough to be picked, short enough to see."""
    children = [child for child, parent in enumerate(PARENTS) if parent == joint]
    reach = min((float(np.linalg.norm(joints[child] - joints[joint])) for child in children), default=_LONGEST_BONE_M)
    return min(max(reach / 3, _SHORTEST_BONE_M), _LONGEST_BONE_M)
