"""Read the parts of a folder in diffusers' layout: local files only, safetensors first, every fault in one list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from transformers.utils import logging

from backend.models.sd15.files.classes import class_of
from backend.models.sd15.files.weight_file import first_line, json_object
from shared.files.weight_header import some_names
from shared.models.places import described_class, find_weights
from shared.models.spec import Part, Weights

_READ_ERRORS = (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError)


def read_config(path: Path) -> dict[str, Any] | None:
    """The values of a JSON file; None where it is missing or no JSON object."""
    try:
        return json_object(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def read_tokenizer(part: Part, place: Path, problems: list[str]) -> Any:
    """The tokenizer of a folder, or None and a line in `problems`."""
    # Without its files the class makes an empty tokenizer instead of failing.
    if not any(all((place / name).is_file() for name in names) for names in part.config):
        files = " nor ".join(" and ".join(names) for names in part.config)
        problems.append(f"{part.name}: neither {files}")
        return None
    try:
        return class_of(part).from_pretrained(str(place), local_files_only=True)
    except _READ_ERRORS as error:
        problems.append(f"{part.name}: {first_line(error)}")
        return None


def read_part(part: Part, place: Path, problems: list[str]) -> Any:
    """A part with weights from its folder, in float32 on the CPU, or None and a line in `problems`."""
    assert part.weights is not None, part.name
    config = read_config(place / "config.json")
    if config is None:
        problems.append(f"{part.name}: config.json is missing or not a JSON object")
        return None
    named = described_class(config, part)
    if named not in part.classes:
        problems.append(f"{part.name}: holds a {named}, not a {part.classes[0]}")
        return None
    weights = find_weights(place, part.weights.stems)
    if weights is None:
        problems.append(f"{part.name}: no weights (.safetensors or .bin)")
        return None
    try:
        with _without_progress_bars():
            module, info = class_of(part).from_pretrained(
                str(place),
                local_files_only=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,
                use_safetensors=weights.safe,
                variant=weights.variant,
            )
    except _READ_ERRORS as error:
        problems.append(f"{part.name}: {first_line(error)}")
        return None
    faults = _loading_faults(part.weights, info)
    if faults:
        problems.append(f"{part.name}: {faults}")
    return module


@contextmanager
def _without_progress_bars() -> Iterator[None]:
    """Loading takes a moment; a bar for each part would only disturb what the caller prints."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def weight_faults(missing: Iterable[str], unknown: Iterable[str], misshapen: Iterable[str]) -> str:
    """What of the weights did not match, in words: how many of each sort, and the first few names. Empty if all did."""
    sorts = (("missing", missing), ("unknown", unknown), ("of the wrong shape", misshapen))
    lists = [(what, sorted(names)) for what, names in sorts]
    return ", ".join(f"{len(names)} weights {what} ({some_names(names)})" for what, names in lists if names)


def _loading_faults(weights: Weights, info: dict[str, Any]) -> str:
    """What diffusers' or transformers' loader says did not match."""
    unknown = [str(key) for key in info["unexpected_keys"] if not weights.is_decoration(str(key))]
    return weight_faults(map(str, info["missing_keys"]), unknown, [str(entry[0]) for entry in info["mismatched_keys"]])
