"""Read a model folder in diffusers' layout: local files only, safetensors first, every fault in one list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
from safetensors import SafetensorError
from transformers import CLIPTextModel, CLIPTokenizer
from transformers.utils import logging

from shared.errors import ModelError

_DIFFUSERS_STEM = "diffusion_pytorch_model"
_TOKENIZER_FILES = ("vocab.json", "merges.txt")
_TEXT_STEMS = ("model", "pytorch_model")
_READ_ERRORS = (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError)
# Older transformers stored this index table as a weight; it is computed now.
_COMPUTED_KEYS = ("position_ids",)


def load_modules(folder: Path, controlnet: Path) -> dict[str, Any]:
    """Tokenizer, text encoder, autoencoder, UNet and ControlNet from a folder, in float32 on the CPU.

    Raises ModelError naming every part that is missing, cannot be read or does not match its configuration.
    """
    places = {
        "tokenizer": folder / "tokenizer",
        "text_encoder": folder / "text_encoder",
        "vae": folder / "vae",
        "unet": folder / "unet",
        "controlnet": controlnet,
    }
    missing = [f"{name} ({place})" for name, place in places.items() if not place.is_dir()]
    if missing:
        raise ModelError(
            "model.missing",
            f"The model folder {folder} lacks {', '.join(missing)}.",
            "Give a folder in diffusers' layout, with a ControlNet for depth in controlnet/.",
        )
    problems: list[str] = []
    modules = {
        "tokenizer": _tokenizer(places["tokenizer"], problems),
        "text_encoder": _weights(CLIPTextModel, places["text_encoder"], problems),
        "vae": _weights(AutoencoderKL, places["vae"], problems),
        "unet": _weights(UNet2DConditionModel, places["unet"], problems),
        "controlnet": _weights(ControlNetModel, places["controlnet"], problems),
    }
    if problems:
        raise ModelError("model.unusable", f"The model folder {folder} cannot be used: {'; '.join(problems)}.")
    return modules


def load_scheduler_config(folder: Path) -> dict[str, Any]:
    """The values of `scheduler/scheduler_config.json`. Raises ModelError if it is missing or no JSON object."""
    path = folder / "scheduler" / "scheduler_config.json"
    config = _config(path)
    if config is None:
        raise ModelError("model.missing", f"{path} is missing or not a JSON object.", "Give a whole model folder.")
    return config


def _config(path: Path) -> dict[str, Any] | None:
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) else None


def _tokenizer(place: Path, problems: list[str]) -> Any:
    # Without its files the class makes an empty tokenizer instead of failing.
    if not (place / "tokenizer.json").is_file() and not all((place / name).is_file() for name in _TOKENIZER_FILES):
        problems.append(f"tokenizer: neither tokenizer.json nor {' and '.join(_TOKENIZER_FILES)}")
        return None
    try:
        return CLIPTokenizer.from_pretrained(str(place), local_files_only=True)
    except _READ_ERRORS as error:
        problems.append(f"tokenizer: {_first_line(error)}")
        return None


def _weights(kind: type[Any], place: Path, problems: list[str]) -> Any:
    """One module with its weights, or None and a line in `problems`."""
    name = place.name
    config = _config(place / "config.json")
    if config is None:
        problems.append(f"{name}: config.json is missing or not a JSON object")
        return None
    named = config.get("_class_name") or (config.get("architectures") or [kind.__name__])[0]
    if named not in (kind.__name__, "CLIPTextModelWithProjection" if kind is CLIPTextModel else ""):
        problems.append(f"{name}: holds a {named}, not a {kind.__name__}")
        return None
    options = _weight_file(place)
    if options is None:
        problems.append(f"{name}: no weights (.safetensors or .bin)")
        return None
    try:
        with _without_progress_bars():
            module, info = kind.from_pretrained(
                str(place), local_files_only=True, output_loading_info=True, ignore_mismatched_sizes=True, **options
            )
    except _READ_ERRORS as error:
        problems.append(f"{name}: {_first_line(error)}")
        return None
    faults = _loading_faults(info)
    if faults:
        problems.append(f"{name}: {faults}")
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


def _weight_file(place: Path) -> dict[str, Any] | None:
    """How to ask for the folder's weights: safetensors before pickled ones, full before half precision."""
    stems = (_DIFFUSERS_STEM, *_TEXT_STEMS)
    for variant in (None, "fp16"):
        for suffix, safe in ((".safetensors", True), (".bin", False)):
            part = f".{variant}" if variant else ""
            endings = (f"{part}{suffix}", f"{suffix}.index{part}.json")
            if any((place / f"{stem}{ending}").is_file() for stem in stems for ending in endings):
                return {"use_safetensors": safe, "variant": variant}
    return None


def _loading_faults(info: dict[str, Any]) -> str:
    """What the loader says did not match, at most a few names of each kind."""
    kinds = (
        ("missing", [str(key) for key in info["missing_keys"]]),
        ("unknown", [str(key) for key in info["unexpected_keys"] if not str(key).endswith(_COMPUTED_KEYS)]),
        ("of the wrong shape", [str(entry[0]) for entry in info["mismatched_keys"]]),
    )
    return ", ".join(f"{len(keys)} weights {what} ({_some(sorted(keys))})" for what, keys in kinds if keys)


def _some(names: list[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else 'unreadable'}"
