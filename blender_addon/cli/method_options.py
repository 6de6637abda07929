"""The batch command's options for the settings that methods and the finish declare: `--METHOD-SETTING`,
`--finish-SETTING`, a group each."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from ..shared.errors import InputError
from ..shared.methods import METHODS
from ..shared.methods.setting import S, Setting, Value, declared, defaults
from ..shared.methods.spec import HasSettings


def add_settings(parser: argparse.ArgumentParser, owner: HasSettings, title: str) -> None:
    """Add an option for each setting of a method, or of the finish, under a title."""
    group = parser.add_argument_group(title)
    for name, usual in defaults(owner.settings).items():
        one = declared(owner.settings)[name]
        group.add_argument(
            _option(owner, name), dest=_place(owner, name), help=_help(one, usual), **_reading(one, usual)
        )


def check_asked(options: argparse.Namespace, methods: Sequence[str]) -> None:
    """Refuse a setting of a method that is not among those asked for. Raises InputError."""
    for method in METHODS.values():
        given = () if method.name in methods else tuple(_given(options, method))
        if given:
            raise InputError(
                "arguments.method",
                f"{_option(method, given[0])} is a setting of {method.name}, but the methods are {', '.join(methods)}.",
                "Add it to --method, or leave the option out.",
            )


def with_given(options: argparse.Namespace, owner: HasSettings, settings: S) -> S:
    """The settings with those of the command line in place of their own; ranges are checked with the job."""
    changes: Mapping[str, Any] = _given(options, owner)
    return dataclasses.replace(settings, **changes)


def _given(options: argparse.Namespace, owner: HasSettings) -> dict[str, Value]:
    values = {name: vars(options)[_place(owner, name)] for name in declared(owner.settings)}
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items() if value is not None
    }


def _option(owner: HasSettings, name: str) -> str:
    return f"--{owner.name}-{name}".replace("_", "-")


def _place(owner: HasSettings, name: str) -> str:
    return f"{owner.name}.{name}"


def _help(one: Setting, usual: Value) -> str:
    unit = f", {one.unit}" if one.unit else ""
    return f"{one.help}{unit} (default: {_typed(usual)})".replace("%", "%%")  # argparse fills in


def _typed(value: Value) -> str:
    """A value as it is typed, not as its label has it."""
    if isinstance(value, tuple):
        return f"{value[0]:g} {value[1]:g}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:g}"


def _reading(one: Setting, usual: Value) -> dict[str, Any]:
    """How argparse reads a value: by the type of the default."""
    if one.choices:
        return {"choices": [choice.value for choice in one.choices]}
    if isinstance(usual, bool):
        return {"action": argparse.BooleanOptionalAction, "default": None}
    if isinstance(usual, tuple):
        return {"type": float, "nargs": 2, "metavar": ("FROM", "TO")}
    return {"type": type(usual), "metavar": "N" if isinstance(usual, int) else "X"}
