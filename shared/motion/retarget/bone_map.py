"""Which bone stands for which of SMPL's joints, and the file in which a user keeps it (docs/formats/bone_map.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ...errors import MotionError
from ...files.frame_files import write_atomic
from ...files.safe_load import read_bytes
from ...files.strict_json import StrictJSONError, convert, parse_json
from ..skeleton import JOINT_NAMES

FORMAT: Final = "latentman.bone_map"
VERSION: Final = 1
SUFFIX: Final = ".json"
# Without a bone for each of these there is no motion to speak of; others go with the joint before them.
REQUIRED: Final = (
    "pelvis", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
)  # fmt: skip
_MOST_BYTES: Final = 1 << 20
_SAVE_AGAIN: Final = "Save the map again, or correct the file."


@dataclass(frozen=True, slots=True)
class BoneMap:
    """A bone for each of SMPL's joints that has one."""

    label: str
    bones: Mapping[str, str]  # joint: bone

    @property
    def missing(self) -> tuple[str, ...]:
        """The joints without a bone that a motion cannot do without."""
        return tuple(joint for joint in REQUIRED if joint not in self.bones)

    @property
    def unmapped(self) -> tuple[str, ...]:
        """All joints without a bone."""
        return tuple(joint for joint in JOINT_NAMES if joint not in self.bones)


@dataclass(frozen=True, slots=True)
class _Stored:
    """The file's content."""

    format: str
    version: int
    bones: dict[str, str]
    label: str = field(default="")


def require_usable(bone_map: BoneMap, names: tuple[str, ...], skeleton: str) -> None:
    """Raises MotionError where a bone is not in the skeleton, stands twice, or a needed joint has none."""
    used: dict[str, str] = {}
    for joint, bone in bone_map.bones.items():
        if bone not in names:
            what = f"{skeleton} has no bone {bone!r}, which the bone map names for {joint}."
            raise MotionError("motion.bone_map", what, "Choose another bone in the table, or press Guess.")
        if bone in used:
            what = f"The bone {bone!r} is used for both {used[bone]} and {joint}."
            raise MotionError("motion.bone_map", what, "Choose a different bone for each joint, or leave one empty.")
        used[bone] = joint
    if bone_map.missing:
        what = f"{skeleton} has no known bone for {', '.join(bone_map.missing)}."
        hint = "Choose a bone for each under Settings > From Armature, or give a bone map (--bone-map)."
        raise MotionError("motion.bone_map", what, hint)


def load_map(path: Path) -> BoneMap:
    """The map of a file. Raises MotionError `motion.bone_map` with the place at fault."""
    data = read_bytes(path, error=MotionError, max_bytes=_MOST_BYTES)
    try:
        value = parse_json(data)
        stored = convert(value, _Stored)
        if stored.format != FORMAT or stored.version != VERSION:
            raise StrictJSONError(f"$: the format is not {FORMAT!r}, version {VERSION}")
        unknown = next((joint for joint in stored.bones if joint not in JOINT_NAMES), None)
        if unknown is not None:
            raise StrictJSONError(f"$.bones: {unknown!r} is not a joint of SMPL")
        strange = next((key for key in value if key not in ("format", "version", "bones", "label")), None)
        if strange is not None:
            raise StrictJSONError(f"$: {strange!r} is not a field of a bone map")
    except StrictJSONError as error:
        raise MotionError("motion.bone_map", f"{path.name} is not a bone map: {error}.", _SAVE_AGAIN) from error
    return BoneMap(stored.label or path.stem, {joint: bone for joint, bone in stored.bones.items() if bone})


def save_map(path: Path, bone_map: BoneMap) -> None:
    """Write the map. Raises LatentManError `storage.full` or `storage.unwritable`."""
    bones = {joint: bone_map.bones.get(joint, "") for joint in JOINT_NAMES}
    value = {"format": FORMAT, "version": VERSION, "label": bone_map.label, "bones": bones}
    write_atomic(path, f"{json.dumps(value, indent=2, ensure_ascii=False)}\n".encode())
