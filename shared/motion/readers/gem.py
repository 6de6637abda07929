"""GEM's results (NVIDIA, 2025 and 2026): GEM-SMPL's `smpl_params.pt` and GEM-X's `hpe_results.pt`.

Both have a body in a world whose Y is up and in the camera's axes (OpenCV's), and the lens. GEM-SMPL's is SMPL-X's, as
GVHMR's. GEM-X's is SOMA's: turns of 77 joints counted from a T pose, and the hips' place. SOMA's model, which makes
bones from the file's identity and scale numbers, is not here: bones get the lengths of the free body's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from ...body import free_body
from ...rotations import axis_angle_to_matrix
from ..reading.clip import Ask, Bones, Clip, Filmed, Reader, require_sample
from ..reading.fields import Fields
from ..reading.tracked import CAMERA_UP, has_group, inner, picture_size, standing_still
from ..skeleton import BODY_JOINT_COUNT, JOINT_INDEX, PARENTS, bone_offsets
from .gvhmr import LENS, body_of, read_both, takes_of
from .kimodo import SOMA_JOINTS, SOMA_PARENTS, SOMA_PLACES

Array = npt.NDArray[np.float64]

_WORLD: Final = "body_params_global"
_SEEN: Final = "body_params_incam"
_SOMA_JOINT_COUNT: Final = 77
_SOMA_WIDTH: Final = 3 * (_SOMA_JOINT_COUNT - 1)
_NOT_SOMAS_BONES: Final = (
    "The file's body cannot be built without SOMA's model: its bones have the lengths of the body here, so feet may "
    "slide a little."
)
# Bones that a T pose lays along an axis: by their end, and where they point.
_T_POSE: Final = {
    **{f"left_{joint}": (1.0, 0.0, 0.0) for joint in ("elbow", "wrist")},
    **{f"right_{joint}": (-1.0, 0.0, 0.0) for joint in ("elbow", "wrist")},
    **{f"{side}_{joint}": (0.0, -1.0, 0.0) for side in ("left", "right") for joint in ("knee", "ankle")},
}


def read_gem_smpl(fields: Fields, ask: Ask) -> Clip:
    """The clip, in the world or as the camera sees it. Raises MotionError with the entry at fault."""
    return read_both(fields, ask, _WORLD, _SEEN, body_of)


def read_gem_x(fields: Fields, ask: Ask) -> Clip:
    """The clip, in the world or as the camera sees it. Raises MotionError with the entry at fault."""
    require_sample(fields, ask, 1)
    in_camera = ask.view == "camera"
    body = _bones(inner(fields, _SEEN if in_camera else _WORLD))
    clip = Clip(body, notes=(_NOT_SOMAS_BONES,))
    if in_camera:
        clip = replace(clip, up=CAMERA_UP)
    if LENS not in fields:
        return clip
    intrinsics = fields.numbers(LENS, (len(body.turns), 3, 3))
    if in_camera:
        return replace(clip, camera=standing_still(intrinsics))
    return replace(clip, camera=_filmed(fields, intrinsics, body)) if has_group(fields, _SEEN) else clip


def _filmed(fields: Fields, intrinsics: Array, body: Bones) -> Filmed:
    """The camera, from how the hips stand in the world and in its axes."""
    seen = _bones(inner(fields, _SEEN))
    if len(seen.turns) != len(body.turns):
        raise fields.fault("motion.wrong_shape", _SEEN, f"has {len(seen.turns)} frames, not {len(body.turns)}")
    rotation = seen.turns[:, 0] @ np.swapaxes(body.turns[:, 0], -1, -2)
    translation = seen.joints[:, 0] - np.einsum("fij,fj->fi", rotation, body.joints[:, 0])
    width, height = picture_size(intrinsics[0, :2, 2])
    return Filmed(intrinsics, width, height, rotation, translation)


def _bones(fields: Fields) -> Bones:
    """SMPL's 22 bones by SOMA's turns. Raises MotionError."""
    orient = fields.numbers("global_orient", (None, 3))
    rest = fields.numbers("body_pose", (len(orient), _SOMA_WIDTH))
    hips = fields.numbers("transl", (len(orient), 3))
    local = axis_angle_to_matrix(np.concatenate([orient, rest], axis=1).reshape(len(orient), _SOMA_JOINT_COUNT, 3))
    world: dict[str, Array] = {}
    for name, parent in SOMA_PARENTS.items():
        turn = local[:, SOMA_PLACES[name]]
        world[name] = turn if parent is None else world[parent] @ turn
    turns = np.stack([world[name] for name in SOMA_JOINTS], axis=1)
    return Bones(turns, _places(turns, hips))


def _places(turns: Array, hips: Array) -> Array:  # (frames, 22, 3, 3), (frames, 3) metres
    """Where the joints are, (frames, 22, 3), with the bones of the body here laid into a T pose."""
    offsets = bone_offsets(free_body().joints(np.zeros(10)))[:BODY_JOINT_COUNT]
    for name, direction in _T_POSE.items():
        joint = JOINT_INDEX[name]
        offsets[joint] = np.linalg.norm(offsets[joint]) * np.array(direction)
    joints = np.empty((len(turns), BODY_JOINT_COUNT, 3))
    joints[:, 0] = hips
    for joint in range(1, BODY_JOINT_COUNT):
        parent = PARENTS[joint]
        joints[:, joint] = joints[:, parent] + turns[:, parent] @ offsets[joint]
    return joints


def _has_width(fields: Fields, width: int) -> bool:
    if _WORLD not in fields and _SEEN not in fields:
        return False
    pose = inner(fields, _WORLD if _WORLD in fields else _SEEN).entries.get("body_pose")
    return isinstance(pose, np.ndarray) and pose.ndim > 0 and pose.shape[-1] == width


_ENTRIES: Final = (_WORLD, _SEEN, LENS, "global_orient", "body_pose", "transl", "betas")

GEM_X: Final = Reader(
    name="GEM-X",
    suffixes=("hpe_results.pt", ".pt"),
    up="y",
    fps=None,
    entries=_ENTRIES,
    needless=("net_outputs", "identity_coeffs", "scale_params", "static_conf_logits"),
    two_views=True,
    is_mine=lambda fields: _has_width(fields, _SOMA_WIDTH),
    read=read_gem_x,
    takes=takes_of(_WORLD),
    unit_m=None,
)
GEM_SMPL: Final = replace(
    GEM_X,
    name="GEM-SMPL",
    suffixes=("smpl_params.pt", ".pt"),
    needless=("net_outputs", "segment_info"),
    is_mine=lambda fields: _WORLD in fields or _SEEN in fields,
    read=read_gem_smpl,
    unit_m=1.0,
)
