"""The figures of a character's motion, kept on its armature."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from ..shared.body import Body
from ..shared.motion import SMPLMotion
from ..shared.motion.quality import measure_quality

CHECK = "latentman_check"


@dataclass(frozen=True, slots=True)
class MotionCheck:
    """The figures of one look at a character."""

    foot_slide_cm_per_s: float
    jitter_m_per_s3: float
    floor_penetration_cm: float
    frames: str  # of the scene that were looked at, as a range; empty for the file before any edit
    out_of_frame: str = ""  # frames in which a joint is outside the picture, as a range


def check_of(motion: SMPLMotion, body: Body) -> MotionCheck:
    """The figures of a motion as it was read, before anybody edits it."""
    quality = measure_quality(motion, body.joints(motion.betas))
    return MotionCheck(
        quality.foot_slide_cm_per_s,
        quality.jitter_m_per_s3,
        quality.floor_penetration_cm,
        frames="",
    )


def store_check(armature: Any, check: MotionCheck) -> None:
    """Keep the figures on the armature, saved with the file."""
    armature[CHECK] = json.dumps(asdict(check))


def stored_check(armature: Any) -> MotionCheck | None:
    """The figures of the last look; None if there was none."""
    try:
        return MotionCheck(**json.loads(armature.get(CHECK, "")))
    except (ValueError, TypeError):
        return None
