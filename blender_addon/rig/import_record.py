"""What a character keeps of its import: so that each assumption can be shown, and changed by reading the file again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

# On the armature.
IMPORT = "latentman_import"


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """One import: the file, what the user said about it, how it was read, and what else the file holds."""

    path: str
    group: str  # the same for all people of one import
    sample: int
    repetition: int
    person: int
    fps: float | None  # what the user said; None leaves it to the file and its format
    up: str
    unit_m: float | None
    view: str
    two_views: bool  # whether the file can be read in the camera's axes as well as in the world's
    start_frame: int  # of the take; a person may enter later
    betas: list[float]  # the shape of the body that shows it
    bones: dict[str, str]  # the bone map that the user gave, by SMPL's joints; empty where it was guessed
    body: str  # the body's file; empty for the free one
    format: str
    read_fps: float  # how it was read, and whose word that was
    fps_from: str
    read_up: str
    up_from: str
    read_unit_m: float | None
    unit_from: str
    said: list[str]  # the same in sentences, which the panel need not repeat
    takes: list[list[Any]]  # sample, repetition, label
    people: list[str]  # of the take


def store_import(armature: Any, record: ImportRecord) -> None:
    """Keep it on the armature, saved with the file."""
    armature[IMPORT] = json.dumps(asdict(record))


def stored_import(armature: Any) -> ImportRecord | None:
    """The record of a character's import; None if it was not imported, or by an earlier version."""
    try:
        told = json.loads(armature.get(IMPORT, ""))
        return ImportRecord(**{field.name: told[field.name] for field in fields(ImportRecord)})
    except (ValueError, TypeError, KeyError):
        return None
