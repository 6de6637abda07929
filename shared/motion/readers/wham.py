"""WHAM's `wham_output.pkl` (Shin et al., "WHAM: Reconstructing World-grounded Humans with Accurate 3D Motion", 2024).

Written by joblib: a group of entries a person, by its number, with SMPL's pose in the world (Y up) and in the camera's
axes (OpenCV's). The file says neither the video's rate nor the lens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..reading.clip import Ask, Clip, Reader, Rotations, Take, chosen_person, require_sample
from ..reading.fields import Fields
from ..reading.shape import shape_numbers
from ..reading.tracked import CAMERA_UP, part_of, poses_of, without_gaps

_POSE: Final = {"world": "pose_world", "camera": "pose"}
_PLACE: Final = {"world": "trans_world", "camera": "trans"}
_NO_LENS: Final = "WHAM's file does not say the lens, so there is no camera."


def is_wham(fields: Fields) -> bool:
    """Whether every entry is a person of WHAM's."""
    return bool(fields.entries) and all(
        isinstance(one, Mapping) and "pose_world" in one and "frame_ids" in one for one in fields.entries.values()
    )


def read_wham(fields: Fields, ask: Ask) -> Clip:
    """One person's clip. Raises MotionError with the entry at fault."""
    require_sample(fields, ask, 1)
    person, warnings = chosen_person(fields, ask, len(fields.entries))
    name, content = list(fields.entries.items())[person]
    one = part_of(fields, name, content)
    poses = one.numbers(_POSE[ask.view], (None, 72))
    place = one.numbers(_PLACE[ask.view], (len(poses), 3))
    seen = one.numbers("frame_ids", (len(poses),))
    track = without_gaps(one, "frame_ids", seen, poses_of(poses), place)
    betas, notes = shape_numbers(one, is_smplx=False)
    in_camera = ask.view == "camera"
    return Clip(
        Rotations(track.poses, track.place, "transl"),
        betas,
        notes=(*notes, _NO_LENS, *filter(None, (track.note,))),
        warnings=warnings,
        up=CAMERA_UP if in_camera else None,
        on_floor=not in_camera,
        first_frame=track.first_frame,
    )


def wham_takes(fields: Fields) -> tuple[Take, ...]:
    """The one take, with its people."""
    lengths = [part_of(fields, name, one).rows("pose_world") for name, one in fields.entries.items()]
    return (Take(frames=max(lengths), people=tuple(f"person {name}" for name in fields.entries)),)


WHAM: Final = Reader(
    name="WHAM",
    suffixes=("wham_output.pkl", ".pkl"),
    up="y",
    fps=None,
    entries=("pose_world", "trans_world", "pose", "trans", "betas", "frame_ids"),
    needless=("verts",),
    two_views=True,
    is_mine=is_wham,
    read=read_wham,
    keyed=True,
    takes=wham_takes,
)
