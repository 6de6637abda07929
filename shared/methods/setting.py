"""What a method's settings declare of themselves: a field's label, help, range, unit and place in the panel."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from ..errors import InputError

Value = bool | float | int | str | tuple[float, float]

_KEY = "setting"


@dataclass(frozen=True, slots=True)
class MethodSettings:
    """The settings of a method that has none, and the base of all others: frozen dataclasses of `setting` fields."""


S = TypeVar("S", bound=MethodSettings)


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a setting that is chosen from a list."""

    value: str
    label: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of a method's settings, for people.

    `group` is its box in the panel; a setting without one is for job files, batch options and presets only. `low` and
    `high` bound a number, or each of a span's two; `unit` is their unit. `only_with` names another setting and the
    only value of it with which this one matters.

    `added` is the job schema that added the setting, and `before` what jobs of earlier schemas meant without it.
    `mends` is the code of an error that the default avoids, and the label of the button that goes back to it.
    """

    label: str
    help: str
    group: str = ""
    unit: str = ""
    low: float = 0.0
    high: float = 1.0
    choices: tuple[Choice, ...] = ()
    only_with: tuple[str, str] | None = None
    added: int = 0
    before: Value | None = None
    mends: tuple[str, str] | None = None

    def shown(self, value: Value) -> str:
        """A value of this setting as people read it."""
        if isinstance(value, tuple):
            return f"{value[0]:g} to {value[1]:g}" if span_acts(value) else "off"
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, str):
            return next((choice.label for choice in self.choices if choice.value == value), value)
        return f"{value:g}"


def setting(default: Any, label: str, help: str, **more: Any) -> Any:
    """A field of a settings class with its default and what `Setting` has."""
    return dataclasses.field(default=default, metadata={_KEY: Setting(label, help, **more)})


def declared(kind: type[MethodSettings]) -> Mapping[str, Setting]:
    """The settings of a class by name, in the order in which they are declared."""
    return MappingProxyType({field.name: field.metadata[_KEY] for field in dataclasses.fields(kind)})


def defaults(kind: type[MethodSettings]) -> Mapping[str, Value]:
    """The defaults of a class by name."""
    return values_of(kind())


def values_of(settings: MethodSettings) -> Mapping[str, Value]:
    """The values of some settings by name, in the order in which they are declared."""
    return MappingProxyType({field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)})


def settings_as(settings: MethodSettings, kind: type[S]) -> S:
    """A job's settings as those of the method whose class is given. Raises InputError for another method's."""
    if not isinstance(settings, kind):
        raise InputError("job.settings", f"These are {type(settings).__name__}; {kind.__name__} are needed.")
    return settings


def span_acts(span: tuple[float, float]) -> bool:
    """Whether a part of the denoising, from and to, is not empty."""
    return span[0] < span[1]


def check_ranges(settings: MethodSettings, method: str) -> None:
    """Refuse a number outside its range, and a span that is not a rising part of it.

    Raises InputError on the first field at fault.
    """
    for name, one in declared(type(settings)).items():
        value = getattr(settings, name)
        if isinstance(value, tuple):
            _check_span(name, one, value, method)
        elif isinstance(value, float | int) and not isinstance(value, bool):
            _check_number(name, one, value, method)


def _check_number(name: str, one: Setting, value: float, method: str) -> None:
    if not (math.isfinite(value) and one.low <= value <= one.high):
        raise InputError(
            "job.number",
            f"settings.{name} of {method} is {value}; it must be from {one.low:g} to {one.high:g}.",
            f"Change settings.{name}.",
        )


def _check_span(name: str, one: Setting, span: tuple[float, float], method: str) -> None:
    if not (math.isfinite(sum(span)) and one.low <= span[0] <= span[1] <= one.high):
        raise InputError(
            "job.settings",
            f"settings.{name} of {method} is {span[0]:g} to {span[1]:g}; it must go from a smaller to a larger number "
            f"within {one.low:g} to {one.high:g}.",
            "Use, for example, 0 to 0.4.",
        )
