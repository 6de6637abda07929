"""The order of axes in arrays of joint positions: told from the counts of joints, with axes of one passed over."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from ..skeleton import BODY_JOINT_COUNT, JOINT_COUNT
from .fields import Fields, as_numbers

Array = npt.NDArray[np.float64]

# 22 of HumanML3D; SMPL's 24; SMPL+H's 52, SMPL-X's 55 and 127 begin with the same 22.
_COUNTS: Final = (BODY_JOINT_COUNT, JOINT_COUNT, 52, 55, 127)
_KIT_JOINT_COUNT: Final = 21
_ROT6D_ROWS: Final = (25, JOINT_COUNT)


def clips_in(value: object) -> list[Array]:
    """The clips that an entry holds, each an array of three axes; lists and batches are taken apart in their order.

    What is no array of numbers, or has fewer axes, gives none.
    """
    if isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.dtype.kind == "O"):
        parts = [as_numbers(part) for part in (value.reshape(-1) if isinstance(value, np.ndarray) else value)]
        if all(part is not None and part.ndim >= 3 for part in parts):
            return [clip for part in parts if part is not None for clip in _split(part)]
    array = as_numbers(value)
    return [] if array is None else _split(array)


def is_rotations(clip: Array) -> bool:
    """Whether a clip is MDM's (25, 6, frames): rot6d of 24 joints and the root's place."""
    return clip.ndim == 3 and clip.shape[0] in _ROT6D_ROWS and clip.shape[1] == 6


def is_positions(clip: Array) -> bool:
    """Whether a clip is (frames, joints, 3) or (joints, 3, frames) with a number of joints that is known."""
    return _layout(clip.shape) is not None


def positions_of(fields: Fields, key: str, clip: Array) -> Array:
    """Joint positions (frames, 22 or 24, 3) of a clip. Raises MotionError for other skeletons and for NaN."""
    order = _layout(clip.shape)
    if order is None:
        joints = clip.shape[1] if clip.shape[-1] == 3 else clip.shape[0]
        if joints == _KIT_JOINT_COUNT and 3 in clip.shape[1:]:
            hint = "Generate with MDM's HumanML3D model."
            raise fields.fault("motion.kit", key, "has KIT's 21 joints, which are not SMPL's", hint)
        what = f"has {joints} joints, not {', '.join(map(str, _COUNTS[:-1]))} or {_COUNTS[-1]}"
        if 3 not in clip.shape[1:]:
            what = f"has a clip of shape {clip.shape}, which is not joint positions"
        raise fields.fault("motion.wrong_shape", key, what, "Export SMPL's joints as (frames, 22, 3).")
    if clip.size == 0:
        raise fields.fault("motion.wrong_shape", key, f"has shape {clip.shape}: no frames")
    frames = np.moveaxis(clip, -1, 0) if order == "joints first" else clip
    kept = JOINT_COUNT if frames.shape[1] == JOINT_COUNT else BODY_JOINT_COUNT
    return fields.finite(key, frames[:, :kept])


def _layout(shape: tuple[int, ...]) -> str | None:
    if len(shape) != 3:
        return None
    if shape[2] == 3 and shape[1] in _COUNTS:
        return "frames first"
    return "joints first" if shape[1] == 3 and shape[0] in _COUNTS else None


def _split(array: Array) -> list[Array]:
    """An array of three axes is a clip; of more, the outer ones count clips where the inner ones are one.

    An axis of one behind (frames, joints, 3) is dropped, though it could be one frame of many clips; so are axes of one
    wherever the array is a clip without them.
    """
    if array.ndim > 3 and array.shape[-1] == 1 and _layout(array.shape[-4:-1]) is not None:
        array = array[..., 0]
    squeezed = np.squeeze(array)
    if not _ends_as_clip(array.shape) and _ends_as_clip(squeezed.shape):
        array = squeezed
    if array.ndim < 3:
        return []
    return list(array.reshape(math.prod(array.shape[:-3]), *array.shape[-3:]))


def _ends_as_clip(shape: tuple[int, ...]) -> bool:
    inner = shape[-3:]
    return _layout(inner) is not None or (len(inner) == 3 and inner[0] in _ROT6D_ROWS and inner[1] == 6)
