"""A motion with new frames between frames that stay: which frames a model keeps, and the two put together."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..rotations import axis_angle_to_quaternion, quaternion_to_axis_angle, slerp
from .humanml.layout import LOWER_JOINTS
from .model import SMPLMotion
from .skeleton import JOINT_COUNT

Array = npt.NDArray[np.float64]

_EASE_S: Final = 0.15  # over which new frames are led in and out
_UPPER: Final = tuple(joint for joint in range(JOINT_COUNT) if joint not in LOWER_JOINTS)


@dataclass(frozen=True, slots=True)
class Gap:
    """The frames that are replaced: those between `before` and `after`, which stay. Counted from 0.

    Without `before` everything up to `after` is new, without `after` everything from `before` on. Raises InputError
    `motion.gap` where there is nothing between.
    """

    before: int | None
    after: int | None
    frames: int  # of the motion

    def __post_init__(self) -> None:
        first, last = self.new.start, self.new.stop - 1
        if last < first or first < 0 or last >= self.frames:
            raise InputError(
                "motion.gap",
                "There are no frames to fill there.",
                "Choose a first and a last frame inside the motion, with others between them.",
            )

    @property
    def new(self) -> range:
        """The new frames."""
        return range(0 if self.before is None else self.before + 1, self.frames if self.after is None else self.after)

    def kept_spans(self, fps: float, other_fps: float, other_frames: int) -> str:
        """The frames that stay, at another rate, as `latentman motion --keep` has them: `0-20,60-80`.

        A frame there that is only partly in the gap is replaced. Raises InputError where none would stay.
        """
        spans = []
        if self.before is not None:
            spans.append((0, math.floor(self.before * other_fps / fps + 1e-6)))
        if self.after is not None:
            spans.append((math.ceil(self.after * other_fps / fps - 1e-6), other_frames - 1))
        kept = [f"{first}-{last}" for first, last in spans if first <= last]
        if not kept:
            raise InputError("motion.gap", "No frame of the motion stays.", "Leave some frames before or after.")
        return ",".join(kept)


def filled(seen: SMPLMotion, made: SMPLMotion, gap: Gap) -> SMPLMotion:
    """`seen` with the frames of the gap taken from `made`, led in and out; both at one rate, and from the same time on.

    Where `made` ends earlier its last frame is held.
    """
    share = np.zeros(gap.frames)
    share[gap.new.start : gap.new.stop] = _eased(len(gap.new), seen.fps, gap)
    return _blended(seen, made, np.repeat(share[:, None], JOINT_COUNT, axis=1), share)


def with_upper_body(seen: SMPLMotion, made: SMPLMotion) -> SMPLMotion:
    """`seen` with spine, head and arms of `made`; legs and path stay."""
    share = np.zeros((seen.frame_count, JOINT_COUNT))
    share[:, list(_UPPER)] = 1.0
    return _blended(seen, made, share, np.zeros(seen.frame_count))


def _eased(frames: int, fps: float, gap: Gap) -> Array:
    """How much of the new motion each new frame has: less near frames that stay."""
    ease = max(1.0, min(_EASE_S * fps, frames / 3))
    place = np.arange(1, frames + 1)
    into = np.inf if gap.before is None else place / (ease + 1.0)
    out = np.inf if gap.after is None else (frames + 1 - place) / (ease + 1.0)
    amount = np.clip(np.minimum(into, out) * np.ones(frames), 0.0, 1.0)
    return np.asarray(amount * amount * (3.0 - 2.0 * amount))


def _blended(seen: SMPLMotion, made: SMPLMotion, turned: Array, moved: Array) -> SMPLMotion:
    # turned (frames, 24) and moved (frames,) 0 to 1
    """Where a share is 0, the numbers are those of `seen`."""
    frames = np.minimum(np.arange(seen.frame_count), made.frame_count - 1)
    between = slerp(axis_angle_to_quaternion(seen.poses), axis_angle_to_quaternion(made.poses[frames]), turned)
    poses = np.where(turned[..., None] == 0.0, seen.poses, quaternion_to_axis_angle(between))
    root = np.where(moved[:, None] == 0.0, seen.root, seen.root + moved[:, None] * (made.root[frames] - seen.root))
    return replace(seen, poses=poses, root=root)
