"""Refusing a file of weights that is of another kind than the one needed, by its own name."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from shared.errors import ModelError
from shared.files.weight_header import some_names
from shared.models.weight_kind import weight_kinds, wrong_kind


def require_kind(path: Path, names: Collection[str], kind: str) -> None:
    """Refuse a file whose weights are of another kind. Raises ModelError saying what it looks like."""
    found = weight_kinds(names)
    if found.fits(kind):
        return
    unknown = f"holds {len(names)} weights of an unknown kind ({some_names(sorted(names))})"
    looks = f"is {wrong_kind(found.name, kind)}" if found.name else f"{unknown}, not {kind}"
    raise ModelError("model.kind", f"{path} {looks}.", "Give the right file.")
