"""A row of the table: which bone of a rig is which of SMPL's joints."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

SIDED: Final = ("hip", "knee", "ankle", "foot", "collar", "shoulder", "elbow", "wrist", "hand")


@dataclass(frozen=True, slots=True)
class RigNames:
    """A rig's bones by SMPL's joints. `*` stands for the side; other spellings of a bone are separated by `|`.

    An empty name means that the rig has no such bone. Extra bones between two of these need no name: the skeleton
    itself has them.
    """

    label: str
    pelvis: str
    spine1: str
    spine2: str
    spine3: str
    neck: str
    head: str
    hip: str
    knee: str
    ankle: str
    foot: str
    collar: str
    shoulder: str
    elbow: str
    wrist: str
    hand: str
    sides: tuple[str, str] = ("Left", "Right")

    def spellings(self) -> dict[str, tuple[str, ...]]:
        """The spellings of each joint's bone that the rig has, by the joint's name."""
        found: dict[str, tuple[str, ...]] = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name in ("label", "sides") or not value:
                continue
            for side, name in zip(self.sides, ("left_", "right_"), strict=True) if one.name in SIDED else (("", ""),):
                found[f"{name}{one.name}"] = tuple(value.replace("*", side).split("|"))
        return found
