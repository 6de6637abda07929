"""Which axis of a file points up, and how a clip lies when it does not stand.

A file does not say it. Its format has a convention, which files of other programs in the same format break; so the
body decides where that is certain: people stand, sit and walk with the head above the feet in most clips.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from ..rotations import normalised
from .skeleton import JOINT_INDEX

Array = npt.NDArray[np.float64]
Up = Literal["auto", "x", "y", "z", "-x", "-y", "-z"]

UP_AXES: Final[tuple[Up, ...]] = ("auto", "y", "z", "x", "-y", "-z", "-x")
# Rotations that take the axis to Y, the shortest way; half a turn about X for -Y, as MDM's own viewer does it.
_TURNS: Final[dict[Up, tuple[tuple[int, int, int], ...]]] = {
    "y": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "-y": ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
    "z": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    "-z": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    "x": ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    "-x": ((0, 1, 0), (-1, 0, 0), (0, 0, 1)),
}
_HEAD = JOINT_INDEX["head"]
_ANKLES = [JOINT_INDEX["left_ankle"], JOINT_INDEX["right_ankle"]]
_HIPS = (JOINT_INDEX["left_hip"], JOINT_INDEX["right_hip"])

_PLAUSIBLE = 0.3  # median cosine between feet-to-head and up: a crawl has about this much
_CERTAIN, _CERTAIN_LOW = 0.85, 0.6  # median, and the tenth part that stands least
_MOSTLY = 0.7
_LIES = 0.5  # even the tenth part that stands most stays below this
_ON_FLOOR_M = (-0.02, 0.15)  # joints of a body that lies on the floor: lowest ones, skin below them
_NEAR_FLOOR_M = 0.15
_NO_FLOOR_M = 0.3
_FLOATS_M = 1.0


@dataclass(frozen=True, slots=True)
class Upright:
    """The chosen up axis."""

    axis: Up  # never "auto"
    said: str  # one sentence
    lift_m: float = 0.0  # moves a clip without a floor onto the floor, after the turn


def turn_to_y(axis: Up) -> Array:
    """The rotation (3, 3) that takes the file's up axis to Y."""
    return np.array(_TURNS[axis], dtype=np.float64)


def choose_up(joints: Array, asked: Up, usual: Up, format_name: str) -> Upright:
    # joints (frames, 22 or more, 3) metres, in the file's axes
    """The axis that points up: the requested one, else the usual one unless the clip certainly stands along another."""
    if asked != "auto":
        return Upright(asked, f"Up axis: {_named(asked)}, as set.")
    tall = _feet_to_head(joints)
    if np.median(tall @ _axis(usual)) >= _PLAUSIBLE:
        return Upright(usual, _usual(usual, format_name))
    on_usual_floor = _on_floor(joints, usual)
    for axis in UP_AXES[1:]:
        if _stands(joints, tall @ _axis(axis), axis, on_usual_floor):
            lowest = _lowest(joints, axis)
            lift = -lowest if abs(lowest) > _NO_FLOOR_M else 0.0
            lifted = f" It was moved up by {lift:.2f} m onto the floor." if lift else ""
            found = f"Up axis in the file: {_named(axis)}, because the character stands that way"
            said = f"{found}; {format_name} usually has {_named(usual)}.{lifted}"
            return Upright(axis, said, lift)
    return Upright(usual, _usual(usual, format_name))


def posture_warning(joints: Array) -> str:  # (frames, 24, 3) metres, Y up
    """One sentence if the character lies or stands on its head for the whole clip, else empty."""
    along = _feet_to_head(joints)[:, 1]
    hint = "for the whole clip. If it should stand, set Up in the import settings (--up)."
    if np.quantile(along, 0.9) < -_LIES:
        return f"The character is upside down {hint}"
    if np.quantile(np.abs(along), 0.9) >= _LIES:
        return ""
    left = normalised(joints[:, _HIPS[0]] - joints[:, _HIPS[1]])
    front = float(np.median(np.cross(left, _feet_to_head(joints))[:, 1]))
    side = "side" if abs(front) < _LIES else ("back" if front > 0.0 else "front")
    return f"The character lies on its {side} {hint}"


def height_warning(joints: Array) -> str:  # (frames, 24, 3) metres, Y up
    """One sentence if the character is far above the floor for the whole clip, else empty."""
    lowest = _lowest(joints, "y")
    if lowest < _FLOATS_M:
        return ""
    return (
        f"The character is always at least {lowest:.1f} m above the floor. Move it down, or convert the file's "
        "positions to metres if they are in another unit."
    )


def _feet_to_head(joints: Array) -> Array:
    """Unit vectors (frames, 3) from between the ankles to the head."""
    return normalised(joints[:, _HEAD] - joints[:, _ANKLES].mean(axis=1))


def _axis(up: Up) -> Array:
    return np.asarray(turn_to_y(up)[1])


def _lowest(joints: Array, up: Up) -> float:
    return float((joints @ _axis(up)).min())


def _stands(joints: Array, along: Array, axis: Up, on_usual_floor: bool) -> bool:
    """Whether the clip certainly stands along `axis`, by the body and the floor; one of the two may be unclear."""
    on_floor = abs(_lowest(joints, axis)) <= _NEAR_FLOOR_M
    always = np.median(along) > _CERTAIN and np.quantile(along, 0.1) > _CERTAIN_LOW
    mostly = np.median(along) > _MOSTLY
    return bool((always and (on_floor or not on_usual_floor)) or (mostly and on_floor and not on_usual_floor))


def _on_floor(joints: Array, up: Up) -> bool:
    """Whether the body is on a floor at height 0 in every frame."""
    lowest = (joints @ _axis(up)).min(axis=1)
    return bool(_ON_FLOOR_M[0] <= lowest.min() and np.quantile(lowest, 0.9) <= _ON_FLOOR_M[1])


def _named(up: Up) -> str:
    return f"{up[-1].upper()} {'down' if up.startswith('-') else 'up'}"


def _usual(up: Up, format_name: str) -> str:
    return f"Up axis: {_named(up)}, as usual for {format_name}."
