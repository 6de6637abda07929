"""Parts of a model from one file of weights, in the original Stable Diffusion 1.5 layout or in diffusers'."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from backend.models.sd15.files.classes import build_empty
from backend.models.sd15.files.folder import read_config, weight_faults
from backend.models.sd15.files.original_layout import NAMES, prefix_of
from backend.models.sd15.files.weight_file import first_line
from shared.models.sd15 import SD15
from shared.models.spec import Part

_BUILT_IN = Path(__file__).parent
_CONFIG_ERRORS = (ValueError, KeyError, TypeError, RuntimeError, AttributeError, IndexError)


def built_in_config(name: str) -> dict[str, Any]:
    """Stable Diffusion 1.5's own values of a part that a checkpoint holds, or of the noise schedule."""
    values = read_config(_BUILT_IN / f"sd15_{name}.json")
    assert values is not None, name
    return values


def part_config(part: Part, path: Path, problems: list[str]) -> dict[str, Any]:
    """A part's values from `path` where there is a file, else Stable Diffusion 1.5's own."""
    if not path.is_file():
        return built_in_config(part.name)
    values = read_config(path)
    if values is None:
        problems.append(f"{part.name}: {path} is not a JSON object")
        return built_in_config(part.name)
    return values


def empty_part(part: Part, config: Mapping[str, Any], problems: list[str]) -> Any:
    """A part of these sizes without any memory for its weights; None and a line in `problems` where none can be."""
    try:
        return build_empty(part, config)
    except _CONFIG_ERRORS as error:
        problems.append(f"{part.name}: its config.json cannot be used ({first_line(error)})")
        return None


def fill_part(part: Part, module: Any, weights: Mapping[str, Tensor], problems: list[str]) -> None:
    """Give an empty part its weights out of a file, in float32; what does not match goes to `problems` by name.

    A weight that the part lacks is called by its name in the file, one that the file lacks by diffusers' name.
    """
    assert part.weights is not None, part.name
    prefix = part.weights.prefix
    others = tuple(prefix_of(other) for other in SD15.parts if other != part and prefix_of(other))
    if not any(key.startswith(prefix) for key in weights) and any(key.startswith(others) for key in weights):
        problems.append(f"{part.name}: the file only has other parts of a model")
        return
    try:
        found = NAMES[part.name](weights.keys(), module.config if isinstance(module.config, Mapping) else {})
    except _CONFIG_ERRORS as error:
        problems.append(f"{part.name}: its weights do not match config.json ({first_line(error)})")
        return
    wanted = {key: value.shape for key, value in module.state_dict().items()}
    ready = {new: _as_wanted(weights[old], wanted[new]) for new, old in found.items() if new in wanted}
    used = {found[new] for new in ready}
    misshapen = [
        f"{found[new]} {list(weights[found[new]].shape)} for {list(wanted[new])}"
        for new, value in ready.items()
        if value.shape != wanted[new]
    ]
    unused = [old for old in _own_names(prefix, weights.keys()) if old not in used]
    unknown = [old for old in unused if not part.weights.is_decoration(old.removeprefix(prefix))]
    faults = weight_faults(wanted.keys() - ready.keys(), unknown, misshapen)
    if faults:
        problems.append(f"{part.name}: {faults}")
        return
    # Copies: the file may be mapped into memory, and replaced while the model is in use.
    full = {key: value.to(torch.float32, copy=True).contiguous() for key, value in ready.items()}
    module.load_state_dict(full, strict=True, assign=True)


def _own_names(prefix: str, names: Collection[str]) -> list[str]:
    """The names of a file that belong to a part: those under its prefix, or all where nothing has it."""
    return [name for name in names if name.startswith(prefix)] or list(names)


def _as_wanted(value: Tensor, shape: torch.Size) -> Tensor:
    """The value; one that was a 1x1 convolution where it is a matrix today loses those sides."""
    while value.ndim > len(shape) and value.shape[-1] == 1:
        value = value[..., 0]
    return value
