"""Writes motions as MDM does: `results.npy` and `sample##_rep##_smpl_params.npy` (Tevet et al., 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from shared.motion.skeleton import BODY_JOINT_COUNT
from shared.rotations import axis_angle_to_matrix, matrix_to_rot6d_rows

Array = npt.NDArray[np.float64]


def write_results(path: Path, joints: Sequence[Array], texts: Sequence[str]) -> None:
    # joints: one (frames, 24, 3) metres a motion, Y up, floor at y = 0
    """One repetition of every motion, 22 joints; shorter ones are padded with their last frame, as `lengths` tells."""
    longest = max(len(motion) for motion in joints)
    padded = [motion[np.minimum(np.arange(longest), len(motion) - 1), :BODY_JOINT_COUNT] for motion in joints]
    content = {
        "motion": np.moveaxis(np.stack(padded), 1, -1).astype(np.float32),  # (motions, 22, 3, frames)
        "text": list(texts),
        "lengths": np.array([len(motion) for motion in joints], dtype=np.int64),
        "num_samples": len(joints),
        "num_repetitions": 1,
    }
    _save(path, content)


def write_smpl_params(
    path: Path, poses: Array, pelvis: Array, text: str, extra: dict[str, object] | None = None
) -> None:
    # poses (frames, 24, 3) axis-angle radians, pelvis (frames, 3) metres: the pelvis joint
    """Rotations as rot6d rows with the pelvis' path; `extra` adds MDM's `vertices` and `faces`, which nobody reads."""
    thetas = np.moveaxis(matrix_to_rot6d_rows(axis_angle_to_matrix(poses)), 0, -1).astype(np.float32)  # (24, 6, frames)
    translation = pelvis.T.astype(np.float32)  # (3, frames)
    row = np.zeros((1, 6, len(poses)), dtype=np.float32)
    row[0, :3] = translation
    content = {
        "motion": np.concatenate([thetas, row]),
        "thetas": thetas,
        "root_translation": translation,
        "text": text,
        "length": np.int64(len(poses)),
        **(extra or {}),
    }
    _save(path, content)


def _save(path: Path, content: dict[str, object]) -> None:
    holder = np.empty((), dtype=object)
    holder[()] = content
    np.save(path, holder, allow_pickle=True)
