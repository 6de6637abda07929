"""Where the parts of a model lie, and what their folders say of them: loader and check of files agree on it here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .files import ModelFiles
from .spec import WEIGHT_STEMS, Part


@dataclass(frozen=True, slots=True)
class FolderWeights:
    """The weights of one part: a file of weights, or the index (.json) of several."""

    file: Path
    safe: bool
    variant: str | None


def config_folder(model: Path, files: ModelFiles) -> Path:
    """The folder of what is never in a file of weights: tokenizer, scheduler, sizes."""
    return Path(files.config) if files.config else (model if model.is_dir() else model.parent)


def place_of_part(part: Part, model: Path, files: ModelFiles) -> Path | None:
    """Where a part lies that is not the model's own: a folder or a file, which need not be there; None for its own."""
    named = files.paths(part.place.name) if part.place else ()
    if named:
        return Path(named[0])
    if part.in_checkpoint or not part.may_lie_apart:
        return None
    return (model if model.is_dir() else config_folder(model, files)) / part.name


def find_weights(folder: Path, stems: Iterable[str] = WEIGHT_STEMS) -> FolderWeights | None:
    """The weights that a folder is loaded from: full before half precision, safetensors before pickled ones."""
    names = tuple(stems)
    for variant in (None, "fp16"):
        for suffix, safe in ((".safetensors", True), (".bin", False)):
            part = f".{variant}" if variant else ""
            for stem in names:
                for ending in (f"{part}{suffix}", f"{suffix}.index{part}.json"):
                    if (folder / f"{stem}{ending}").is_file():
                        return FolderWeights(folder / f"{stem}{ending}", safe, variant)
    return None


def described_class(config: Mapping[str, Any], part: Part) -> str:
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
