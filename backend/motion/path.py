"""Brings keys that were kept back to their place after the frames between them were made.

Features say how the root moves from frame to frame, so whatever comes after new frames goes where these lead. The new
frames' path is bent so that it ends where the next kept frame was: a turn and a shift, spread over the gap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.motion.contacts import spans
from shared.motion.humanml.decode import RootPath, decode, root_path
from shared.motion.humanml.encode import Placement
from shared.motion.humanml.facing import turn_about_y
from shared.motion.humanml.layout import SPEEDS, STEP, TURN

Array = npt.NDArray[np.float64]
Frames = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bend:
    """How far a gap's path was bent; frames from `start` up to, not including, `stop`."""

    start: int
    stop: int
    shift_m: float
    turn_deg: float


def gaps(kept: Frames) -> tuple[tuple[int, int], ...]:  # (frames,)
    """Start and stop of the stretches of frames that are not kept."""
    return spans(~kept)


def bend_to_keys(made: Array, source: Array, kept: Frames) -> tuple[Array, list[Bend]]:
    # made and source (frames, 263), not normalised; kept (frames,)
    """The made features with each gap between kept frames bent to end where the source has the next kept frame.

    Only the root's turns and steps and the speeds of the gaps' frames change. A gap at the clip's start or end is left.
    """
    bent, bends = made.copy(), []
    for start, stop in gaps(kept):
        if start == 0 or stop == len(kept):
            continue
        goal = _seen_from(root_path(bent), root_path(source), int(np.argmax(kept)))
        shares = _shares(stop - start)
        turn = _shorter(float(goal.turns[stop] - root_path(bent).turns[stop]))
        bent[start:stop, TURN] += 0.5 * turn * shares  # the path turns with the body
        found = root_path(bent)
        shift = (goal.places[stop] - found.places[stop]) * [1.0, 0.0, 1.0]
        steps = np.diff(found.places[start : stop + 1], axis=0) + shares[:, None] * shift
        bent[start:stop, STEP] = turn_about_y(found.turns[start + 1 : stop + 1], steps)[:, [0, 2]]
        _renew_speeds(bent, start, stop)
        bends.append(Bend(start, stop, float(np.linalg.norm(shift)), float(np.degrees(turn))))
    return bent, bends


def place_by_first_key(made: Array, source: Array, kept: Frames, placement: Placement) -> Placement:
    """Where the clip stands, so that its first kept frame is where it was; as before where frame 0 is kept.

    Frames that were made before the first kept frame lead to it: the clip as a whole is turned and moved.
    """
    if kept[0] or not kept.any():
        return placement
    key = int(np.argmax(kept))
    found, goal = root_path(made), root_path(source)
    # A frame faces by minus its turn; the whole is turned by what is between.
    turn = found.turns[key] - goal.turns[key]
    moved = goal.places[key] - turn_about_y(turn, found.places[key])
    origin = turn_about_y(-placement.turn, moved * [1.0, 0.0, 1.0]) + placement.origin
    return Placement(placement.scale, (float(origin[0]), float(origin[1]), float(origin[2])), placement.turn - turn)


def _seen_from(found: RootPath, source: RootPath, key: int) -> RootPath:
    """The source's path turned and moved so that it agrees with the found one at the frame `key`."""
    turn = found.turns[key] - source.turns[key]
    places = turn_about_y(-turn, source.places - source.places[key]) + found.places[key]
    return RootPath(places, source.turns + turn)


def _renew_speeds(features: Array, start: int, stop: int) -> None:
    """The joints' ways from the gap's frames to the next ones, as the bent path makes them."""
    window = features[: stop + 1]
    positions, turns = decode(window), root_path(window).turns
    ways = np.diff(positions[start : stop + 1], axis=0)
    features[start:stop, SPEEDS] = turn_about_y(turns[start:stop, None], ways).reshape(stop - start, -1)


def _shares(count: int) -> Array:
    """Shares of the bend that sum to 1, most in the middle of the gap."""
    weights = np.sin(np.pi * (np.arange(count) + 0.5) / count)
    shares: Array = weights / weights.sum()
    return shares


def _shorter(angle: float) -> float:
    return float(np.arctan2(np.sin(angle), np.cos(angle)))
