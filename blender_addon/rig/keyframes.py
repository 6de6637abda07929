"""A motion as ordinary keyframes, written in bulk."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from .. import compat
from ..shared.motion import SMPLMotion
from ..shared.motion.skeleton import JOINT_NAMES
from ..shared.rotations import axis_angle_to_quaternion, continuous_quaternions
from .armature import ROOT_BONE

_INTERPOLATION: Any = bpy.types.Keyframe.bl_rna.properties["interpolation"]
_LINEAR = _INTERPOLATION.enum_items["LINEAR"].value


def write_motion(armature: Any, motion: SMPLMotion, start_frame: int) -> None:
    """Give the armature a new action that plays the motion, one keyframe a scene frame from `start_frame` on.

    The motion must already be at the scene's frame rate. Between keyframes the curves are straight.
    """
    frames = np.arange(start_frame, start_frame + motion.frame_count, dtype=np.float32)
    quaternions = continuous_quaternions(axis_angle_to_quaternion(motion.poses))  # (frames, 24, 4)
    fcurves = compat.new_fcurves(armature, f"{armature.name} motion")
    for joint, name in enumerate(JOINT_NAMES):
        path = f'pose.bones["{name}"].rotation_quaternion'
        for axis in range(4):
            _write_curve(compat.new_fcurve(fcurves, path, axis, name), frames, quaternions[:, joint, axis])
    for axis in range(3):
        path = f'pose.bones["{ROOT_BONE}"].location'
        _write_curve(compat.new_fcurve(fcurves, path, axis, ROOT_BONE), frames, motion.root[:, axis])


def write_location(target: Any, frames: NDArray[np.float64], locations: NDArray[np.float64]) -> None:
    """Give an object a new action with straight location curves; frames (n,), locations (n, 3) metres."""
    fcurves = compat.new_fcurves(target, f"{target.name} path")
    for axis in range(3):
        curve = compat.new_fcurve(fcurves, "location", axis, "Location")
        _write_curve(curve, np.asarray(frames, np.float32), locations[:, axis])


def _write_curve(curve: Any, frames: NDArray[np.float32], values: NDArray[np.float64]) -> None:
    points = curve.keyframe_points
    points.add(len(frames))
    points.foreach_set("co", np.stack([frames, values.astype(np.float32)], axis=1).ravel())
    points.foreach_set("interpolation", np.full(len(frames), _LINEAR, np.int32))
    curve.update()
