"""Trembling joints: jerk, the third derivative of a place."""

from __future__ import annotations

from typing import Final

import numpy as np

from .check import Array, Check, Seen

_AROUND_S = 0.25  # over which the jerk is averaged; a single jolt is a step or a blow


def jerk_m_per_s3(seen: Seen) -> Array:
    """Jerk (frames,), mean over the joints and over the frames around, m/s^3; 0 in clips of less than 4 frames."""
    frames = len(seen.joints)
    if frames < 4:
        return np.zeros(frames)
    jerk = np.linalg.norm(np.diff(seen.joints, n=3, axis=0), axis=-1).mean(axis=1) * seen.fps**3
    jerk = np.concatenate([jerk[:1], jerk, jerk[-1:], jerk[-1:]])
    reach = max(1, round(0.5 * _AROUND_S * seen.fps))
    padded = np.pad(jerk, reach, mode="edge")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).mean(axis=1))


JITTER: Final = Check(
    name="jitter",
    label="Jitter",
    unit="m/s³",
    threshold=300.0,
    sentence="The joints jitter: up to {value:.0f} m/s³",
    repair="smooth_motion",
    measure=jerk_m_per_s3,
)
