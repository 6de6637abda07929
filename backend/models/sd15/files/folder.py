"""Read the parts of a folder in diffusers' layout: local files only, safetensors first, every fault in one list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from diffusers import AutoencoderKL, AutoencoderTiny, ControlNetModel, UNet2DConditionModel
from safetensors import SafetensorError
from transformers import CLIPTextModel, CLIPTokenizer
from transformers.utils import logging

from backend.models.sd15.files.weight_file import first_line, json_object
from shared.files.weight_header import some_names
from shared.models.weight_decoration import is_decoration
from shared.models.weight_places import TOKENIZER_FILES, find_weights

_READ_ERRORS = (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError)
_KINDS: dict[str, type[Any]] = {
    "text_encoder": CLIPTextModel,
    "vae": AutoencoderKL,
    "unet": UNet2DConditionModel,
    "controlnet": ControlNetModel,
    "tiny_vae": AutoencoderTiny,
}


def read_config(path: Path) -> dict[str, Any] | None:
    """The values of a JSON file; None where it is missing or no JSON object."""
    try:
        return json_object(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def read_tokenizer(place: Path, problems: list[str]) -> Any:
    """The tokenizer of a folder, or None and a line in `problems`."""
    # Without its files the class makes an empty tokenizer instead of failing.
    if not (place / "tokenizer.json").is_file() and not all((place / name).is_file() for name in TOKENIZER_FILES):
        problems.append(f"tokenizer: neither tokenizer.json nor {' and '.join(TOKENIZER_FILES)}")
        return None
    try:
        return CLIPTokenizer.from_pretrained(str(place), local_files_only=True)
    except _READ_ERRORS as error:
        problems.append(f"tokenizer: {first_line(error)}")
        return None


def read_part(name: str, place: Path, problems: list[str]) -> Any:
    """`text_encoder`, `vae`, `unet`, `controlnet` or `tiny_vae` from its folder, in float32 on the CPU, or None and a
    line in `problems`."""
    kind = _KINDS[name]
    config = read_config(place / "config.json")
    if config is None:
        problems.append(f"{name}: config.json is missing or not a JSON object")
        return None
    named = config.get("_class_name") or (config.get("architectures") or [kind.__name__])[0]
    if named not in (kind.__name__, "CLIPTextModelWithProjection" if kind is CLIPTextModel else ""):
        problems.append(f"{name}: holds a {named}, not a {kind.__name__}")
        return None
    weights = find_weights(place)
    if weights is None:
        problems.append(f"{name}: no weights (.safetensors or .bin)")
        return None
    try:
        with _without_progress_bars():
            module, info = kind.from_pretrained(
                str(place),
                local_files_only=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,
                use_safetensors=weights.safe,
                variant=weights.variant,
            )
    except _READ_ERRORS as error:
        problems.append(f"{name}: {first_line(error)}")
        return None
    faults = _loading_faults(name, info)
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


def weight_faults(missing: Iterable[str], unknown: Iterable[str], misshapen: Iterable[str]) -> str:
    """What of the weights did not match, in words: how many of each sort, and the first few names. Empty if all did."""
    sorts = (("missing", missing), ("unknown", unknown), ("of the wrong shape", misshapen))
    lists = [(what, sorted(names)) for what, names in sorts]
    return ", ".join(f"{len(names)} weights {what} ({some_names(names)})" for what, names in lists if names)


def _loading_faults(part: str, info: dict[str, Any]) -> str:
    """What diffusers' or transformers' loader says did not match."""
    unknown = [str(key) for key in info["unexpected_keys"] if not is_decoration(part, str(key))]
    return weight_faults(map(str, info["missing_keys"]), unknown, [str(entry[0]) for entry in info["mismatched_keys"]])
