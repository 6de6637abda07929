"""What a check looks at, what it is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...rotations import axis_angle_to_matrix
from ..contacts import Mask, foot_contacts, runs
from ..model import SMPLMotion
from ..quality import motion_joints

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A motion as the checks need it."""

    rotations: Array  # (frames, 24, 3, 3) relative to the parent joint
    joints: Array  # (frames, 24, 3) metres, Y up
    standing: Mask  # (frames, 2): which foot stands
    fps: float
    floor_m: float = 0.0  # height of the floor
    sole_m: float = 0.0  # height of the ball's joint above the floor when the foot stands flat


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the table. A frame whose value is above the threshold is a problem."""

    name: str
    label: str
    unit: str
    threshold: float
    sentence: str  # with {value}, the worst one
    repair: str  # the name in `repair.REPAIRS` of what helps; empty if nothing of ours does
    measure: Callable[[Seen], Array] | None  # (frames,); None: only the add-on can measure it
    else_helps: str = ""  # what helps where no repair does

    def said(self, value: float) -> str:
        """The sentence about the worst value."""
        return self.sentence.format(value=value)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a check found: a value a frame."""

    check: Check
    values: Array  # (frames,) in the check's unit

    @property
    def worst(self) -> float:
        """The largest value."""
        return float(self.values.max(initial=0.0))

    @property
    def problems(self) -> tuple[tuple[int, int], ...]:
        """First and last frame of each run of problems, counted from 0."""
        return runs(self.values > self.check.threshold)

    @property
    def problem_frames(self) -> int:
        """How many frames have the problem."""
        return int((self.values > self.check.threshold).sum())


def see(motion: SMPLMotion, rest_joints: npt.ArrayLike, *, floor_m: float = 0.0, sole_m: float = 0.0) -> Seen:
    # rest_joints (24, 3) metres
    """The motion on a skeleton, ready to be checked. Raises MotionError for unusable rest joints."""
    joints = motion_joints(motion, rest_joints)
    return Seen(
        axis_angle_to_matrix(motion.poses), joints, foot_contacts(joints, motion.fps), motion.fps, floor_m, sole_m
    )
