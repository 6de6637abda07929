"""A user's model, looked at file by file: there, missing, written in part, of the wrong kind. No weights are loaded.

    for found in check_model_files("/models/my_model", ModelFiles()):
        print(found.name, found.text)

Only sizes, small JSON files and the tables at the beginning of weights are read. What a table cannot tell (a pickle's
contents, shapes that do not match) the loader says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from ..errors import ModelError
from ..files.frame_files import is_there
from ..files.weight_header import WeightHeader, read_weight_header, size_text, some_names
from .files import TINY_VAE, ModelFiles, config_folder, controlnet_place, tiny_vae_place
from .weight_decoration import unused_entries
from .weight_kind import (
    AUTOENCODER,
    CHECKPOINT,
    CONTROLNET,
    EMBEDDING,
    LORA,
    TEXT_ENCODER,
    TINY_AUTOENCODER,
    UNET,
    checkpoint_channels,
    misfit_of_channels,
    weight_kinds,
    wrong_kind,
)
from .weight_places import TOKENIZER_FILES, WEIGHT_SUFFIXES, find_weights, is_weight_file

_PARTS = ("text_encoder", "vae", "unet")
_KINDS = {
    "text_encoder": TEXT_ENCODER,
    "vae": AUTOENCODER,
    "unet": UNET,
    "controlnet": CONTROLNET,
    TINY_VAE: TINY_AUTOENCODER,
}
_CLASSES = {
    "text_encoder": ("CLIPTextModel", "CLIPTextModelWithProjection"),
    "vae": ("AutoencoderKL",),
    "unet": ("UNet2DConditionModel",),
    "controlnet": ("ControlNetModel",),
    TINY_VAE: ("AutoencoderTiny",),
}
_UNFINISHED = (".part", ".crdownload", ".incomplete", ".download")
_LATENT_CHANNELS = 4
_PARSED_BYTES = 1 << 16  # a config has some kB, an index of weights some ten
_END_BYTES = 64


class FileState(Enum):
    """What a file is found to be; the values are what a user reads."""

    WHOLE = "whole"
    UNSEEN = "not looked into"  # a pickle: it is there, and only the loader opens it
    MISSING = "missing"
    PARTIAL = "written in part"
    WRONG = "wrong kind"
    UNREADABLE = "cannot be read"


@dataclass(frozen=True, slots=True)
class FileCheck:
    """One file or folder of a model: its name within the model, what it is found to be, and that in words."""

    name: str
    state: FileState
    text: str

    @property
    def usable(self) -> bool:
        """Whether nothing speaks against it."""
        return self.state in (FileState.WHOLE, FileState.UNSEEN)


def check_model_files(model: str, files: ModelFiles | None = None) -> Iterator[FileCheck]:
    """Look at a folder in diffusers' layout or a checkpoint, and at the files beside it, one after the other."""
    try:
        yield from _all(Path(model), files or ModelFiles())
    except OSError as error:
        yield FileCheck(Path(model).name, FileState.UNREADABLE, f"It cannot be read: {error.strerror or error}.")


def _all(place: Path, files: ModelFiles) -> Iterator[FileCheck]:
    if not is_there(place):
        yield FileCheck(place.name, FileState.MISSING, f"There is no {place} on this machine.")
        return
    if place.is_dir():
        yield from _folder(place, files)
    else:
        config = config_folder(place, files)
        channels = _json(config / "vae" / "config.json").get("latent_channels", _LATENT_CHANNELS)
        yield _weights(place.name, place, CHECKPOINT, channels)
        yield _tokenizer(config / "tokenizer")
    if files.vae:
        yield from _separate("vae", Path(files.vae))
    yield from _separate("controlnet", controlnet_place(place, files))
    yield from _tiny_vae(tiny_vae_place(place, files), named=bool(files.tiny_vae))
    for lora in files.loras:
        yield _weights(f"LoRA {Path(lora.path).name}", Path(lora.path), LORA)
    for embedding in files.embeddings:
        path = Path(embedding.path)
        yield _weights(f"embedding {path.name}", path, EMBEDDING, must_show=False)


def _folder(place: Path, files: ModelFiles) -> Iterator[FileCheck]:
    parts = [part for part in _PARTS if part != "vae" or not files.vae]
    if not any((place / part).is_dir() for part in parts):
        yield FileCheck(place.name, FileState.WRONG, _not_a_model(place))
        return
    yield _tokenizer(place / "tokenizer")
    misfit = _misfit(*(_json(place / part / "config.json") for part in ("unet", "vae", "text_encoder")))
    for part in parts:
        yield from _part(part, place / part, misfit if part == "unet" else "")
    yield _json_file("scheduler/scheduler_config.json", place / "scheduler" / "scheduler_config.json")


def _separate(part: str, place: Path) -> Iterator[FileCheck]:
    """A part that lies by itself, in a folder or in a file."""
    if place.is_dir():
        yield from _part(part, place)
    elif place.suffix:
        yield _weights(f"{part} {place.name}", place, _KINDS[part])
    else:
        advice = " Name a ControlNet for depth, a folder or a file." if part == "controlnet" else ""
        yield FileCheck(part, FileState.MISSING, f"There is no {place}.{advice}")


def _tiny_vae(place: Path, *, named: bool) -> Iterator[FileCheck]:
    """A tiny autoencoder's folder; a model may do without one."""
    if place.is_dir():
        yield from _part(TINY_VAE, place)
    elif named:
        text = f"There is no folder {place}. Name one in diffusers' layout that holds an AutoencoderTiny."
        yield FileCheck(TINY_VAE, FileState.MISSING, text)


def _part(part: str, folder: Path, misfit: str = "") -> Iterator[FileCheck]:
    """The sizes and the weights of a part's folder; `misfit` says why its sizes do not belong to the others'."""
    config = _json_file(f"{part}/config.json", folder / "config.json")
    values = _json(folder / "config.json")
    listed = values.get("architectures")
    named = values.get("_class_name") or (listed[0] if isinstance(listed, list) and listed else _CLASSES[part][0])
    fault = misfit if named in _CLASSES[part] else f"It describes {named}, not {_CLASSES[part][0]}."
    yield FileCheck(config.name, FileState.WRONG, fault) if config.usable and fault else config
    found = find_weights(folder)
    if found is None:
        yield _absent(f"{part}/ weights", folder)
    elif found.file.suffix == ".json":
        yield from _shards(part, found.file)
    else:
        yield _weights(f"{part}/{found.file.name}", found.file, _KINDS[part], must_show=False)


def _shards(part: str, index: Path) -> Iterator[FileCheck]:
    """Weights in several files, and the index that names them."""
    row = _json_file(f"{part}/{index.name}", index)
    named = _json(index).get("weight_map")
    yield row
    if isinstance(named, dict):
        for name in sorted({Path(str(value)).name for value in named.values()}):
            yield _weights(f"{part}/{name}", index.parent / name, _KINDS[part], must_show=False)


def _weights(name: str, path: Path, kind: str, channels: Any = None, *, must_show: bool = True) -> FileCheck:
    """A file of weights that should be of a kind, and take so many channels. Without `must_show` one whose names tell
    no kind is taken: a part in diffusers' layout is what its config.json says."""

    def look() -> FileCheck:
        if not is_weight_file(path):
            return FileCheck(name, FileState.WRONG, f"It is not a file of weights ({', '.join(WEIGHT_SUFFIXES)}).")
        header = read_weight_header(path)
        size = size_text(header.size_bytes)
        if header.shapes is None:
            text = f"{size}, a pickle: the backend looks into it when it is loaded"
            return FileCheck(name, FileState.UNSEEN, text)
        fault = _wrong_kind(header.shapes, kind, must_show) or _wrong_channels(header.shapes, channels)
        return FileCheck(name, FileState.WRONG if fault else FileState.WHOLE, fault or size + _unused(header, kind))

    return _looked(name, path, look)


def _unused(header: WeightHeader, kind: str) -> str:
    """Which entries of a checkpoint are not used, where they are more than decoration."""
    unused = unused_entries(header.shapes or ()) if kind == CHECKPOINT else []
    return f"; not used: {some_names(unused)}" if unused else ""


def _wrong_kind(names: Collection[str], kind: str, must_show: bool) -> str:
    found = weight_kinds(names)
    if found.fits(kind) or found.name == kind or not (found.name or must_show):
        return ""
    return f"It is {wrong_kind(found.name or 'of an unknown kind', kind)}."


def _wrong_channels(shapes: Mapping[str, tuple[int, ...]], wanted: Any) -> str:
    channels = checkpoint_channels(shapes)
    return "" if channels is None or wanted is None else _misfit({"in_channels": channels}, {"latent_channels": wanted})


def _misfit(unet: Mapping[str, Any], vae: Mapping[str, Any], text: Mapping[str, Any] | None = None) -> str:
    """Why a UNet of these sizes does not belong to the parts beside it; empty where nothing is known against it."""
    channels, latents = unet.get("in_channels"), vae.get("latent_channels", _LATENT_CHANNELS)
    if isinstance(channels, int) and isinstance(latents, int) and channels != latents:
        return f"It {misfit_of_channels(channels, latents)}."
    prompts, width = unet.get("cross_attention_dim"), (text or {}).get("hidden_size")
    if isinstance(prompts, int) and isinstance(width, int) and prompts != width:
        return f"It takes prompts of width {prompts}, the text encoder gives {width}: they do not belong together."
    return ""


def _tokenizer(folder: Path) -> FileCheck:
    """CLIP's vocabulary, in one file or in two."""
    whole = folder / "tokenizer.json"
    if is_there(whole):
        return _json_file("tokenizer/tokenizer.json", whole)
    vocabulary, merges = (folder / name for name in TOKENIZER_FILES)
    if is_there(vocabulary) and is_there(merges):
        return _json_file(f"tokenizer/{vocabulary.name}", vocabulary)
    text = f"There is neither tokenizer.json nor {' and '.join(TOKENIZER_FILES)} in {folder}."
    return FileCheck("tokenizer", FileState.MISSING, text)


def _json_file(name: str, path: Path) -> FileCheck:
    def look() -> FileCheck:
        size = path.stat().st_size
        whole = _has_ends(path, size) if size > _PARSED_BYTES else _is_json(path)
        if not whole:
            return FileCheck(name, FileState.PARTIAL, "It is no whole JSON file. Copy or download it again.")
        if size <= _PARSED_BYTES and not _json(path):
            return FileCheck(name, FileState.WRONG, "It holds no values.")
        return FileCheck(name, FileState.WHOLE, size_text(size))

    return _looked(name, path, look)


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return True


def _has_ends(path: Path, size: int) -> bool:
    """Whether a file begins and ends as a JSON object does. A vocabulary is not read as a whole: that would hold up
    all other threads of the program for as long as it takes."""
    with path.open("rb") as file:
        begin = file.read(_END_BYTES).strip()
        file.seek(max(0, size - _END_BYTES))
        return begin.startswith(b"{") and file.read().strip().endswith(b"}")


def _looked(name: str, path: Path, look: Callable[[], FileCheck]) -> FileCheck:
    """What a look finds; a file that is not there or cannot be read in its own words."""
    try:
        return look()
    except ModelError as error:
        state = FileState.PARTIAL if error.code == "model.partial" else FileState.WRONG
        return FileCheck(name, state, str(error))
    except FileNotFoundError:
        return _absent(name, path.parent, path.name)
    except OSError as error:
        return FileCheck(name, FileState.UNREADABLE, f"It cannot be read: {error.strerror or error}.")


def _absent(name: str, folder: Path, wanted: str = "") -> FileCheck:
    """A file that is not there; the part of it that is being downloaded is told."""
    try:
        coming = sorted(item.name for item in folder.iterdir() if item.name.endswith(_UNFINISHED))
    except OSError:
        coming = []
    begun = next((one for one in coming if not wanted or one.startswith(wanted)), "")
    if begun:
        return FileCheck(name, FileState.PARTIAL, f"Its download has not ended: {begun}.")
    what = wanted or "file of weights (.safetensors or .bin)"
    return FileCheck(name, FileState.MISSING, f"There is no {what} in {folder}.")


def _not_a_model(place: Path) -> str:
    files = sorted(item.name for item in place.iterdir() if is_weight_file(item))
    if not files:
        return "It holds none of tokenizer/, text_encoder/, vae/ and unet/: it is not a model in diffusers' layout."
    return f"It is not a model itself. Add a file in it: {some_names(files)}."


def _json(path: Path) -> dict[str, Any]:
    """The values of a JSON object; none where it is not one."""
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
