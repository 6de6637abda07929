"""Any armature of the scene as a moving skeleton: constraints, NLA, drivers and parents included."""

from __future__ import annotations

from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from ...scene_time import Steps, scene_fps
from ...shared.errors import InputError
from ...shared.motion.retarget.skeleton import Skeleton, SkeletonMotion, motion_of
from ..character import characters

Array = NDArray[np.float64]

# Blender's Z up to SMPL's Y up.
TO_Y_UP: Final = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, -1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
_NO_BONES: Final = "Choose an armature with the bones of a person."


def other_armatures(scene: Any) -> list[Any]:
    """The armatures of the scene that are no character's, in the order of their names."""
    own = [one.armature for one in characters(scene)]
    return sorted((one for one in scene.objects if one.type == "ARMATURE" and one not in own), key=lambda one: one.name)


def why_not_readable(armature: Any, view_layer: Any) -> str:
    """Why an armature's motion cannot be read; empty if it can be."""
    if not armature.data.bones:
        return f"{armature.name!r} has no bones"
    if armature.data.pose_position == "REST":
        return f"{armature.name!r} shows its rest position: switch to Pose Position in its data properties"
    collections = armature.users_collection
    hidden = armature.hide_viewport or (bool(collections) and all(one.hide_viewport for one in collections))
    if hidden or armature.name not in view_layer.objects:
        return f"{armature.name!r} is disabled in viewports, so Blender does not evaluate it: enable it"
    return ""


def skeleton_of(armature: Any) -> Skeleton:
    """The armature's bones in the rest pose, in the object's own space. Raises InputError if there are none."""
    bones = list(armature.data.bones)
    if not bones:
        raise InputError("rig.no_bones", f"{armature.name!r} has no bones.", _NO_BONES)
    index = {bone.name: place for place, bone in enumerate(bones)}
    turns = np.array([bone.matrix_local for bone in bones], np.float64)[:, :3, :3]
    return Skeleton(
        tuple(index),
        tuple(-1 if bone.parent is None else index[bone.parent.name] for bone in bones),
        np.array([bone.head_local for bone in bones], np.float64),
        np.array([bone.tail_local for bone in bones], np.float64),
        turns,
    )


def reading_steps(scene: Any, armature: Any, frames: range) -> Steps[SkeletonMotion]:
    """How the armature moves in these frames, in the world with Y up, at the scene's frame rate.

    The scene is stepped through once; its current frame is put back. Raises InputError if there are no frames or no
    bones, MotionError for bones that are mirrored or scaled to nothing.
    """
    if not frames:
        raise InputError("frames.empty", "The frame range contains no frame.", "Set the scene's start and end.")
    skeleton = skeleton_of(armature)
    found = []
    current = scene.frame_current
    try:
        for frame in frames:
            scene.frame_set(frame)
            found.append(_world_matrices(armature))
            yield
    finally:
        scene.frame_set(current)
    matrices = np.asarray(TO_Y_UP @ np.stack(found), np.float64)
    return motion_of(skeleton, matrices, scene_fps(scene), armature.name)


def _world_matrices(armature: Any) -> Array:
    """The bones' matrices in the world, (bones, 4, 4), in the current frame."""
    evaluated = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    bones = evaluated.pose.bones
    flat = np.empty(16 * len(bones), np.float32)
    bones.foreach_get("matrix", flat)  # column by column
    return np.asarray(np.array(evaluated.matrix_world, np.float64) @ flat.reshape(-1, 4, 4).transpose(0, 2, 1))
