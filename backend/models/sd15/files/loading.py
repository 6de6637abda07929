"""Load all parts of a model, each from a folder or a file, as its sources say; every fault in one list."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from backend.models.sd15.files.file_kind import require_kind
from backend.models.sd15.files.folder import read_config, read_part, read_tokenizer
from backend.models.sd15.files.single_file import built_in_config, empty_controlnet, empty_part, fill_part, part_config
from backend.models.sd15.files.sources import ModelSources, check_complete
from backend.models.sd15.files.weight_file import infinite_weights, read_weights
from shared.errors import ModelError
from shared.files.weight_header import read_weight_header, some_names
from shared.models.weight_decoration import unused_entries
from shared.models.weight_kind import (
    AUTOENCODER,
    CHECKPOINT,
    CONTROLNET,
    checkpoint_channels,
    misfit_of_channels,
    sort_by_channels,
)
from shared.models.weight_places import is_safetensors

logger = logging.getLogger(__name__)


def load_modules(sources: ModelSources) -> dict[str, Any]:
    """Tokenizer, text encoder, autoencoder, UNet and ControlNet, in float32 on the CPU.

    Raises ModelError naming every part that is missing, cannot be read or does not match its configuration.
    """
    _look_into(sources)
    check_complete(sources)
    problems: list[str] = []
    modules: dict[str, Any] = {"tokenizer": read_tokenizer(sources.tokenizer, problems)}
    if sources.model.is_dir():
        for name in sources.own_parts:
            modules[name] = read_part(name, sources.model / name, problems)
    else:
        modules.update(_checkpoint(sources, problems))
    if sources.vae is not None:
        modules["vae"] = _separate("vae", AUTOENCODER, sources.vae, sources, None, problems)
    modules["controlnet"] = _separate(
        "controlnet", CONTROLNET, sources.controlnet, sources, modules.get("unet"), problems
    )
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
    path = sources.scheduler_config
    if sources.model.is_file() and not path.is_file():
        return built_in_config("scheduler")
    config = read_config(path)
    if config is None:
        raise ModelError("model.missing", f"{path} is missing or not a JSON object.", "Give a whole model folder.")
    return config


def _checkpoint(sources: ModelSources, problems: list[str]) -> dict[str, Any]:
    """The parts in an original-layout file, each freed as soon as it is taken."""
    weights = read_weights(sources.model)
    _check_kind(sources, {name: tuple(value.shape) for name, value in weights.items()})
    unused = unused_entries(weights)
    if unused:
        logger.warning("%s: not used of this file: %s", sources.model, some_names(unused))
    modules: dict[str, Any] = {}
    for name in sources.own_parts:
        modules[name] = empty_part(name, part_config(name, sources.part_config(name), problems), problems)
        if modules[name] is not None:
            fill_part(name, modules[name], weights, problems)
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
    channels = checkpoint_channels(shapes)
    latents = part_config("vae", sources.part_config("vae"), []).get("latent_channels")
    if channels is not None and isinstance(latents, int) and sort_by_channels(channels, latents):
        raise ModelError(
            "model.kind",
            f"The UNet of {sources.model} {misfit_of_channels(channels, latents)}.",
            "Use one that makes pictures from text.",
        )


def _separate(name: str, kind: str, place: Path, sources: ModelSources, unet: Any, problems: list[str]) -> Any:
    """A part that lies by itself. A ControlNet's file without sizes of its own takes the UNet's."""
    if place.is_dir():
        return read_part(name, place, problems)
    weights = _of_kind(place, kind)
    config_file = sources.part_config(name)
    if name == "controlnet" and not config_file.is_file():
        module = empty_controlnet(unet) if unet is not None else None
    else:
        module = empty_part(name, part_config(name, config_file, problems), problems)
    if module is not None:
        fill_part(name, module, weights, problems)
    return module


def _of_kind(place: Path, kind: str) -> dict[str, Tensor]:
    weights = read_weights(place)
    require_kind(place, weights.keys(), kind)
    return weights
