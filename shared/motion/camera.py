"""The camera that a motion was filmed with, as video trackers find it: where it stands and what it sees, over time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import MotionError

Array = npt.NDArray[np.float64]

MAX_PIXELS: Final = 65536


@dataclass(frozen=True, slots=True, eq=False)
class CameraTrack:
    """A pinhole camera over time; arrays are read-only float64.

    A point X of the world is at R X + t in the camera's axes (x right, y down, z ahead: OpenCV's), and in the picture
    at K (R X + t) divided by its last number, in pixels from the upper left corner. Frame 0 is the take's first. Raises
    MotionError `motion.camera` for other shapes, numbers that are not finite, and a picture without a size.
    """

    intrinsics: Array  # K (frames, 3, 3) pixels
    rotation: Array  # R (frames, 3, 3)
    translation: Array  # t (frames, 3) metres
    width: int  # of the picture, pixels
    height: int

    def __post_init__(self) -> None:
        frames = np.shape(self.rotation)[0] if np.ndim(self.rotation) else 0
        shapes = {"intrinsics": (frames, 3, 3), "rotation": (frames, 3, 3), "translation": (frames, 3)}
        for name, shape in shapes.items():
            array = np.array(getattr(self, name), dtype=np.float64)
            if array.shape != shape or frames == 0 or not np.isfinite(array).all():
                raise MotionError("motion.camera", f"The camera's {name} must be finite numbers of shape {shape}.")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if not (self.intrinsics[:, [0, 1], [0, 1]] > 0.0).all():
            raise MotionError("motion.camera", "The camera has a focal length that is not above 0.")
        if not (0 < self.width <= MAX_PIXELS and 0 < self.height <= MAX_PIXELS):
            raise MotionError("motion.camera", f"The camera's picture is {self.width} x {self.height} pixels large.")

    @property
    def frame_count(self) -> int:
        """Number of frames."""
        return len(self.rotation)

    @property
    def positions(self) -> Array:
        """Where the camera stands in the world, (frames, 3) metres."""
        return np.asarray(-np.einsum("fji,fj->fi", self.rotation, self.translation))

    def projected(self, points: npt.ArrayLike) -> Array:  # (frames, n, 3) metres, in the world
        """Where the points are in the picture, (frames, n, 2) pixels; what lies behind the camera means nothing."""
        seen = np.einsum("fij,fnj->fni", self.rotation, np.asarray(points)) + self.translation[:, None]
        shown = np.einsum("fij,fnj->fni", self.intrinsics, seen)
        return np.asarray(shown[..., :2] / shown[..., 2:])

    def in_world(self, turn: Array, lift_m: float) -> CameraTrack:  # turn (3, 3)
        """The camera in a world whose points are `turn` X, then moved up by `lift_m` along Y."""
        rotation = self.rotation @ turn.T
        return replace(self, rotation=rotation, translation=self.translation - rotation[:, :, 1] * lift_m)
