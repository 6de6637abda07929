"""The stages of a job, each with the words that a user reads. The names are those of `job_events.Progress.stage`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Covers = Literal["", "segment", "frame"]


@dataclass(frozen=True, slots=True)
class Stage:
    """`label` says what is done; `unit` is what its steps count, empty where they mean nothing; `covers` is what it
    works on at a time: the frames of a segment together, or one frame."""

    label: str
    unit: str = ""
    covers: Covers = ""


SAMPLING = "sampling"

STAGES: dict[str, Stage] = {
    "loading": Stage("Loading the model"),
    "surface": Stage("Finding the body in the passes", "frame"),
    "correspondence": Stage("Matching the frames", "pair", "segment"),
    SAMPLING: Stage("Denoising", "step", "segment"),
    "decoding": Stage("Decoding", "", "frame"),
}


def stage_of(name: str) -> Stage:
    """The stage of a name; one that a newer backend has is called by its name."""
    return STAGES.get(name) or Stage(name[:1].upper() + name[1:], "step", "frame")
