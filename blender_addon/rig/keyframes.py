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
_MOST_DIGITS = 8


def write_motion(armature: Any, motion: SMPLMotion, start_frame: int) -> None:
    """Give the armature a new action that plays the motion, one keyframe a scene frame from `start_frame` on.

    The motion must already be at the scene's frame rate. Between keyframes the curves are straight.
    """
    frames = np.arange(start_frame, start_frame + motion.frame_count, dtype=np.float32)
    quaternions = settled(continuous_quaternions(axis_angle_to_quaternion(motion.poses)))  # (frames, 24, 4)
    fcurves = compat.new_fcurves(armature, f"{armature.name} motion")
    for joint, name in enumerate(JOINT_NAMES):
        path = f'pose.bones["{name}"].rotation_quaternion'
        for axis in range(4):
            write_keys(compat.new_fcurve(fcurves, path, axis, name), frames, quaternions[:, joint, axis])
    for axis in range(3):
        path = f'pose.bones["{ROOT_BONE}"].location'
        write_keys(compat.new_fcurve(fcurves, path, axis, ROOT_BONE), frames, motion.root[:, axis])


def write_location(target: Any, frames: NDArray[np.float64], locations: NDArray[np.float64]) -> None:
    """Give an object a new action with straight location curves; frames (n,), locations (n, 3) metres."""
    fcurves = compat.new_fcurves(target, f"{target.name} path")
    for axis in range(3):
        curve = compat.new_fcurve(fcurves, "location", axis, "Location")
        write_keys(curve, np.asarray(frames, np.float32), locations[:, axis])


def write_keys(curve: Any, frames: NDArray[np.float32], values: NDArray[np.floating[Any]]) -> None:
    """Give an F-curve these keys and no others, with straight lines between them; frames and values (n,)."""
    points = curve.keyframe_points
    points.clear()
    points.add(len(frames))
    points.foreach_set("co", np.stack([frames, values.astype(np.float32)], axis=1).ravel())
    points.foreach_set("interpolation", np.full(len(frames), _LINEAR, np.int32))
    curve.update()


def settled(quaternions: NDArray[np.float64]) -> NDArray[np.float32]:
    """Unit quaternions (..., 4) in single precision that Blender's own normalisation leaves as they are.

    It runs once for a pose, and once more for each layer of the NLA. Numbers that the second run still changed by a
    last digit would change every frame below a layer, and all their passes would be rendered again. So the largest
    component goes up or down by last digits until the length comes out as exactly 1.
    """
    settled = quaternions.astype(np.float32)
    largest = np.abs(settled).argmax(axis=-1)[..., None]
    for _ in range(_MOST_DIGITS):
        squares = settled * settled
        length = np.sqrt(squares[..., 0] + squares[..., 1] + squares[..., 2] + squares[..., 3])[..., None]
        if (length == 1).all():
            break
        value = np.take_along_axis(settled, largest, -1)
        towards = np.where(length < 1, np.copysign(np.float32(2), value), np.where(length > 1, np.float32(0), value))
        np.put_along_axis(settled, largest, np.nextafter(value, towards), -1)
    return settled
