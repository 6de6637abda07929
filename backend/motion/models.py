"""Opens a motion model: what a family that `shared.motion.models` recognises is loaded by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.contract.motion_model import MotionModel
from backend.models.mdm.model import open_mdm
from shared.errors import ModelError
from shared.motion.models.mdm import MDM
from shared.motion.models.table import motion_family_of


@dataclass(frozen=True, slots=True)
class MotionModelFiles:
    """What a user may name beside a model; None: found beside it."""

    text_encoder: Path | None = None
    statistics: Path | None = None


def _mdm(place: Path, files: MotionModelFiles) -> MotionModel:
    return open_mdm(place, text_encoder=files.text_encoder, statistics=files.statistics)


OPENERS: Mapping[str, Callable[[Path, MotionModelFiles], MotionModel]] = {MDM.name: _mdm}


def open_motion_model(place: Path | None, files: MotionModelFiles = MotionModelFiles()) -> MotionModel:
    """The model of a folder or file. Raises ModelError for what is not one, and where none is named."""
    if place is None:
        raise ModelError(
            "motion.no_model",
            "No motion model was chosen.",
            "Name the folder of an MDM checkpoint: --model FOLDER.",
        )
    return OPENERS[motion_family_of(place).name](place, files)
