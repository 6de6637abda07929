"""PromptHMR's `results.pkl` (Wang et al., "PromptHMR: Promptable Human Mesh Recovery", 2025).

Written by joblib: people by number with SMPL-X's pose in a world whose Y is up and whose floor is at 0, and in the
camera's axes (OpenCV's); the camera in the same world. Only its .smpl and .mcs files say the rate (`meshcapade.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from ..reading.clip import Ask, Clip, Filmed, Reader, Rotations, Take, chosen_person, require_sample
from ..reading.fields import Fields
from ..reading.shape import shape_numbers
from ..reading.tracked import (
    CAMERA_UP,
    Track,
    inner,
    lens,
    part_of,
    picture_size,
    poses_of,
    standing_still,
    turned_joints,
    without_gaps,
)

Array = npt.NDArray[np.float64]

_PEOPLE: Final = "people"
_CAMERA: Final = "camera_world"
_WORLD: Final = "smplx_world"
_SEEN: Final = "smplx_cam"


def is_prompthmr(fields: Fields) -> bool:
    """Whether the file has people, each with a motion in the world."""
    people = fields.entries.get(_PEOPLE)
    return isinstance(people, Mapping) and any(isinstance(one, Mapping) and _SEEN in one for one in people.values())


def read_prompthmr(fields: Fields, ask: Ask) -> Clip:
    """One person's clip. Raises MotionError with the entry at fault."""
    require_sample(fields, ask, 1)
    people = inner(fields, _PEOPLE)
    person, warnings = chosen_person(fields, ask, len(people.entries))
    name, content = list(people.entries.items())[person]
    one = part_of(people, name, content)
    in_camera = ask.view == "camera"
    body = inner(one, _SEEN if in_camera else _WORLD)
    track = _in_camera(one, body) if in_camera else _in_world(one, body)
    betas, notes = shape_numbers(body, is_smplx=True)
    return Clip(
        Rotations(track.poses, track.place, "transl", "smplx"),
        betas,
        notes=(*notes, *filter(None, (track.note,))),
        warnings=warnings,
        up=CAMERA_UP if in_camera else None,
        camera=_filmed(fields, ask),
        first_frame=track.first_frame,
    )


def _in_world(one: Fields, body: Fields) -> Track:
    poses = body.numbers("pose", (None, 165))
    return _track(one, body, poses_of(poses))


def _in_camera(one: Fields, body: Fields) -> Track:
    matrices = body.numbers("rotmat", (None, 55, 3, 3))[:, :22]
    return _track(one, body, poses_of(turned_joints(body, "rotmat", matrices).reshape(len(matrices), 66)))


def _track(one: Fields, body: Fields, poses: Array) -> Track:
    place = body.numbers("trans", (len(poses), 3))
    return without_gaps(one, "frames", one.numbers("frames", (len(poses),)), poses, place)


def _filmed(fields: Fields, ask: Ask) -> Filmed | None:
    if _CAMERA not in fields:
        return None
    camera = inner(fields, _CAMERA)
    rotation = camera.numbers("Rcw", (None, 3, 3))
    frames = len(rotation)
    centre = camera.numbers("img_center", (2,))
    focal = camera.numbers("img_focal", (1,))
    intrinsics = lens(np.repeat(focal, frames), np.repeat(centre[None], frames, axis=0))
    if ask.view == "camera":
        return standing_still(intrinsics)
    width, height = picture_size(centre)
    return Filmed(intrinsics, width, height, rotation, camera.numbers("Tcw", (frames, 3)))


def prompthmr_takes(fields: Fields) -> tuple[Take, ...]:
    """The one take, with its people."""
    people = inner(fields, _PEOPLE)
    lengths = [part_of(people, name, one).rows("frames") for name, one in people.entries.items()]
    return (Take(frames=max(lengths, default=0), people=tuple(f"person {name}" for name in people.entries)),)


PROMPTHMR: Final = Reader(
    name="PromptHMR",
    suffixes=("results.pkl", ".pkl"),
    up="y",
    fps=None,
    entries=(
        _PEOPLE, _CAMERA, _WORLD, _SEEN, "frames", "pose", "rotmat", "trans", "shape", "Rcw", "Tcw", "img_focal",
        "img_center",
    ),
    needless=(
        "masks", "timings", "spec_calib", "camera", "has_tracks", "has_hps_cam", "has_hps_world", "has_slam",
        "has_hands", "has_2d_kpts", "has_post_opt", "contact_joint_ids", "keypoints_2d", "vitpose", "prhmr_img_feats",
        "smplx_pose", "smplx_transl", "smplx_betas", "bboxes", "contact", "static_conf_logits",
    ),
    two_views=True,
    is_mine=is_prompthmr,
    read=read_prompthmr,
    takes=prompthmr_takes,
)  # fmt: skip
