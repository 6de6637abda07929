"""What of a clip stays: spans of frames, or the lower body. A model makes the rest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.contract.motion_model import Features, KnownFeatures
from shared.errors import InputError
from shared.motion.humanml.encode import Placement
from shared.motion.humanml.layout import FEATURE_COUNT, LOWER_BODY

_SPAN = re.compile(r"(\d+)(?:-(\d+))?")


@dataclass(frozen=True, slots=True, eq=False)
class EditedClip:
    """A clip as features, where it stands in its scene, and what it was made from."""

    features: Features  # (frames, 263) normalised
    placement: Placement = Placement()
    text: str = ""


def parse_spans(text: str) -> tuple[tuple[int, int], ...]:
    """`0-20,60-80` as pairs of frames, both included. Raises InputError for anything else."""
    spans = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        told = _SPAN.fullmatch(part)
        if told is None or int(told[2] or told[1]) < int(told[1]):
            raise InputError(
                "motion.spans", f'"{part}" is not a span of frames.', "Write first and last frame, such as 0-20,60-80."
            )
        spans.append((int(told[1]), int(told[2] or told[1])))
    return tuple(spans)


def keep(
    clip: EditedClip, frames: int, spans: Sequence[tuple[int, int]] = (), *, lower_body: bool = False
) -> KnownFeatures:
    """What is given of a clip that will have so many frames: whole frames in the spans, the lower body everywhere.

    Raises InputError for spans beyond the clip, and where nothing or everything is kept.
    """
    present = len(clip.features)
    mask = np.zeros((frames, FEATURE_COUNT), dtype=bool)
    for first, last in spans:
        if last >= min(present, frames):
            raise InputError(
                "motion.spans",
                f"Frames {first} to {last} are to be kept, but the clip has frames 0 to {min(present, frames) - 1}.",
                "Frames count from 0, at 20 a second.",
            )
        mask[first : last + 1] = True
    if lower_body:
        mask[: min(present, frames)] |= LOWER_BODY
    if not mask.any() or mask.all():
        what = "The whole clip is kept" if mask.any() else "Nothing of the clip is kept"
        raise InputError("motion.spans", f"{what}, so there is nothing to edit.", "Change the frames that are kept.")
    values = np.zeros((frames, FEATURE_COUNT), dtype=np.float32)
    values[: min(present, frames)] = clip.features[:frames]
    return KnownFeatures(values, mask)
