"""Armatures of other programs, built and keyed in Blender from a skeleton's motion."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Vector
from numpy.typing import NDArray

from shared.motion.retarget.skeleton import Skeleton, SkeletonMotion
from tests.blender.scenes import context

Array = NDArray[Any]

TO_Z_UP = np.array([[1.0, 0, 0, 0], [0, 0, -1.0, 0], [0, 1.0, 0, 0], [0, 0, 0, 1.0]])
_LENGTH = 0.07  # of every bone, of the figure's height


def build(motion: SkeletonMotion, name: str, *, world: Matrix | None = None, start: int = 1) -> Any:
    """The armature object, keyed from frame `start` on. `world` is its matrix; the motion's places are metres."""
    data = bpy.data.armatures.new(name)
    armature: Any = bpy.data.objects.new(name, data)
    context.scene.collection.objects.link(armature)
    armature.matrix_world = world or Matrix.Identity(4)
    _add_bones(armature, motion.skeleton)
    _key(armature, motion, np.array(armature.matrix_world), start)
    return armature


def _add_bones(armature: Any, skeleton: Skeleton) -> None:
    context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    size = float(np.ptp(skeleton.heads, axis=0).max()) * _LENGTH
    bones = [armature.data.edit_bones.new(name) for name in skeleton.names]
    for bone, head, turn, parent in zip(bones, skeleton.heads, skeleton.rotations, skeleton.parents, strict=True):
        bone.head, bone.tail = Vector(head), Vector(head + size * turn[:, 1])
        bone.align_roll(Vector(turn[:, 2]))
        bone.parent = bones[parent] if parent >= 0 else None
    bpy.ops.object.mode_set(mode="OBJECT")


def _key(armature: Any, motion: SkeletonMotion, world: Array, start: int) -> None:
    skeleton = motion.skeleton
    rest = [np.array(armature.data.bones[name].matrix_local) for name in skeleton.names]
    into = np.linalg.inv(world) @ TO_Z_UP
    for frame in range(len(motion.heads)):
        posed: list[Array] = []
        for index, name in enumerate(skeleton.names):
            matrix = np.eye(4)
            matrix[:3, :3], matrix[:3, 3] = motion.rotations[frame, index], motion.heads[frame, index]
            matrix = into @ matrix
            matrix[:3, :3] /= np.linalg.norm(matrix[:3, :3], axis=0)
            posed.append(matrix)
            parent = skeleton.parents[index]
            above = np.eye(4) if parent < 0 else posed[parent] @ np.linalg.inv(rest[parent])
            bone = armature.pose.bones[name]
            bone.rotation_mode = "QUATERNION"
            bone.matrix_basis = Matrix(np.linalg.inv(above @ rest[index]) @ matrix)
            bone.keyframe_insert("rotation_quaternion", frame=start + frame)
            bone.keyframe_insert("location", frame=start + frame)


def heads(armature: Any, names: tuple[str, ...], frame: int) -> Array:
    """Where bones begin in a frame, (bones, 3) in the world."""
    context.scene.frame_set(frame)
    shown = armature.evaluated_get(context.evaluated_depsgraph_get())
    return np.array([shown.matrix_world @ shown.pose.bones[name].head for name in names])
