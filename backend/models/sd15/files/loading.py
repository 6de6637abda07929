"""Load all parts of a model, each from a folder or a file, as its sources say; every fault in one list."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from torch import nn

from backend.models.sd15.files.classes import build_empty_like
from backend.models.sd15.files.folder import read_config, read_part, read_tokenizer
from backend.models.sd15.files.single_file import built_in_config, empty_part, fill_part, part_config
from backend.models.sd15.files.weight_file import infinite_weights, read_weights, require_kind
from backend.models.sources import ModelSources, check_complete
from shared.errors import ModelError
from shared.files.weight_header import is_safetensors, read_weight_header, some_names
from shared.models.file_kinds import misfit_of_channels, sort_by_channels
from shared.models.sd15 import CHANNELS, CHECKPOINT, SCHEDULER, SD15, TOKENIZER
from shared.models.spec import Part

logger = logging.getLogger(__name__)


def load_modules(sources: ModelSources) -> dict[str, Any]:
    """The parts that every job needs, by name: the tokenizer, and in float32 on the CPU those with weights.

    Raises ModelError naming every part that is missing, cannot be read or does not match its configuration.
    """
    _look_into(sources)
    check_complete(sources)
    problems: list[str] = []
    tokenizer = read_tokenizer(TOKENIZER, sources.home / TOKENIZER.name, problems)
    modules: dict[str, Any] = {TOKENIZER.name: tokenizer}
    if sources.model.is_dir():
        for part in sources.own_parts:
            modules[part.name] = read_part(part, sources.model / part.name, problems)
    else:
        modules.update(_checkpoint(sources, problems))
    for part in SD15.parts:
        if part.name in sources.apart and part.need == "always":
            modules[part.name] = _separate(part, sources, modules, problems)
    if not problems:  # a part with problems may have no numbers at all
        problems = _not_finite(modules)
    if problems:
        raise ModelError("model.unusable", f"The model {sources.model} cannot be used: {'; '.join(problems)}.")
    return modules


def _not_finite(modules: Mapping[str, Any]) -> list[str]:
    """A line for every part that has weights which are no numbers, as failed merges leave them."""
    parts = {name: module for name, module in modules.items() if isinstance(module, nn.Module)}
    bad = {name: infinite_weights(dict(part.named_parameters())) for name, part in parts.items()}
    return [f"{name}: weights are not finite ({some_names(names)})" for name, names in bad.items() if names]


def load_scheduler_config(sources: ModelSources) -> dict[str, Any]:
    """The values of `scheduler/scheduler_config.json`; a checkpoint without one is sampled as Stable Diffusion 1.5.

    Raises ModelError if a folder's is missing, or if it is no JSON object.
    """
    path = sources.config_file(SCHEDULER)
    if sources.model.is_file() and not path.is_file():
        return built_in_config(SCHEDULER.name)
    config = read_config(path)
    if config is None:
        raise ModelError("model.missing", f"{path} is missing or not a JSON object.", "Choose a complete model folder.")
    return config


def _checkpoint(sources: ModelSources, problems: list[str]) -> dict[str, Any]:
    """The parts in an original-layout file, each freed as soon as it is taken."""
    weights = read_weights(sources.model)
    _check_kind(sources, {name: tuple(value.shape) for name, value in weights.items()})
    unused = SD15.unused_entries(weights)
    if unused:
        logger.warning("%s: not used of this file: %s", sources.model, some_names(unused))
    modules: dict[str, Any] = {}
    for part in sources.own_parts:
        module = modules[part.name] = _empty(part, sources, problems)
        if module is not None:
            fill_part(part, module, weights, problems)
    return modules


def _look_into(sources: ModelSources) -> None:
    """Refuse a checkpoint that is another sort of model before anything is missed beside it. Raises ModelError; the
    loader refuses what cannot be read."""
    if not (sources.model.is_file() and is_safetensors(sources.model)):
        return
    try:
        header = read_weight_header(sources.model)
    except (OSError, ModelError):
        return
    _check_kind(sources, header.shapes or {})


def _check_kind(sources: ModelSources, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse a file that is no checkpoint, and a UNet that takes more than latents. Raises ModelError."""
    require_kind(sources.model, shapes.keys(), CHECKPOINT)
    channels, other = CHANNELS.found_in(shapes), SD15.part(CHANNELS.other)
    latents = part_config(other, sources.config_file(other), []).get(CHANNELS.other_value)
    if channels is not None and isinstance(latents, int) and sort_by_channels(channels, latents):
        raise ModelError(
            "model.kind",
            f"The UNet of {sources.model} {misfit_of_channels(channels, latents)}.",
            "Use a model that makes pictures from text.",
        )


def _separate(part: Part, sources: ModelSources, modules: Mapping[str, Any], problems: list[str]) -> Any:
    """A part that lies by itself. A file without sizes of its own may take those of a part that is loaded already."""
    place = sources.apart[part.name]
    if place.is_dir():
        return read_part(part, place, problems)
    assert part.weights is not None, part.name
    weights = read_weights(place)
    require_kind(place, weights.keys(), part.weights.kind)
    if part.sizes_of and not sources.config_file(part).is_file():
        other = modules.get(part.sizes_of)
        module = build_empty_like(part, other) if other is not None else None
    else:
        module = _empty(part, sources, problems)
    if module is not None:
        fill_part(part, module, weights, problems)
    return module


def _empty(part: Part, sources: ModelSources, problems: list[str]) -> Any:
    """A part of the sizes in its file's config folder, without any memory for its weights; None where none can be."""
    return empty_part(part, part_config(part, sources.config_file(part), problems), problems)
