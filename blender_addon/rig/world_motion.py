"""A character's motion as it stands in the scene, for files: the armature's own place taken into the root."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..scene_time import Steps
from ..shared.body import Body
from ..shared.errors import InputError
from ..shared.motion import SMPLMotion
from ..shared.motion.rest import RestJoints
from ..shared.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from .character import BETAS, TEXT
from .read_motion import reading_steps, rest_joints

_Y_UP_FROM_Z_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
_UNSCALED = 1e-4


def world_steps(scene: Any, armature: Any, frames: tuple[int, ...]) -> Steps[SMPLMotion]:
    """The motion that is seen in these frames, Y up, at the scene's rate, with the body's shape and the import's text.

    The scene is stepped through once; its current frame is put back. Raises InputError as `reading_steps`, and
    `export.scaled` where the armature is scaled.
    """
    reading = reading_steps(scene, armature, frames)
    places: list[NDArray[np.float64]] = []
    try:
        while True:
            next(reading)
            shown = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
            places.append(np.array(shown.matrix_world, np.float64))
            yield
    except StopIteration as ended:
        motion: SMPLMotion = ended.value
    finally:
        reading.close()
    return _placed(motion, np.array(places), armature)


def rest_of(armature: Any, body: Body) -> RestJoints:
    """The armature's rest joints for a shape: as they are for its own, changed for another as the body's are."""
    own, mine = rest_joints(armature), body.joints(betas_of(armature))
    return lambda betas: own + body.joints(betas) - mine


def betas_of(armature: Any) -> NDArray[np.float64]:
    """The shape (10,) that the character was made with; the mean one of characters that do not know it."""
    stored = np.asarray(list(armature.get(BETAS, ())), np.float64)
    return stored if stored.shape == (10,) else np.zeros(10)


def _placed(motion: SMPLMotion, places: NDArray[np.float64], armature: Any) -> SMPLMotion:  # places (frames, 4, 4)
    """The motion with the armature's places (in Blender's axes) taken in."""
    turns = places[:, :3, :3]
    if np.abs(np.linalg.norm(turns, axis=1) - 1.0).max() > _UNSCALED:
        hint = "Select it, and apply Object > Apply > Scale."
        raise InputError("export.scaled", f"{armature.name!r} is scaled, which a motion file cannot hold.", hint)
    turns = _Y_UP_FROM_Z_UP @ turns
    rest = rest_joints(armature)[0]
    pelvis = np.einsum("fij,fj->fi", turns, rest + motion.root) + places[:, :3, 3] @ _Y_UP_FROM_Z_UP.T
    poses = motion.poses.copy()
    poses[:, 0] = matrix_to_axis_angle(turns @ axis_angle_to_matrix(motion.poses[:, 0]))
    text = str(armature.get(TEXT, ""))
    return replace(motion, poses=poses, root=pelvis - rest, betas=betas_of(armature), text=text)
