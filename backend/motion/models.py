"""Opens a motion model: what a family that `shared.motion.models` recognises is loaded by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.contract.motion_model import MotionModel
from backend.models.mdm.model import open_mdm
from backend.motion.embedded.model import EMBEDDED_FOLDER, open_embedded
from shared.motion.models.embedded import EMBEDDED_MOTION
from shared.motion.models.mdm import MDM
from shared.motion.models.table import motion_family_of


@dataclass(frozen=True, slots=True)
class MotionModelFiles:
    """What a user may name beside a model; None: found beside it."""

    text_encoder: Path | None = None
    statistics: Path | None = None


def _mdm(place: Path, files: MotionModelFiles) -> MotionModel:
    return open_mdm(place, text_encoder=files.text_encoder, statistics=files.statistics)


def _embedded(place: Path, _files: MotionModelFiles) -> MotionModel:
    return open_embedded(place)


OPENERS: Mapping[str, Callable[[Path, MotionModelFiles], MotionModel]] = {
    MDM.name: _mdm,
    EMBEDDED_MOTION.name: _embedded,
}


def open_motion_model(place: Path | None, files: MotionModelFiles = MotionModelFiles()) -> MotionModel:
    """The model of a folder or file, or the one that ships where none is named. Raises ModelError."""
    if place is None:
        return open_embedded(EMBEDDED_FOLDER)
    return OPENERS[motion_family_of(place).name](place, files)
