"""The arguments that name a model and the files beside it, for every command that takes one."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from shared.errors import InputError
from shared.models.files import EMBEDDED, EmbeddingFile, LoraFile, ModelFiles, place_of
from shared.models.table import PLACES, SINGLE_PLACES


def add_model_arguments(parser: argparse.ArgumentParser, use: str) -> None:
    """Declare the arguments; `use` ends the sentence on the model. Relative paths count from where the command runs."""
    group = parser.add_argument_group("model")
    group.add_argument("--model", metavar="MODEL", help=f'model {use}: "{EMBEDDED}", a folder or a file')
    for place in PLACES:
        action = "append" if place.most > 1 else "store"
        group.add_argument(
            place.argument, dest=place.name, metavar=place.metavar, help=place.help, action=action, default=None
        )


def chosen_model(arguments: argparse.Namespace) -> str:
    """The model that was named, empty where none was."""
    return _place(arguments.model)


def chosen_files(arguments: argparse.Namespace, before: ModelFiles) -> ModelFiles:
    """`before` with what was named in its place. Raises InputError for a scale that is no number."""
    given = vars(arguments)
    named = {place.name: _place(given[place.name]) for place in SINGLE_PLACES if given[place.name]}
    loras = tuple(_lora(text) for text in arguments.loras or ())
    embeddings = tuple(EmbeddingFile(*_split(text)) for text in arguments.embeddings or ())
    return replace(before, **named, loras=loras or before.loras, embeddings=embeddings or before.embeddings)


def _lora(text: str) -> LoraFile:
    path, scale = _split(text)
    try:
        return LoraFile(path, float(scale) if scale else 1.0)
    except ValueError as error:
        raise InputError(
            "arguments.lora", f'The scale of "{text}" is not a number.', "For example style.safetensors=0.8."
        ) from error


def _split(text: str) -> tuple[str, str]:
    """FILE[=VALUE] as both; an equals sign in the name of a file that is there belongs to the name."""
    name, equals, value = text.rpartition("=")
    if not equals or Path(text).exists():
        return _place(text), ""
    return _place(name), value


def _place(path: str | None) -> str:
    return place_of(path or "", Path.cwd())
