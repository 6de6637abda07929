"""The camera of a clip in the world of the motion: as the file says, or from the person as the camera sees it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..rotations import axis_angle_to_matrix
from .camera import CameraTrack
from .reading.clip import Clip, Rotations
from .up_axis import Upright, turn_to_y

Array = npt.NDArray[np.float64]


def camera_track(
    clip: Clip, upright: Upright, pelvis: Callable[[Rotations], Array], scale: float
) -> CameraTrack | None:
    """The clip's camera, turned, lifted and scaled as its motion is; None where the file has none.

    `pelvis` gives the pelvis joint's places (frames, 3) of a body's rotations, in metres. Raises MotionError
    `motion.camera`.
    """
    filmed = clip.camera
    if filmed is None:
        return None
    if filmed.seen is not None and isinstance(clip.body, Rotations):
        rotation, translation = _from_both(clip.body, filmed.seen, pelvis)
    else:
        frames = len(filmed.intrinsics)
        rotation = np.broadcast_to(np.eye(3), (frames, 3, 3)) if filmed.rotation is None else filmed.rotation
        translation = np.zeros((frames, 3)) if filmed.translation is None else filmed.translation * scale
    track = CameraTrack(filmed.intrinsics, rotation, translation, filmed.width, filmed.height)
    return track.in_world(turn_to_y(upright.axis), upright.lift_m)


def _from_both(body: Rotations, seen: Rotations, pelvis: Callable[[Rotations], Array]) -> tuple[Array, Array]:
    """From the world to the camera, where the person is known in both: its pelvis turns and stands as in each."""
    to_camera, to_world = axis_angle_to_matrix(seen.poses[:, 0]), axis_angle_to_matrix(body.poses[:, 0])
    rotation = to_camera @ np.swapaxes(to_world, -1, -2)
    return rotation, pelvis(seen) - np.einsum("fij,fj->fi", rotation, pelvis(body))
