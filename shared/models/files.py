"""What a job takes beside its model: a ControlNet, an autoencoder, LoRAs and embeddings from files of the user's own.

All are paths on the machine that the backend runs on. Their contents are part of the job's id.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, fields, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from ..errors import InputError
from ..files.strict_json import as_text, is_text
from .table import PLACES

MAX_PATH_CHARACTERS = 1_000
MAX_TOKEN_CHARACTERS = 100
MAX_LORA_SCALE = 10.0
EMBEDDED = "embedded"  # the model that ships with the backend


@dataclass(frozen=True, slots=True)
class LoraFile:
    """A LoRA and how much of it is added; 0 adds nothing, negative values take away."""

    path: str
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class EmbeddingFile:
    """A textual inversion embedding and the word that stands for it in prompts; empty takes the file's own."""

    path: str
    token: str = ""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Files beside a model; an empty path takes the model's own part. The fields are the places that families declare.

    `controlnet` and `vae` are a folder in diffusers' layout or a file. `config` is a folder with `tokenizer/` and, for
    architectures of other sizes than Stable Diffusion 1.5's, the parts' `config.json`; empty looks in the model's
    folder, or in the folder that the model's file lies in. `tiny_vae` is the folder of a small autoencoder in
    diffusers' layout (`AutoencoderTiny`, as TAESD is) for guidance; empty looks for `tiny_vae/` where `config` does.
    """

    controlnet: str = ""
    vae: str = ""
    config: str = ""
    loras: tuple[LoraFile, ...] = ()
    embeddings: tuple[EmbeddingFile, ...] = ()
    tiny_vae: str = ""

    def paths(self, place: str) -> tuple[str, ...]:
        """The paths in one of the fields; empty if it is empty. Raises KeyError for an unknown field."""
        value = _values(self)[place]
        if isinstance(value, str):
            return (value,) if value else ()
        return tuple(entry.path for entry in value)


def place_of(path: str, base: Path, blend_folder: Path | None = None) -> str:
    """A model's path as a job names it: absolute. The one rule for every path that a user gives.

    Relative paths start at `base`: the folder that a command runs in, or a job file's own. If there is a .blend, a path
    that begins with `//` starts at its folder, as everywhere in Blender. `embedded`, empty and absolute paths (those of
    other systems too) do not change.
    """
    if path in ("", EMBEDDED):
        return path
    if path.startswith("//") and blend_folder is not None:
        return os.path.normpath(blend_folder / path.lstrip("/"))
    if PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute():
        return path
    return os.path.normpath(base.absolute() / os.path.expanduser(path))


def files_at(files: ModelFiles, base: Path, blend_folder: Path | None = None) -> ModelFiles:
    """The same files with every path as `place_of` has it."""

    def placed(value: Any) -> Any:
        if isinstance(value, str):
            return place_of(value, base, blend_folder)
        return tuple(replace(entry, path=place_of(entry.path, base, blend_folder)) for entry in value)

    return ModelFiles(**{name: placed(value) for name, value in _values(files).items()})


def validate_model_files(files: ModelFiles) -> None:
    """Refuse files with an invalid path, scale, word or number. Raises InputError on the first fault."""
    for place in PLACES:
        paths = files.paths(place.name)
        if len(paths) > place.most:
            raise InputError("job.model_files", f"The job has {len(paths)} {place.role}s; the limit is {place.most}.")
        if not all(paths):
            raise InputError(
                "job.model_files", f"One of the job's {place.role}s has no path.", "Give each one its path."
            )
    for path in (path for place in PLACES for path in files.paths(place.name)):
        if len(path) > MAX_PATH_CHARACTERS or "\0" in path:
            raise InputError("job.model_files", f'The path "{path[:60]}" is too long or not valid.', "Shorten it.")
        check_path_text(path)
    for lora in files.loras:
        if not (math.isfinite(lora.scale) and abs(lora.scale) <= MAX_LORA_SCALE):
            raise InputError(
                "job.lora_scale",
                f"The scale of the LoRA {lora.path} is {lora.scale}; it must be from -{MAX_LORA_SCALE:g} to "
                f"{MAX_LORA_SCALE:g}.",
                "Usual scales are 0.5 to 1.",
            )
    _check_tokens([embedding.token for embedding in files.embeddings if embedding.token])


def check_path_text(path: str) -> None:
    """Refuse a model's path whose name on disk is not UTF-8: a job is a text. Raises InputError."""
    if not is_text(path):
        raise InputError(
            "job.model_path",
            f"The model's path {as_text(path)} contains bytes that are not UTF-8.",
            "Rename the file or folder.",
        )


def _check_tokens(tokens: list[str]) -> None:
    for token in tokens:
        if len(token) > MAX_TOKEN_CHARACTERS or token != token.strip() or not token.isprintable():
            raise InputError("job.embedding_token", f"{token[:60]!r} cannot be a word in a prompt.", "Change it.")
    if len({token.lower() for token in tokens}) != len(tokens):
        raise InputError("job.embedding_token", "Two of the job's embeddings use the same word.", "Rename one.")


def _values(files: ModelFiles) -> dict[str, Any]:
    """The values by the names of the fields."""
    return {field.name: getattr(files, field.name) for field in fields(files)}
