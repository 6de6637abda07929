"""What a file of weights is and which family a model is of, told from names of weights and of folders alone.

A file is a checkpoint, a ControlNet, a LoRA ..., or of a kind that is not used here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import ModelError
from ..files.weight_header import is_safetensors, read_weight_header
from .file_kinds import UNSUPPORTED
from .places import described_class, json_values
from .spec import Family, Kind, Part
from .table import FAMILIES


@dataclass(frozen=True, slots=True)
class WeightKinds:
    """What a file can be taken for, decisive kinds first. It may be several others, as a ControlNet v1.0 in a whole
    checkpoint is."""

    told: tuple[Kind, ...]

    def fits(self, kind: Kind) -> bool:
        """Whether the file can be used as this kind."""
        return kind in self.told and all(kind == other for other in self.told if other.decisive)

    @property
    def first(self) -> Kind | None:
        """What it is first of all; None where its names say nothing."""
        return next(iter(self.told), None)

    @property
    def name(self) -> str:
        """What it is first of all, in words; empty where its names say nothing."""
        return self.first.name if self.first else ""


def weight_kinds(names: Collection[str], families: Iterable[Family] = FAMILIES) -> WeightKinds:
    """The kinds that a file's weight names reveal, out of the kinds of these families and the unsupported ones."""
    kinds = (*UNSUPPORTED, *(kind for family in families for kind in family.kinds))
    told = [kind for kind in dict.fromkeys(kinds) if kind.tells(names)]
    return WeightKinds(tuple(sorted(told, key=lambda kind: not kind.decisive)))


def wrong_kind(found: str, kind: Kind) -> str:
    """The end of the sentence on a file that is `found` where `kind` is needed: `a LoRA for Flux, not a LoRA for ...`.

    A family is named only where the kind alone would be the same word twice.
    """
    same_word = found.startswith(kind.name) and kind.family
    return f"{found}, not {kind.name} for {kind.family}" if same_word else f"{found}, not {kind.name}"


def family_of(model: Path, families: Iterable[Family] = FAMILIES) -> Family:
    """The family of a folder or a checkpoint; the first in the table if its files do not say.

    A folder belongs to the family with the most parts in it, on a tie to the earlier one; a checkpoint to the first
    family whose kind of file it is. A pickle is not opened, so it does not say.
    """
    known = tuple(families)
    try:
        if model.is_dir():
            return max(known, key=lambda family: sum(_holds(model, part) for part in family.parts))
        names = (read_weight_header(model).shapes if is_safetensors(model) else None) or {}
    except (OSError, ModelError):
        return known[0]
    kinds = weight_kinds(names.keys(), known)
    told = (family for family in known if family.checkpoint and kinds.fits(family.checkpoint.kind))
    return next(told, known[0])


def _holds(model: Path, part: Part) -> bool:
    """Whether a folder of this part is there, and describes a class of it."""
    place = model / part.name
    return place.is_dir() and (
        not part.weights or described_class(json_values(place / "config.json"), part) in part.classes
    )
