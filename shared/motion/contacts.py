"""When a foot stands: its ball is slow, and about as low as the lower foot comes around that time.

The floor's height plays no part, so that feet are found standing in clips that float or sink as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from .skeleton import JOINT_INDEX

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

BALLS: Final = (JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"])

_SPEED_M_PER_S: Final = 0.6  # a ball that goes faster swings, or glides
_HEIGHT_M: Final = 0.05  # above the ground of that moment
_STEP_S: Final = 0.1  # over which a speed is taken,
_TREMBLE_S: Final = 0.04  # and deviation of the average before it, so that noise does not end a contact
_EDGE_S: Final = 0.05  # of a contact, while a foot rolls on or off the floor
_GROUND_S: Final = 1.0  # before and after: longer than a jump lasts
_SHORTEST_S: Final = 0.1  # of a contact, and of the gap between two


@dataclass(frozen=True, slots=True)
class Contact:
    """One foot that stands from `first` to `last`, frames counted from 0, both included."""

    foot: int  # 0 left, 1 right
    first: int
    last: int

    @property
    def frames(self) -> slice:
        """Its frames."""
        return slice(self.first, self.last + 1)


def foot_contacts(joints: Array, fps: float) -> Mask:  # joints (frames, 22 or 24, 3) metres, Y up
    """Whether each foot stands in each frame, (frames, 2): left, right."""
    balls = _steadied(joints[:, BALLS], _TREMBLE_S * fps)
    low = balls[..., 1] - _ground(balls[..., 1].min(axis=1), fps)[:, None] < _HEIGHT_M
    slow = _speeds(balls, fps) < _SPEED_M_PER_S
    shortest = max(1, round(_SHORTEST_S * fps))
    return np.stack([_settled(low[:, foot] & slow[:, foot], shortest) for foot in (0, 1)], axis=1)


def firmly(standing: Mask, fps: float) -> Mask:  # (frames, 2) from `foot_contacts`
    """The contacts without their first and last moment; the clip's own ends are no edges."""
    firm = standing.copy()
    for step in range(1, max(1, round(_EDGE_S * fps)) + 1):
        firm[step:] &= standing[:-step]
        firm[:-step] &= standing[step:]
    return firm


def contacts_in(standing: Mask) -> tuple[Contact, ...]:  # (frames, 2) from `foot_contacts`
    """The contacts one by one, the left foot's first."""
    return tuple(Contact(foot, first, last) for foot in (0, 1) for first, last in runs(standing[:, foot]))


def spans(flags: Mask) -> tuple[tuple[int, int], ...]:  # (frames,)
    """The first index of each run of true values, and the one after its last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return tuple((int(start), int(stop)) for start, stop in edges.reshape(-1, 2))


def runs(flags: Mask) -> tuple[tuple[int, int], ...]:  # (frames,)
    """First and last index of each run of true values."""
    return tuple((start, stop - 1) for start, stop in spans(flags))


def _steadied(balls: Array, deviation: float) -> Array:  # (frames, 2, 3)
    """The places averaged by a Gaussian over the frames around; at the ends over those there are."""
    reach = int(np.ceil(3.0 * deviation))
    padded = np.pad(balls, ((reach, reach), (0, 0), (0, 0)), mode="edge")
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(deviation, 1e-9)) ** 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    return np.asarray(windows @ (weights / weights.sum()))


def _speeds(balls: Array, fps: float) -> Array:
    """Speeds (frames, 2) in m/s, over the frames around each; at the ends over those on one side."""
    frames, reach = len(balls), max(1, round(0.5 * _STEP_S * fps))
    before, after = (np.clip(np.arange(frames) + step, 0, frames - 1) for step in (-reach, reach))
    seconds = np.maximum(after - before, 1) / fps
    return np.asarray(np.linalg.norm(balls[after] - balls[before], axis=-1) / seconds[:, None])


def _ground(lowest: Array, fps: float) -> Array:
    """The least height (frames,) of the lower ball around each frame."""
    reach = max(1, round(_GROUND_S * fps))
    padded = np.concatenate([np.full(reach, np.inf), lowest, np.full(reach, np.inf)])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).min(axis=1))


def _settled(flags: Mask, shortest: int) -> Mask:
    """The flags without gaps, then without runs, that are shorter than `shortest`."""
    flags = flags.copy()
    for value in (True, False):
        for first, last in runs(flags != value):
            inside = first > 0 and last < len(flags) - 1
            if last - first + 1 < shortest and (inside or not value):
                flags[first : last + 1] = value
    return flags
