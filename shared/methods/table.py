"""The table of methods, in the order in which people are offered them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..errors import InputError
from .finish import FINISH_GROUP
from .latentman import LATENTMAN
from .plain import MASACTRL, PER_FRAME, SHARED_NOISE, TEXT2VIDEO_ZERO
from .spec import HasSettings, MethodSpec, Preset
from .surfacelock import SURFACELOCK

DEFAULT_METHOD = SURFACELOCK.name

_TABLE = {
    method.name: method for method in (SURFACELOCK, LATENTMAN, TEXT2VIDEO_ZERO, MASACTRL, SHARED_NOISE, PER_FRAME)
}

METHODS: Mapping[str, MethodSpec] = MappingProxyType(_TABLE)


def method_named(name: str) -> MethodSpec:
    """The method of a job. Raises InputError for a name that is not in the table."""
    if name not in METHODS:
        raise InputError("job.method", f"There is no method {name[:60]!r}.", f"Choose one of: {', '.join(METHODS)}.")
    return METHODS[name]


def presets() -> Mapping[str, tuple[MethodSpec, Preset]]:
    """The presets of all methods by name, each with its method."""
    return {preset.name: (method, preset) for method in METHODS.values() for preset in method.presets}


def settings_groups() -> Mapping[str, HasSettings]:
    """Everything that has settings, by name: the methods, and the finish."""
    return {**METHODS, FINISH_GROUP.name: FINISH_GROUP}
