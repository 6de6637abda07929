"""A character's keyframes, edits and constraints included, back as a motion."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..scene_time import Steps, scene_fps
from ..shared.errors import InputError
from ..shared.motion import SMPLMotion
from ..shared.motion.skeleton import local_rotations
from ..shared.rotations import matrix_to_axis_angle
from .joints import joint_bones


def rest_joints(armature: Any) -> NDArray[np.float64]:
    """The 24 joints in the rest pose, (24, 3) metres, SMPL's axes. Raises InputError if a joint has no bone."""
    return np.array([armature.data.bones[name].head_local for name in joint_bones(armature)], np.float64)


def reading_steps(scene: Any, armature: Any, frames: tuple[int, ...]) -> Steps[SMPLMotion]:
    """The motion that the armature shows in these frames, at the scene's frame rate.

    The scene is stepped through once; its current frame is put back. Raises InputError if there are no frames, or
    the armature has not SMPL's joints.
    """
    if not frames:
        raise InputError("frames.empty", "The frame range contains no frame.", 'Give one, for example "1-30,47".')
    bones = joint_bones(armature)
    poses, pelvis = [], []
    current = scene.frame_current
    try:
        for frame in frames:
            scene.frame_set(frame)
            evaluated = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
            matrices = np.array([evaluated.pose.bones[name].matrix for name in bones], np.float64)
            world = matrices[:, :3, :3] / np.linalg.norm(matrices[:, :3, :3], axis=1, keepdims=True)
            poses.append(matrix_to_axis_angle(local_rotations(world)))
            pelvis.append(matrices[0, :3, 3])
            yield
    finally:
        scene.frame_set(current)
    return SMPLMotion(
        poses=np.stack(poses),
        root=np.stack(pelvis) - rest_joints(armature)[0],
        betas=np.zeros(10),
        fps=scene_fps(scene),
        source=armature.name,
    )
