"""GVHMR's `hmr4d_results.pt` (Shen et al., "World-Grounded Human Motion Recovery via Gravity-View Coordinates", 2024).

SMPL-X's body twice: in a world whose Y is up, and as the camera sees it (OpenCV's axes). The lens is in the file. Its
demo copies a video frame by frame into one of 30 frames a second, so that the true rate is lost and must be asked for.
GEM-SMPL writes the same under other names (`gem.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ..reading.clip import Ask, Clip, Filmed, Reader, Rotations, Take, require_sample
from ..reading.fields import Fields
from ..reading.shape import shape_numbers
from ..reading.tracked import CAMERA_UP, has_group, inner, picture_size, poses_of, standing_still

WORLD: Final = "smpl_params_global"
SEEN: Final = "smpl_params_incam"
LENS: Final = "K_fullimg"
_BODY_WIDTH: Final = 63


def read_gvhmr(fields: Fields, ask: Ask) -> Clip:
    """The clip, in the world or as the camera sees it. Raises MotionError with the entry at fault."""
    return read_both(fields, ask, WORLD, SEEN, body_of)


def read_both(
    fields: Fields, ask: Ask, world: str, seen: str, body: Callable[[Fields], Rotations], *, is_smplx: bool = True
) -> Clip:
    """A clip that the file has in the world and in the camera's axes, in those that are asked for."""
    require_sample(fields, ask, 1)
    key = seen if ask.view == "camera" else world
    chosen = inner(fields, key)
    betas, notes = shape_numbers(chosen, is_smplx=is_smplx)
    clip = Clip(body(chosen), betas, notes=notes)
    if ask.view == "camera":
        clip = replace(clip, up=CAMERA_UP)
    else:
        clip = replace(clip, on_floor=True)
    if LENS not in fields:
        return replace(clip, notes=(*notes, "The file has no lens, so there is no camera."))
    return replace(clip, camera=_filmed(fields, ask, clip, seen, body))


def _filmed(fields: Fields, ask: Ask, clip: Clip, seen: str, body: Callable[[Fields], Rotations]) -> Filmed | None:
    intrinsics = fields.numbers(LENS, (None, 3, 3))
    if ask.view == "camera":
        return standing_still(intrinsics)
    if not has_group(fields, seen):
        return None
    person = body(inner(fields, seen))
    assert isinstance(clip.body, Rotations)
    if not len(person.poses) == len(clip.body.poses) == len(intrinsics):
        what = f"has {len(intrinsics)} frames, the person {len(person.poses)} and {len(clip.body.poses)}"
        raise fields.fault("motion.wrong_shape", LENS, what)
    width, height = picture_size(intrinsics[0, :2, 2])
    return Filmed(intrinsics, width, height, seen=person)


def body_of(fields: Fields) -> Rotations:
    """SMPL-X's 22 joints of one of the two. Raises MotionError."""
    orient = fields.numbers("global_orient", (None, 3))
    body = fields.numbers("body_pose", (len(orient), _BODY_WIDTH))
    place = fields.numbers("transl", (len(orient), 3))
    return Rotations(poses_of(orient, body), place, "transl", "smplx")


def takes_of(key: str) -> Callable[[Fields], tuple[Take, ...]]:
    """The one take, with its frames as the entry `key` counts them."""
    return lambda fields: (Take(frames=inner(fields, key).rows("transl")),)


GVHMR: Final = Reader(
    name="GVHMR",
    suffixes=("hmr4d_results.pt", ".pt"),
    up="y",
    fps=None,
    entries=(WORLD, SEEN, LENS, "global_orient", "body_pose", "transl"),
    needless=("net_outputs",),
    two_views=True,
    is_mine=lambda fields: WORLD in fields or SEEN in fields,
    read=read_gvhmr,
    takes=takes_of(WORLD),
)
