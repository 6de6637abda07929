"""The batch command's options for the settings that methods declare: `--METHOD-SETTING`, a group a method."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from ..shared.errors import InputError
from ..shared.methods import METHODS, MethodSettings, MethodSpec
from ..shared.methods.setting import Setting, Value, declared, defaults


def add_settings(parser: argparse.ArgumentParser, method: MethodSpec) -> None:
    """Add an option for each setting of the method."""
    group = parser.add_argument_group(f"settings of {method.name}, where it is among the methods")
    for name, usual in defaults(method.settings).items():
        one = declared(method.settings)[name]
        group.add_argument(
            _option(method, name), dest=_place(method, name), help=_help(one, usual), **_reading(one, usual)
        )


def check_asked(options: argparse.Namespace, methods: Sequence[str]) -> None:
    """Refuse a setting of a method that is not among those asked for. Raises InputError."""
    for method in METHODS.values():
        given = () if method.name in methods else tuple(_given(options, method))
        if given:
            raise InputError(
                "arguments.method",
                f"{_option(method, given[0])} is a setting of {method.name}, and the methods are {', '.join(methods)}.",
                "Add it to --method, or leave the option out.",
            )


def with_given(options: argparse.Namespace, method: MethodSpec, settings: MethodSettings) -> MethodSettings:
    """The settings with those of the command line in place of their own; ranges are checked with the job."""
    changes: Mapping[str, Any] = _given(options, method)
    return dataclasses.replace(settings, **changes)


def _given(options: argparse.Namespace, method: MethodSpec) -> dict[str, Value]:
    values = {name: vars(options)[_place(method, name)] for name in declared(method.settings)}
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items() if value is not None
    }


def _option(method: MethodSpec, name: str) -> str:
    return f"--{method.name}-{name}".replace("_", "-")


def _place(method: MethodSpec, name: str) -> str:
    return f"{method.name}.{name}"


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
