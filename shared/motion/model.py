"""The one motion that the project knows: SMPL joint rotations over time, Y up, metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import MotionError
from .camera import CameraTrack
from .reading.assumptions import Assumptions
from .skeleton import JOINT_COUNT

Array = npt.NDArray[np.float64]

MAX_FPS = 1000.0


def _frozen(values: npt.ArrayLike, shape: tuple[int, ...], name: str, source: str) -> Array:
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise MotionError(
            "motion.wrong_type", f"{name} of the motion {source!r} is not an array of numbers."
        ) from error
    if array.shape != shape:
        raise MotionError(
            "motion.wrong_shape", f"{name} of the motion {source!r} must be {shape}, but is {array.shape}."
        )
    if not np.isfinite(array).all():
        raise MotionError("motion.not_finite", f"{name} of the motion {source!r} contains NaN or infinity.")
    array.setflags(write=False)
    return array


@dataclass(frozen=True, slots=True, eq=False)
class SMPLMotion:
    """A motion in SMPL's convention; arrays are read-only float64.

    World vertices are LBS(poses, betas) + root: SMPL turns the body about its pelvis joint J0, so that the pelvis is at
    J0 + root. Y up, the character faces +Z in the rest pose, its left is +X. Frame t is shown at t / fps seconds and
    lasts 1 / fps, so the clip lasts frames / fps seconds. Raises MotionError when shapes, values or fps are unusable.
    """

    poses: Array  # (frames, 24, 3) axis-angle radians, relative to the parent joint
    root: Array  # (frames, 3) metres, SMPL's transl
    betas: Array  # (10,) SMPL's shape
    fps: float
    text: str = ""  # what the motion was made from, or its title
    source: str = ""  # the file's name
    twist_known: bool = True  # False: positions only; the turn of a bone about itself was guessed
    notes: tuple[str, ...] = ()  # what the reader assumed, one sentence each
    residual_cm: float | None = None  # mean joint distance of a fit, None where nothing was fitted
    feet_residual_cm: float | None = None  # the same of the feet's balls
    warnings: tuple[str, ...] = ()  # what a user must look at, one sentence each
    camera: CameraTrack | None = None  # that filmed the take; its frames are the take's, not the person's
    assumptions: Assumptions | None = None  # how a file was read; None where the motion is from none
    first_frame: int = 0  # when the person enters, in frames of this rate after the take begins
    fitted_to: Array | None = None  # (frames, 22 or 24, 3) metres: where a file of positions has the joints

    def __post_init__(self) -> None:
        frames = np.shape(self.poses)[0] if np.ndim(self.poses) else 0
        if frames == 0:
            raise MotionError("motion.empty", f"The motion {self.source!r} has no frames.")
        object.__setattr__(self, "poses", _frozen(self.poses, (frames, JOINT_COUNT, 3), "poses", self.source))
        object.__setattr__(self, "root", _frozen(self.root, (frames, 3), "root", self.source))
        object.__setattr__(self, "betas", _frozen(self.betas, (10,), "betas", self.source))
        if not 0.0 < self.fps <= MAX_FPS:  # also refuses NaN
            raise MotionError(
                "motion.fps",
                f"The motion {self.source!r} has {self.fps} frames a second.",
                f"Use a rate above 0 and at most {MAX_FPS:.0f}.",
            )
        object.__setattr__(self, "fps", float(self.fps))

    @property
    def frame_count(self) -> int:
        """Number of frames."""
        return len(self.poses)
