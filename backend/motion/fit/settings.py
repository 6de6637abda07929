"""What the fit weighs against what: each weight belongs to one term of `energy`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FitSettings:
    """Weights of the terms, all per frame with lengths in centimetres and angles in radians, and how long to try.

    The defaults were chosen on the sample motions with noise of 1 cm on each joint.
    """

    joints: float = 1.0  # distance to the given positions,
    robust_cm: float = 15.0  # which grows no further much beyond this (Geman and McClure)
    jerk: float = 0.2  # third difference of the joints' places
    turn: float = 60.0  # second difference of the rotations
    contact: float = 20.0  # how far a planted ball of the foot moves between two frames
    floor: float = 2.0  # how far a ball goes below the floor
    hinge: float = 30.0  # knees and elbows that turn about anything but their hinge, or bend backwards
    limit: float = 60.0  # a joint beyond its limits
    start: float = 0.3  # a rotation that leaves the analytic fit: it settles the twist that nothing else tells
    steps: int = 200  # of L-BFGS
    stop_at: float = 1e-5  # relative change of the energy at which it ends earlier
