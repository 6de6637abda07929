"""Reads a method's settings from a file's values, and checks them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InputError
from ..files.strict_json import StrictJSONError, convert
from .setting import MethodSettings, Value, check_ranges, declared, values_of
from .spec import HasSettings, MethodSpec


def read_settings(method: HasSettings, given: Any, place: str = "$.settings") -> MethodSettings:
    """The settings that a file gives for a method, or a group; those that it leaves out have their defaults.

    `given` is parsed JSON, in which one of the method's named sets may stand for its settings. Raises StrictJSONError
    naming the place of an unknown setting or a wrong value; InputError for an unknown set.
    """
    if not isinstance(given, dict):
        raise StrictJSONError(f"{place}: an object is needed")
    unknown = sorted(given.keys() - known_names(method))
    if unknown:
        name, has = unknown[0][:60], ", ".join(declared(method.settings)) or "none"
        raise StrictJSONError(f"{place}: {name!r} is not a setting of {method.name}; its settings are: {has}")
    own = given
    if method.sets is not None and method.sets.key in given:
        beside = {name: value for name, value in given.items() if name != method.sets.key}
        own = {**spelled(values_of(method.sets.chosen(given))), **beside}
    return convert(own, method.settings, place)


def spelled(values: Mapping[str, Value | None]) -> dict[str, Any]:
    """Values of settings as JSON has them."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def known_names(method: HasSettings) -> frozenset[str]:
    """The keys that the settings of a method may have in a file."""
    return frozenset(declared(method.settings)) | ({method.sets.key} if method.sets is not None else set())


def settings_of_earlier(kind: type[MethodSettings], given: Any, schema: int) -> Any:
    """Settings of a job file of an earlier schema, completed with what that schema meant by leaving them out.

    Anything that is not an object is returned unchanged, for the reader to judge.
    """
    if not isinstance(given, dict):
        return given
    since = {name: one.before for name, one in declared(kind).items() if one.added > schema}
    return {**spelled(since), **given}


def check_settings(method: MethodSpec, settings: MethodSettings, frames: int, segment_frames: int) -> None:
    """Refuse settings that a method cannot run a shot of so many frames with. Raises InputError on the first fault."""
    if type(settings) is not method.settings:
        raise InputError(
            "job.settings", f"The job's settings belong to another method than {method.name}.", "Use its own settings."
        )
    check_ranges(settings, method.name)
    if method.check is not None:
        method.check(settings, frames, segment_frames)
