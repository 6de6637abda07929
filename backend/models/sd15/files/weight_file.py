"""Read one file of weights without running anything in it: safetensors, or a pickle through torch's allow-list."""

from __future__ import annotations

import json
import pickle
import re
import warnings
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from shared.errors import ModelError
from shared.files.weight_header import (
    WEIGHT_SUFFIXES,
    is_safetensors,
    is_weight_file,
    read_weight_header,
    some_names,
)
from shared.models.recognition import weight_kinds, wrong_kind
from shared.models.spec import Kind

# torch's refusal goes over many lines; the object that it met is what a user can use.
_REFUSED_OBJECT = re.compile(r"GLOBAL ([\w.]+)")


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors, .ckpt, .pth, .pt or .bin file by name; a training's `state_dict` is unwrapped.

    Raises ModelError for a file that cannot be read, holds anything but plain data, or holds no tensors.
    """
    values = _read_safetensors(path) if is_safetensors(path) else read_pickle(path)
    inner = values.get("state_dict")
    found = inner if isinstance(inner, Mapping) else values
    tensors = {str(key): value.detach() for key, value in found.items() if isinstance(value, Tensor)}
    if not tensors:
        raise ModelError("model.no_weights", f"{path} contains no weights.", "Copy or download it again.")
    return tensors


def read_pickle(path: Path) -> dict[str, Any]:
    """The mapping in a pickled file, by `torch.load(weights_only=True)` alone. Raises ModelError."""
    if not is_weight_file(path):
        raise ModelError(
            "model.suffix", f"{path} is not a weight file.", f"Weight files end in {', '.join(WEIGHT_SUFFIXES)}."
        )
    _require_whole(path)
    try:
        with warnings.catch_warnings():
            # torch warns of pickles newer than its own and refuses what it cannot read in them.
            warnings.simplefilter("ignore", UserWarning)
            values = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        raise _refused(path, error) from error
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, EOFError, AttributeError, IndexError) as error:
        raise ModelError(
            "model.unreadable", f"{path} cannot be read: {first_line(error)}.", "Copy or download it again."
        ) from error
    if not isinstance(values, dict):
        raise ModelError("model.no_weights", f"{path} contains a {type(values).__name__}, not named weights.")
    return values


def infinite_weights(weights: Mapping[str, Tensor]) -> list[str]:
    """The names of the weights that hold NaN or infinity."""
    filled = {name: value for name, value in weights.items() if value.numel() and value.is_floating_point()}
    return [name for name, value in filled.items() if not all(map(torch.isfinite, torch.aminmax(value)))]


def require_finite(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Refuse a file with weights that are no numbers, before they make every picture black. Raises ModelError."""
    found = infinite_weights(weights)
    if found:
        what = f"{path} holds weights that are not finite ({some_names(found)})"
        raise ModelError("model.not_finite", f"{what}.", "Download it again, or use another.")


def require_kind(path: Path, names: Collection[str], kind: Kind) -> None:
    """Refuse a file whose weights are of another kind. Raises ModelError saying what it looks like."""
    found = weight_kinds(names)
    if found.fits(kind):
        return
    unknown = f"holds {len(names)} weights of an unknown kind ({some_names(sorted(names))})"
    looks = f"is {wrong_kind(found.name, kind)}" if found.name else f"{unknown}, not {kind.name}"
    raise ModelError("model.kind", f"{path} {looks}.", "Choose another file.")


def read_metadata(path: Path) -> dict[str, str]:
    """The texts in a .safetensors file's header; none for other files. Raises ModelError."""
    if not is_safetensors(path):
        return {}
    try:
        with safe_open(path, "pt") as file:
            return dict(file.metadata() or {})
    except (OSError, SafetensorError) as error:
        raise _not_safetensors(path, error) from error


def json_object(text: str) -> dict[str, Any] | None:
    """The values of a JSON object; None where the text is not one."""
    try:
        values = json.loads(text)
    except ValueError:
        return None
    return values if isinstance(values, dict) else None


def first_line(error: BaseException) -> str:
    """An error of a library's as one line: its kind and what it says first."""
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0] if text else 'unreadable'}"


def _require_whole(path: Path) -> None:
    """Refuse a file that its beginning tells to be none of weights, with the true cause. Raises ModelError."""
    try:
        read_weight_header(path)
    except ModelError as error:
        raise ModelError("model.unreadable", f"{path} cannot be read. {error.message}", error.hint) from error
    except OSError:
        return  # the reader says it


def _read_safetensors(path: Path) -> dict[str, Any]:
    _require_whole(path)
    try:
        return dict(load_file(path))
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise _not_safetensors(path, error) from error


def _not_safetensors(path: Path, error: Exception) -> ModelError:
    return ModelError(
        "model.unreadable",
        f"{path} is not a complete .safetensors file: {first_line(error)}.",
        "Copy or download it again, and check that it really is a .safetensors file.",
    )


def _refused(path: Path, error: Exception) -> ModelError:
    named = _REFUSED_OBJECT.search(str(error))
    what = f"asks for {named[1]}" if named else "is damaged or not a pickle of weights"
    return ModelError(
        "model.unsafe",
        f"{path} was not opened: it {what}, but only plain weights are loaded from pickles.",
        "Use the model's .safetensors file.",
    )
