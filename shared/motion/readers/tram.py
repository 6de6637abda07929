"""TRAM's `hps_track_*.npy` (Wang et al., "TRAM: Global Trajectory and Motion of 3D Humans from in-the-wild Videos").

A pickled dictionary of torch tensors a person, 2024: SMPL's rotations as matrices in the camera's axes (OpenCV's).
`camera.npy`, one folder up, has the lens and the camera's way. Its world is the first camera's axes, so that up is -Y
only as far as that camera was level.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..reading.clip import Ask, Clip, Filmed, Reader, Rotations, require_sample
from ..reading.fields import Fields
from ..reading.shape import median_shape
from ..reading.tracked import CAMERA_UP, lens, picture_size, poses_of, standing_still, turned_joints, without_gaps

Array = npt.NDArray[np.float64]

_MATRICES: Final = "pred_rotmat"
_BESIDE: Final = "camera.npy/"
_LEANS: Final = "The world is that of the first camera: if that was tilted, the character leans."
_NO_CAMERA: Final = "There is no camera.npy one folder above the file, so the motion is as the camera sees it."


def read_tram(fields: Fields, ask: Ask) -> Clip:
    """The clip, in the world where the camera's file is there. Raises MotionError with the entry at fault."""
    require_sample(fields, ask, 1)
    matrices = fields.numbers(_MATRICES, (None, 24, 3, 3))
    place = fields.numbers("pred_trans", (len(matrices), 1, 3))[:, 0]
    poses = poses_of(turned_joints(fields, _MATRICES, matrices).reshape(len(matrices), -1))
    track = without_gaps(fields, "frame", fields.numbers("frame", (len(matrices),)), poses, place)
    betas = median_shape(fields.numbers("pred_shape", (len(matrices), 10)))
    notes = tuple(filter(None, (track.note,)))
    body = Rotations(track.poses, track.place, "transl")
    if f"{_BESIDE}pred_cam_R" not in fields:
        on_floor = ask.view == "world"
        return Clip(body, betas, notes=(*notes, _NO_CAMERA), on_floor=on_floor, first_frame=track.first_frame)
    turns = fields.numbers(f"{_BESIDE}pred_cam_R", (None, 3, 3))  # from the camera to the world
    moves = fields.numbers(f"{_BESIDE}pred_cam_T", (len(turns), 3))
    filmed = _filmed(fields, ask, turns, moves)
    if ask.view == "camera":
        return Clip(body, betas, notes=notes, camera=filmed, first_frame=track.first_frame)
    if track.frames[-1] >= len(turns):
        what = f"has frame {track.frames[-1]}, the camera {len(turns)} frames"
        raise fields.fault("motion.frames", "frame", what, "Use the camera.npy of the same video.")
    carried = Rotations(track.poses, track.place, "transl", carried=(turns[track.frames], moves[track.frames]))
    return Clip(
        carried, betas, notes=(*notes, _LEANS), camera=filmed, on_floor=True, first_frame=track.first_frame
    )  # fmt: skip


def _filmed(fields: Fields, ask: Ask, turns: Array, moves: Array) -> Filmed:
    frames = len(turns)
    focal = fields.numbers(f"{_BESIDE}img_focal", (1,))
    centre = fields.numbers(f"{_BESIDE}img_center", (2,))
    intrinsics = lens(np.repeat(focal, frames), np.repeat(centre[None], frames, axis=0))
    if ask.view == "camera":
        return standing_still(intrinsics)
    to_camera = np.swapaxes(turns, -1, -2)
    width, height = picture_size(centre)
    return Filmed(intrinsics, width, height, to_camera, -np.einsum("fij,fj->fi", to_camera, moves))


TRAM: Final = Reader(
    name="TRAM",
    suffixes=("hps_track_*.npy", ".npy"),
    up=CAMERA_UP,
    fps=None,
    entries=(
        _MATRICES, "pred_trans", "pred_shape", "frame", "pred_cam_R", "pred_cam_T", "img_focal", "img_center",
        *(f"{_BESIDE}{key}" for key in ("pred_cam_R", "pred_cam_T", "img_focal", "img_center")),
    ),
    needless=("pred_cam", "pred_pose"),
    two_views=True,
    is_mine=lambda fields: _MATRICES in fields and "pred_trans" in fields,
    read=read_tram,
    companions=("../camera.npy",),
)  # fmt: skip
