"""Which family a model belongs to, told from its files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import ModelError
from ..files.weight_header import read_weight_header
from .spec import Family, Part
from .table import FAMILIES
from .weight_kind import weight_kinds


def family_of(model: Path, families: Iterable[Family] = tuple(FAMILIES.values())) -> Family:
    """The family of a folder or a checkpoint; the first of the table where its files tell nothing.

    A folder is of the family of which it holds most parts, an earlier one where that is undecided; a checkpoint of the
    first family whose kind of file it is.
    """
    known = tuple(families)
    try:
        if model.is_dir():
            return max(known, key=lambda family: sum(_holds(model, part) for part in family.parts))
        names = read_weight_header(model).shapes or {}
    except (OSError, ModelError):
        return known[0]
    kinds = weight_kinds(names.keys(), known)
    told = (family for family in known if family.checkpoint and kinds.fits(family.checkpoint.kind))
    return next(told, known[0])


def described_class(config: dict[str, Any], part: Part) -> str:
    """The class that a part's `config.json` names; the declared one where it names none."""
    listed = config.get("architectures")
    return str(config.get("_class_name") or (listed[0] if isinstance(listed, list) and listed else part.classes[0]))


def json_values(path: Path) -> dict[str, Any]:
    """The values of a JSON object; none where the file is not there or is not one."""
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _holds(model: Path, part: Part) -> bool:
    """Whether a folder of this part is there, and describes a class of it."""
    place = model / part.name
    return place.is_dir() and (
        not part.weights or described_class(json_values(place / "config.json"), part) in part.classes
    )
