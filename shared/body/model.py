"""A body in SMPL's form (Loper et al., "SMPL: A Skinned Multi-Person Linear Model", 2015)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import BodyError

JOINT_COUNT: Final = 24
BETA_COUNT: Final = 10
POSE_FEATURE_COUNT: Final = 207  # 23 joints x 9 entries of R - I

# DensePose's part order; index 0 is the background. Front of an arm is its flexor side: the palm's side.
PART_NAMES: Final[tuple[str, ...]] = (
    "background", "torso_back", "torso_front", "right_hand", "left_hand", "left_foot", "right_foot",
    "right_upper_leg_back", "left_upper_leg_back", "right_upper_leg_front", "left_upper_leg_front",
    "right_lower_leg_back", "left_lower_leg_back", "right_lower_leg_front", "left_lower_leg_front",
    "left_upper_arm_front", "right_upper_arm_front", "left_upper_arm_back", "right_upper_arm_back",
    "left_lower_arm_front", "right_lower_arm_front", "left_lower_arm_back", "right_lower_arm_back",
    "right_head", "left_head",
)  # fmt: skip

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """One body: template, shapes, pose correctives, joints, skin weights and, where it has them, parts and charts.

    SMPL's axes: Y up, T-pose, facing +Z, the character's left is +X, metres.
    """

    v_template: npt.NDArray[np.float32]  # (V, 3) metres
    shapedirs: npt.NDArray[np.float32]  # (V, 3, 10) metres a beta
    posedirs: npt.NDArray[np.float32]  # (V, 3, 207)
    joint_regressor: npt.NDArray[np.float32]  # (24, V)
    weights: npt.NDArray[np.float32]  # (V, 24), rows sum to 1
    parents: tuple[int, ...]  # 24, -1 for the pelvis
    f: npt.NDArray[np.int32]  # (F, 3)
    part: npt.NDArray[np.uint8] | None  # (F,) DensePose part 1..24
    chart_uv: npt.NDArray[np.float32] | None  # (F, 3, 2) in 0..1, one-to-one inside a part
    quads: npt.NDArray[np.int32] | None  # (Q, 4), the same surface as `f`; f[2q] and f[2q + 1] are halves of quads[q]
    has_pose_correctives: bool
    licence: str

    def shaped_vertices(self, betas: npt.ArrayLike) -> FloatArray:  # (10,)
        """Vertices (V, 3) in metres of the rest pose with these betas."""
        return np.asarray(self.v_template + self.shapedirs @ checked_betas(betas), dtype=np.float64)

    def joints(self, betas: npt.ArrayLike) -> FloatArray:  # (10,)
        """Joints (24, 3) in metres of the rest pose with these betas; BodyError if `betas` is not (10,) and finite."""
        joints: FloatArray = self.joint_regressor.astype(np.float64) @ self.shaped_vertices(betas)
        return joints


def checked_betas(betas: npt.ArrayLike) -> FloatArray:
    """The betas as float64 (10,), or BodyError."""
    return checked(betas, (BETA_COUNT,), "betas")


def checked(values: npt.ArrayLike, shape: tuple[int, ...], name: str) -> FloatArray:
    """`values` as finite float64 of `shape` (-1 is any length), or BodyError with `name` in it."""
    array = np.asarray(values, dtype=np.float64)
    fits = array.ndim == len(shape) and all(want in (-1, have) for want, have in zip(shape, array.shape, strict=True))
    if not fits:
        wanted = ", ".join("any" if size < 0 else str(size) for size in shape)
        raise BodyError("body.wrong_shape", f"The {name} must have the shape ({wanted}), but have {array.shape}.")
    if not np.isfinite(array).all():
        raise BodyError("body.not_finite", f"The {name} contain NaN or infinity.")
    return array
