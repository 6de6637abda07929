"""Cutting a take into clips, and saying for each what the model is asked for to make it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from backend.make.motion.library.action import Variation
from backend.make.motion.library.clip import make_clip, rest_joints
from backend.make.motion.library.table import BY_ACTION
from backend.make.motion.recorded.corrections import arms_beside
from backend.make.motion.recorded.source import Shows
from backend.motion.embedded.condition import Request
from shared.motion.humanml.facing import smooth_facing
from shared.motion.humanml.layout import HUMANML_FPS, LONGEST_FRAMES
from shared.motion.model import SMPLMotion
from shared.motion.quality import motion_joints

Array = npt.NDArray[np.float64]

SHORTEST_FRAMES: Final = 20
# Least share of the library's own pace that somebody who travels keeps, second by second.
TRAVELLING: Final = {"walk": 0.45, "run": 0.5, "jog": 0.5}
_SPEEDS: Final = (0.7, 1.4)  # what can be asked for
_BEYOND: Final = 1.15  # paces that are this much farther out still count as the slowest or the fastest
_TURNING: Final = np.radians(50.0)  # in a piece
_SECOND: Final = int(HUMANML_FPS)


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A clip at 20 frames a second."""

    motion: SMPLMotion
    joints: Array  # (frames, 24, 3) metres
    request: Request


def pieces_of(motion: SMPLMotion, row: Shows) -> Iterator[Piece]:
    """The clips of a take that show the row's action."""
    joints = motion_joints(motion, rest_joints())
    spans = _moving(joints, row.action) if row.action in TRAVELLING else [(0, len(joints))]
    longest = min(int(row.piece_s * HUMANML_FPS), LONGEST_FRAMES)
    cuts = [cut for span in spans for cut in _cut(*span, longest)]
    for start, end in cuts[:: row.every]:
        request = _request(joints[start:end], row)
        if request is not None:
            own = arms_beside(replace(motion, poses=motion.poses[start:end], root=motion.root[start:end]))
            yield Piece(own, motion_joints(own, rest_joints()), request)


def _cut(start: int, end: int, longest: int) -> list[tuple[int, int]]:
    """Equal pieces of a span, none longer; a span that is too short has none."""
    if end - start < SHORTEST_FRAMES:
        return []
    edges = np.linspace(start, end, -(-(end - start) // longest) + 1).round().astype(int)
    return [(int(a), int(b)) for a, b in zip(edges, edges[1:], strict=False)]


def _request(joints: Array, row: Shows) -> Request | None:
    """What the model is asked for; None for a pace out of range, and for a turn that the row has no word for."""
    action, speed = row.action, row.speed
    if row.action in TRAVELLING:
        share = pace_of(joints) / usual_pace(row.action)
        if not _SPEEDS[0] / _BEYOND <= share <= _SPEEDS[1] * _BEYOND:
            return None
        speed = float(np.clip(share, *_SPEEDS))
        turns = np.unwrap(smooth_facing(joints[:, :22]))
        if abs(turns[-1] - turns[0]) > _TURNING:
            action = row.turning
    return Request(action, row.style, round(speed, 3), 1.0, row.side) if action else None


def pace_of(joints: Array) -> float:  # (frames, 24, 3) metres
    """Mean speed over the ground, metres a second: of the pelvis, second by second."""
    return float(_paces(joints).mean())


@cache
def usual_pace(action: str) -> float:
    """The library's own pace, metres a second."""
    return pace_of(make_clip(BY_ACTION[action], Variation(seconds=5.0)).joints24[_SECOND:-_SECOND])


def _paces(joints: Array) -> Array:
    """Speed around each frame, (frames,): the way of a second around it."""
    ground = joints[:, 0, [0, 2]]
    frames = np.arange(len(ground))
    before, after = np.maximum(frames - _SECOND // 2, 0), np.minimum(frames + _SECOND // 2, len(ground) - 1)
    way = np.linalg.norm(ground[after] - ground[before], axis=-1)
    return np.asarray(way * HUMANML_FPS / (after - before))


def _moving(joints: Array, action: str) -> list[tuple[int, int]]:
    """The spans in which the person travels."""
    moves = _paces(joints) > TRAVELLING[action] * usual_pace(action)
    edges = np.diff(np.concatenate([[False], moves, [False]]).astype(np.int8))
    return list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True))
