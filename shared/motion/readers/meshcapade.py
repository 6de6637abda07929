"""Meshcapade's bodies (.smpl) and scenes (.mcs), which PromptHMR writes too: smplcodec's layout.

A .smpl is an .npz of SMPL's, SMPL-H's or SMPL-X's pose, with its rate. A .mcs has several of them, when each is seen,
and an animated camera (`reading/scene_file.py`). Y up, metres.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ...errors import MotionError
from ...rotations import quaternion_to_matrix
from ..reading.clip import Ask, Clip, Filmed, Reader, Rotations, Take, chosen_person, require_sample
from ..reading.fields import Fields
from ..reading.scene_file import BODY_ENTRIES
from ..reading.tracked import CAMERA_UP, lens, part_of, poses_of, standing_still

Array = npt.NDArray[np.float64]

_POSE: Final = "bodyPose"
_BODIES: Final = "smpl_bodies"
_MODELS: Final = {0: "SMPL", 1: "SMPL-H", 2: "SMPL-X"}
_SMPL, _SMPLX = 0, 2
_HEIGHT: Final = 1080  # pixels of the picture: a scene has only its angle and aspect
_FLIP: Final = np.diag([1.0, -1.0, -1.0])  # glTF's camera looks along -Z with Y up, OpenCV's along Z with Y down


def read_smpl(fields: Fields, ask: Ask) -> Clip:
    """The clip of a .smpl. Raises MotionError with the entry at fault."""
    require_sample(fields, ask, 1)
    body, betas, notes = _body(fields)
    return Clip(body, betas, notes=notes)


def read_scene(fields: Fields, ask: Ask) -> Clip:
    """One body of a .mcs, in the world or as the camera sees it. Raises MotionError with the entry at fault."""
    require_sample(fields, ask, 1)
    bodies = _bodies(fields)
    person, warnings = chosen_person(fields, ask, len(bodies))
    body, betas, notes = _body(bodies[person])
    presence = bodies[person].numbers("frame_presence", (2,))
    first = int(presence[0])
    filmed = _filmed(fields)
    in_camera = ask.view == "camera"
    if in_camera:
        if filmed is None or filmed.rotation is None or filmed.translation is None:
            raise MotionError("motion.no_camera", f"{fields.name} has no camera.", "Import it in the world instead.")
        frames = np.minimum(first + np.arange(len(body.poses)), len(filmed.rotation) - 1)
        body = Rotations(
            body.poses, body.place, "transl", body.model,
            carried=(filmed.rotation[frames], filmed.translation[frames]),
        )  # fmt: skip
        filmed = standing_still(filmed.intrinsics)
    return Clip(
        body, betas, notes=notes, warnings=warnings, up=CAMERA_UP if in_camera else None, camera=filmed,
        first_frame=first,
    )  # fmt: skip


def _body(fields: Fields) -> tuple[Rotations, Array, tuple[str, ...]]:
    model = fields.whole("smplVersion")
    if model not in _MODELS:
        known = ", ".join(_MODELS.values())
        raise fields.fault("motion.unknown_model", "smplVersion", f"names a body that is none of {known}")
    joints = 24 if model == _SMPL else 22
    pose = fields.numbers(_POSE, (None, joints, 3))
    place = fields.numbers("bodyTranslation", (len(pose), 3))
    body = Rotations(poses_of(pose.reshape(len(pose), -1)), place, "transl", "smplx" if model == _SMPLX else "smpl")
    betas, said = np.zeros(10), "No shape in the file: using the mean shape."
    if model == _SMPLX and "shapeParameters" in fields:
        said = "The file's shape is SMPL-X's, which does not fit SMPL: using the mean shape."
    elif "shapeParameters" in fields:
        shape = fields.numbers("shapeParameters", (None,))[:10]
        betas[: len(shape)] = shape
        said = f"Used the first {len(shape)} shape numbers."
    return body, betas, (f"Body in the file: {_MODELS[model]}.", said)


def _bodies(fields: Fields) -> list[Fields]:
    bodies = fields.raw(_BODIES)
    if not isinstance(bodies, list) or not bodies:
        raise fields.fault("motion.empty", _BODIES, "has no body")
    return [part_of(fields, f"body {index}", body) for index, body in enumerate(bodies)]


def _filmed(fields: Fields) -> Filmed | None:
    camera = fields.entries.get("camera")
    if not isinstance(camera, Mapping):
        return None
    one = part_of(fields, "camera", camera)
    places, quaternions = one.numbers("translation", (None, 3)), one.numbers("rotation", (None, 4))
    frames = max(len(places), len(quaternions), fields.whole("num_frames") or 1)
    places, quaternions = _held(places, frames), _held(quaternions, frames)
    to_camera = np.swapaxes(quaternion_to_matrix(quaternions[:, [3, 0, 1, 2]]) @ _FLIP, -1, -2)
    angle, aspect = float(one.numbers("yfov", (1,))[0]), float(one.numbers("aspectRatio", (1,))[0])
    if not (0.0 < angle < np.pi and 0.01 < aspect < 100.0):
        raise one.fault("motion.camera", "yfov", "is not the angle of a lens")
    width = max(1, round(_HEIGHT * aspect))
    focal = np.full(frames, 0.5 * _HEIGHT / np.tan(0.5 * angle))
    centre = np.tile([width / 2.0, _HEIGHT / 2.0], (frames, 1))
    move = -np.einsum("fij,fj->fi", to_camera, places)
    return Filmed(lens(focal, centre), width, _HEIGHT, to_camera, move)


def _held(track: npt.NDArray[Any], frames: int) -> Array:
    """The track, its last row held to the end."""
    return np.asarray(track[np.minimum(np.arange(frames), len(track) - 1)])


def scene_takes(fields: Fields) -> tuple[Take, ...]:
    """The one take, with its bodies."""
    bodies = _bodies(fields)
    lengths = [len(one.array(_POSE)) for one in bodies if _POSE in one]
    return (Take(frames=max(lengths, default=0), people=tuple(f"body {index}" for index in range(len(bodies)))),)


SMPL_FILE: Final = Reader(
    name="Meshcapade",
    suffixes=(".smpl",),
    up="y",
    fps=None,
    entries=BODY_ENTRIES,
    needless=("codecVersion", "headPose", "leftHandPose", "rightHandPose", "expressionParameters"),
    is_mine=lambda fields: _POSE in fields and "smplVersion" in fields,
    read=read_smpl,
)
SCENE: Final = Reader(
    name="Meshcapade scene",
    suffixes=(".mcs",),
    up="y",
    fps=None,
    entries=(_BODIES, "camera", "num_frames"),
    needless=(),
    two_views=True,
    is_mine=lambda fields: _BODIES in fields,
    read=read_scene,
    takes=scene_takes,
)
