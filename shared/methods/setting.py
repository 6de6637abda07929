"""What a method's settings declare of themselves: a field's label, help, range and place in the panel."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ..errors import InputError

_KEY = "setting"


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a setting that is chosen from a list."""

    value: str
    label: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of a method's settings, for people.

    `group` is the box of the panel in which it stands; a setting without one is left to job files and presets.
    `low` and `high` bound a number, or each of a span's two. `only_with` names another setting and the value of it with
    which alone this one matters.
    """

    label: str
    help: str = ""
    group: str = ""
    low: float = 0.0
    high: float = 1.0
    choices: tuple[Choice, ...] = ()
    only_with: tuple[str, str] | None = None


def setting(default: Any, label: str, help: str = "", **more: Any) -> Any:
    """A field of a settings class with its default and what `Setting` has."""
    return dataclasses.field(default=default, metadata={_KEY: Setting(label, help, **more)})


def declared(kind: type) -> Mapping[str, Setting]:
    """The settings of a class by name, in the order in which they are declared."""
    return MappingProxyType({field.name: field.metadata[_KEY] for field in dataclasses.fields(kind)})


def check_ranges(values: Any, within: str) -> None:
    """Refuse a number that leaves its range, and a span that is no rising part of it.

    `within` is what a job file calls the settings. Raises InputError on the first field at fault.
    """
    for name, one in declared(type(values)).items():
        value = getattr(values, name)
        if isinstance(value, tuple):
            _check_span(f"{within}.{name}", one, value, f"job.{within}")
        elif isinstance(value, float) and not (math.isfinite(value) and one.low <= value <= one.high):
            raise InputError(
                "job.number",
                f"{within}.{name} is {value}; it must be from {one.low:g} to {one.high:g}.",
                f"Change {within}.{name}.",
            )


def _check_span(name: str, one: Setting, span: tuple[float, float], code: str) -> None:
    if not (math.isfinite(sum(span)) and one.low <= span[0] <= span[1] <= one.high):
        raise InputError(
            code,
            f"{name} is {span[0]:g} to {span[1]:g}; it is a part of the steps, {one.low:g} to {one.high:g}, rising.",
            "For example 0 to 0.4.",
        )
