"""AMASS's files and those of its shape: SMPL, SMPL+H and SMPL-X poses as axis-angle, in any of the spellings in use.

Mahmood et al., "AMASS: Archive of Motion Capture as Surface Shapes", 2019: Z up. Video trackers and converters write
the same entries with Y up, often without a frame rate; most of those are at 30.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from ..hands import FINGER_JOINTS, hands_of
from ..reading.clip import Ask, Clip, Reader, Rotations, Take, chosen_person, require_sample
from ..reading.fields import Fields, with_axes
from ..reading.shape import shape_numbers
from ..skeleton import JOINT_COUNT

Array = npt.NDArray[np.float64]

_POSES: Final = ("poses", "pose", "smpl_poses", "fullpose", "full_pose")
_ROOT: Final = ("root_orient", "global_orient", "root_pose")
_BODY: Final = ("pose_body", "body_pose")
_PLACE: Final = ("trans", "transl", "translation", "root_trans", "smpl_trans")
_MODEL: Final = ("surface_model_type", "model_type", "model")
_NEEDLESS: Final = (
    "pose_hand", "pose_jaw", "pose_eye", "left_hand_pose", "right_hand_pose", "jaw_pose", "leye_pose", "reye_pose",
    "expression", "expressions", "dmpls", "num_dmpls", "marker_data", "marker_labels", "markers", "labels",
    "markers_latent", "markers_latent_vids", "markers_obs", "markers_sim", "latent_labels", "mocap_time_length",
    "num_frames", "id", "v_template", "hand_pose",
)  # fmt: skip
_BODY_WIDTH: Final = 66  # 22 joints; what follows them differs between the models
_SMPL_WIDTH: Final = 72
_SMPLH_WIDTH: Final = 156
_SMPLX_WIDTH: Final = 165
_WIDTHS: Final = (_BODY_WIDTH, _SMPL_WIDTH, _SMPLH_WIDTH, _SMPLX_WIDTH)
_AXIS_ANGLES: Final = "Export axis-angle rotations of SMPL, SMPL+H or SMPL-X."
_MOST_TURNED: Final = 4.0 * np.pi  # radians; no joint but the root turns further, and a degree passes for 57 of them
_MOST_FRAMES_TURNED: Final = 0.05


def is_amass(fields: Fields) -> bool:
    """Whether the file has poses, or a part of what makes a pose."""
    return fields.first(*_POSES, *_ROOT, *_BODY, "trans") is not None


def read_amass(fields: Fields, ask: Ask) -> Clip:
    """The clip; of several people `ask.person` chooses one. Raises MotionError with the entry at fault."""
    poses, is_smplx = _poses(fields)
    place_key = fields.first(*_PLACE) or "trans"
    places = fields.array(place_key)
    tracks = len(poses) if poses.ndim == 3 else 1
    if ask.person is None and ask.sample and tracks > 1:  # what chose a person before there was a word for one
        require_sample(fields, ask, tracks)
        ask = replace(ask, sample=0, person=ask.sample)
    require_sample(fields, ask, 1)
    person, warnings = chosen_person(fields, ask, tracks)
    if poses.ndim == 3:
        poses = poses[person]
        places = places[person] if places.ndim == 3 and len(places) == tracks else places
    key = fields.first(*_POSES, *_BODY) or "poses"
    frames = fields.finite(key, poses)
    require_radians(fields, key, frames)
    place = _place(fields, place_key, places, len(frames))
    full = np.zeros((len(frames), JOINT_COUNT, 3))
    full[:, : frames.shape[1] // 3] = frames.reshape(len(frames), -1, 3)
    betas, notes = shape_numbers(fields, is_smplx=is_smplx)
    gender = fields.label("gender") or "not given"
    return Clip(
        Rotations(full, place, "transl", "smplx" if is_smplx else "smpl"),
        betas,
        notes=(*notes, f"Gender in the file: {gender}; the body here has no gender."),
        warnings=warnings,
    )


def amass_takes(fields: Fields) -> tuple[Take, ...]:
    """The one take, with a person a track."""
    poses, _ = _poses(fields)
    if poses.ndim == 2:
        return (Take(frames=len(poses)),)
    return (Take(frames=poses.shape[1], people=tuple(f"Person {number}" for number in range(len(poses)))),)


def _poses(fields: Fields) -> tuple[Array, bool]:
    """(frames, 66 or 72), or (tracks, frames, 66 or 72), and whether the model is SMPL-X's."""
    key = fields.first(*_POSES)
    said = fields.label(fields.first(*_MODEL) or "").lower()
    if key is None:
        root_key = fields.first(*_ROOT) or _ROOT[0]
        root = with_axes(fields.array(root_key), 2)
        if root.ndim not in (2, 3) or root.shape[-1] != 3 or 0 in root.shape:
            what = f"has shape {root.shape}, not (frames, 3)"
            raise fields.fault("motion.wrong_shape", root_key, what, _AXIS_ANGLES)
        fields.finite(root_key, root)
        body_key = fields.first(*_BODY) or _BODY[0]
        body = _flat(fields.array(body_key), (_BODY_WIDTH - 3, _SMPL_WIDTH - 3))
        if body.shape not in ((*root.shape[:-1], _BODY_WIDTH - 3), (*root.shape[:-1], _SMPL_WIDTH - 3)):
            frames = ", ".join(map(str, root.shape[:-1]))
            what = f"has shape {body.shape}, not ({frames}, 63) or ({frames}, 69)"
            raise fields.fault("motion.wrong_shape", body_key, what, _AXIS_ANGLES)
        return np.concatenate([root, body], axis=-1), "smplx" in said
    poses = _flat(fields.array(key), _WIDTHS)
    width = poses.shape[-1] if poses.ndim else 0
    if poses.ndim not in (2, 3) or width not in _WIDTHS or 0 in poses.shape:
        what = f"has shape {poses.shape}, not (frames, 66, 72, 156 or 165)"
        raise fields.fault("motion.wrong_shape", key, what, _AXIS_ANGLES)
    if width == _SMPLH_WIDTH:
        fields.finite(key, poses)
        hands = hands_of(poses[..., _BODY_WIDTH:].reshape(*poses.shape[:-1], FINGER_JOINTS, 3))
        poses = np.concatenate([poses[..., :_BODY_WIDTH], hands.reshape(*poses.shape[:-1], -1)], axis=-1)
    kept = _BODY_WIDTH if width == _SMPLX_WIDTH else _SMPL_WIDTH
    return poses[..., :kept], width == _SMPLX_WIDTH or "smplx" in said


def _flat(poses: Array, widths: tuple[int, ...]) -> Array:
    """The joints' axis in one with their numbers', and axes of one away, where that gives a known width."""
    if poses.ndim > 2 and poses.shape[-1] == 3 and 3 * poses.shape[-2] in widths:
        poses = poses.reshape(*poses.shape[:-2], -1)
    return with_axes(poses, 2)


def require_radians(fields: Fields, key: str, frames: Array) -> None:  # (frames, 66 or 72)
    """Raises MotionError `motion.degrees` where joints turn further than any body does."""
    turned = np.linalg.norm(frames[:, 3:].reshape(len(frames), -1, 3), axis=-1).max(axis=1)
    if np.mean(turned > _MOST_TURNED) > _MOST_FRAMES_TURNED:
        what = f"turns a joint by up to {turned.max():.0f} radians, so its numbers are probably degrees"
        raise fields.fault("motion.degrees", key, what, "Convert them to radians.")


def _place(fields: Fields, key: str, places: Array, frames: int) -> Array:
    """One place a frame; one for all frames is repeated."""
    places = with_axes(places, 2)
    if places.shape == (1, 3):
        places = np.repeat(places, frames, axis=0)
    if places.shape != (frames, 3):
        raise fields.fault("motion.wrong_shape", key, f"has shape {places.shape}, not ({frames}, 3)")
    return fields.finite(key, places)


AMASS: Final = Reader(
    name="AMASS",
    suffixes=(".npz", ".npy"),
    up="z",
    fps=None,
    entries=(*_POSES, *_ROOT, *_BODY, *_PLACE, *_MODEL),
    needless=_NEEDLESS,
    is_mine=is_amass,
    read=read_amass,
    takes=amass_takes,
)
