"""What the readers of video trackers' files share: parts of files, rotations as matrices, gaps in tracks, lenses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ...rotations import axis_angle_to_quaternion, matrix_to_axis_angle, quaternion_to_axis_angle, slerp
from ..skeleton import BODY_JOINT_COUNT, JOINT_COUNT
from ..up_axis import Up
from .clip import Filmed
from .fields import Fields

Array = npt.NDArray[np.float64]

CAMERA_UP: Final[Up] = "-y"  # OpenCV's axes: y down
_MOST_GAP: Final = 100_000  # frames; more is no count of frames
_ROTATION_ERROR: Final = 0.05


def inner(fields: Fields, key: str) -> Fields:
    """The entries of the dictionary that entry `key` is. Raises MotionError where it is missing or none."""
    return part_of(fields, key, fields.raw(key))


def has_group(fields: Fields, key: str) -> bool:
    """Whether entry `key` is there and not an empty dictionary, which stands for none in some files."""
    value = fields.entries.get(key)
    return key in fields and not (isinstance(value, dict) and not value)


def part_of(fields: Fields, key: str, value: object) -> Fields:
    """The entries of a dictionary in the file, named by where it is. Raises MotionError where it is none."""
    if not isinstance(value, Mapping):
        raise fields.fault("motion.wrong_type", key, "is not a group of entries")
    return Fields(f"{fields.name} ({key})", {str(name): item for name, item in value.items()})


def poses_of(*numbers: Array) -> Array:  # (frames, n) each; together 66 or more, axis-angle
    """The poses (frames, 24, 3) of SMPL's joints, which come first; of other models' 22, the hands stay at rest."""
    flat = np.concatenate(numbers, axis=1)
    kept = JOINT_COUNT if flat.shape[1] == 3 * JOINT_COUNT else BODY_JOINT_COUNT
    poses = np.zeros((len(flat), JOINT_COUNT, 3))
    poses[:, :kept] = flat[:, : 3 * kept].reshape(len(flat), kept, 3)
    return poses


def turned_joints(fields: Fields, key: str, matrices: Array) -> Array:  # (frames, joints, 3, 3)
    """The matrices as axis-angle (frames, joints, 3). Raises MotionError `motion.not_rotations` where they are none."""
    off = matrices @ np.swapaxes(matrices, -1, -2) - np.eye(3)
    if np.abs(off).max() > _ROTATION_ERROR or (np.linalg.det(matrices) < 0.0).any():
        raise fields.fault("motion.not_rotations", key, "has matrices that are not rotations", "Export it again.")
    return matrix_to_axis_angle(matrices)


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One person, every frame from the first to the last in which it was seen."""

    poses: Array  # (frames, 24, 3)
    place: Array  # (frames, 3)
    first_frame: int
    frames: npt.NDArray[np.intp]  # (frames,) of the video
    note: str = ""


def without_gaps(fields: Fields, key: str, seen: Array, poses: Array, place: Array) -> Track:
    # seen (n,) numbers of the frames in which the person was seen; poses (n, 24, 3), place (n, 3)
    """The person in all frames from the first to the last: where it was not seen, between its neighbours.

    Raises MotionError `motion.frames` where the numbers do not rise or are too far apart to be frames.
    """
    numbers = seen.astype(np.intp)
    rising = len(numbers) == len(poses) and bool((np.diff(numbers) > 0).all()) and bool((numbers == seen).all())
    if not rising or numbers[0] < 0 or numbers[-1] - numbers[0] - len(numbers) > _MOST_GAP:
        raise fields.fault("motion.frames", key, "does not count the track's frames", "Export it again.")
    frames = np.arange(numbers[0], numbers[-1] + 1)
    after = np.searchsorted(numbers, frames)
    before = np.where(numbers[after] == frames, after, after - 1)
    span = np.maximum(numbers[after] - numbers[before], 1)
    amount = (frames - numbers[before]) / span
    quaternions = axis_angle_to_quaternion(poses)
    turned = slerp(
        quaternions[before], quaternions[after], np.broadcast_to(amount[:, None], (len(frames), JOINT_COUNT))
    )
    filled = np.where((amount == 0.0)[:, None, None], poses[before], quaternion_to_axis_angle(turned))
    moved = place[before] + amount[:, None] * (place[after] - place[before])
    missing = len(frames) - len(numbers)
    note = f"Not seen in {missing} of {len(frames)} frames, where the motion is interpolated." if missing else ""
    return Track(filled, moved, int(frames[0]), frames, note)


def lens(focal: Array, centre: Array) -> Array:  # (frames,) pixels, (frames, 2) pixels
    """Intrinsics (frames, 3, 3) of square pixels."""
    intrinsics = np.zeros((len(focal), 3, 3))
    intrinsics[:, 0, 0] = intrinsics[:, 1, 1] = focal
    intrinsics[:, :2, 2] = centre
    intrinsics[:, 2, 2] = 1.0
    return intrinsics


def picture_size(centre: Array) -> tuple[int, int]:  # (2,) pixels
    """Width and height of a picture whose middle is the lens's, as these programs assume."""
    return max(1, round(2.0 * float(centre[0]))), max(1, round(2.0 * float(centre[1])))


def standing_still(intrinsics: Array) -> Filmed:  # (frames, 3, 3)
    """The camera of a clip in the camera's own axes: at the origin, looking ahead."""
    frames = len(intrinsics)
    width, height = picture_size(intrinsics[0, :2, 2])
    return Filmed(intrinsics, width, height, np.broadcast_to(np.eye(3), (frames, 3, 3)), np.zeros((frames, 3)))
