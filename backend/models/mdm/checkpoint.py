"""The published checkpoints: `model000200000.pt` beside `args.json`, opened as plain tensors and fitted key by key."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from backend.models.mdm.arguments import ARGUMENTS_FILE, MDMArguments, read_arguments
from backend.models.mdm.network import MDM
from shared.errors import ModelError
from shared.files.weight_header import some_names

# In files of some trainings; the text encoder has files of its own, and positions are computed.
_LEFT_OUT: Final = ("clip_model.", "sequence_pos_encoder.pe", "embed_timestep.sequence_pos_encoder.pe")
# Where a hand, a foot or the head should get to: only DiP of CLoSD was trained with it, and works without.
_TARGETS: Final = "embed_target_cond."
_TRAINED_STEPS: Final = re.compile(r"model(\d+)\.pt")
_AGAIN: Final = "Download the checkpoint again, with the args.json that belongs to it."


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A network with its weights, on the CPU, ready to make motions."""

    network: MDM
    arguments: MDMArguments
    file: Path
    notes: tuple[str, ...]


def checkpoint_file(place: Path) -> Path:
    """The checkpoint that a user means by a file or a folder: in a folder, the one that was trained longest.

    Raises ModelError where there is none.
    """
    if place.is_file():
        return place
    found = [(int(told[1]), path) for path in place.glob("model*.pt") if (told := _TRAINED_STEPS.fullmatch(path.name))]
    if not found:
        raise ModelError(
            "model.missing",
            f"{place} has no checkpoint of MDM (model000000000.pt).",
            f"It lies beside {ARGUMENTS_FILE}.",
        )
    return max(found)[1]


def load_checkpoint(place: Path) -> Checkpoint:
    """The network of a checkpoint. No code in the file is run. Raises ModelError, with the names at fault."""
    file = checkpoint_file(place)
    arguments = read_arguments(file.parent / ARGUMENTS_FILE)
    weights, notes = _chosen_weights(_opened(file), arguments, file)
    kept = {name: tensor for name, tensor in weights.items() if not name.startswith((*_LEFT_OUT, _TARGETS))}
    if any(name.startswith(_TARGETS) for name in weights):
        notes = (*notes, "The model can be given goals for hands and feet; here it follows the text alone.")
    with torch.device("meta"):
        network = MDM(arguments.shape)
    _require_fit(kept, {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}, file)
    network = MDM(arguments.shape)  # with the positions, which no file has
    network.load_state_dict({name: tensor.float() for name, tensor in kept.items()})
    return Checkpoint(network.eval().requires_grad_(False), arguments, file, notes)


def _opened(file: Path) -> Mapping[str, Any]:
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError("model.unreadable", f"{file} cannot be read: {error.strerror or error}.") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, AttributeError) as error:
        raise ModelError("model.unreadable", f"{file} is not a PyTorch file of plain tensors.", _AGAIN) from error
    if not isinstance(content, dict):
        raise ModelError("model.unreadable", f"{file} does not hold weights.", _AGAIN)
    return content


def _chosen_weights(
    content: Mapping[str, Any], arguments: MDMArguments, file: Path
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The weights themselves or, of a file with both, the averaged ones where the training says so."""
    notes: tuple[str, ...] = ()
    if "model" in content or "model_avg" in content:
        name = "model_avg" if arguments.averaged and "model_avg" in content else "model"
        if arguments.averaged and name == "model":
            notes = (f"{file.name} was trained with averaging, but has no averaged weights.",)
        content = content[name] if isinstance(content.get(name), Mapping) else {}
    weights = {str(name): value for name, value in content.items()}
    if not weights or not all(isinstance(value, Tensor) for value in weights.values()):
        raise ModelError("model.unreadable", f"{file} does not hold MDM's weights.", _AGAIN)
    return weights, notes


def _require_fit(weights: Mapping[str, Tensor], wanted: Mapping[str, tuple[int, ...]], file: Path) -> None:
    """Raises ModelError for weights that are missing, have no place, or have other sizes."""
    missing = [name for name in wanted if name not in weights]
    surplus = [name for name in weights if name not in wanted]
    if missing or surplus:
        parts = [f"has no {some_names(missing)}"] if missing else []
        parts += [f"has {some_names(surplus)}, which the network does not know"] if surplus else []
        raise ModelError("model.weights", f"{file} {' and '.join(parts)}.", _AGAIN)
    for name, shape in wanted.items():
        if tuple(weights[name].shape) != shape:
            found = tuple(weights[name].shape)
            raise ModelError(
                "model.weights", f"{file}: {name} has shape {found}, but args.json makes it {shape}.", _AGAIN
            )
