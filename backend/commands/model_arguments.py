"""The arguments that name a model and the files beside it, for every command that takes one."""

from __future__ import annotations

import argparse
from pathlib import Path

from shared.errors import InputError
from shared.models.files import EMBEDDED, EmbeddingFile, LoraFile, ModelFiles, place_of


def add_model_arguments(parser: argparse.ArgumentParser, use: str) -> None:
    """Declare the arguments; `use` ends the sentence on the model. Relative paths count from where the command runs."""
    group = parser.add_argument_group("model")
    group.add_argument("--model", metavar="MODEL", help=f'model {use}: "{EMBEDDED}", a folder or a file')
    group.add_argument("--controlnet", metavar="PLACE", help="ControlNet for depth, a folder or a file")
    group.add_argument("--vae", metavar="PLACE", help="another autoencoder, a folder or a file")
    group.add_argument("--tiny-vae", metavar="DIR", help="small autoencoder for guidance, diffusers' AutoencoderTiny")
    group.add_argument("--model-config", metavar="DIR", help="folder with tokenizer/, and config.json of other sizes")
    group.add_argument("--lora", metavar="FILE[=SCALE]", action="append", help="LoRA to add (again for more)")
    group.add_argument("--embedding", metavar="FILE[=WORD]", action="append", help="textual inversion (again for more)")


def chosen_model(arguments: argparse.Namespace) -> str:
    """The model that was named, empty where none was."""
    return _place(arguments.model)


def chosen_files(arguments: argparse.Namespace, before: ModelFiles) -> ModelFiles:
    """`before` with what was named in its place. Raises InputError for a scale that is no number."""
    loras = tuple(_lora(text) for text in arguments.lora or ())
    embeddings = tuple(EmbeddingFile(*_split(text)) for text in arguments.embedding or ())
    return ModelFiles(
        _place(arguments.controlnet) or before.controlnet,
        _place(arguments.vae) or before.vae,
        _place(arguments.model_config) or before.config,
        loras or before.loras,
        embeddings or before.embeddings,
        _place(arguments.tiny_vae) or before.tiny_vae,
    )


def _lora(text: str) -> LoraFile:
    path, scale = _split(text)
    try:
        return LoraFile(path, float(scale) if scale else 1.0)
    except ValueError as error:
        raise InputError(
            "arguments.lora", f'The scale of "{text}" is no number.', "For example style.safetensors=0.8."
        ) from error


def _split(text: str) -> tuple[str, str]:
    """FILE[=VALUE] as both; an equals sign in the name of a file that is there belongs to the name."""
    name, equals, value = text.rpartition("=")
    if not equals or Path(text).exists():
        return _place(text), ""
    return _place(name), value


def _place(path: str | None) -> str:
    return place_of(path or "", Path.cwd())
