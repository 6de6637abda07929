"""Presets of strength: named sets of a scene's or a job's settings, and what applying one changes. No bpy in here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ..shared.jobs.job import Job
from ..shared.methods.latentman import LatentManSettings, Parity, published_settings, span_acts

Value = bool | float | int | str | tuple[float, float]


@dataclass(frozen=True, slots=True)
class Preset:
    """One preset; `values` are settings of `scene.latentman` by name, all others are left as they are."""

    name: str
    label: str
    description: str
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that a preset would change."""

    name: str
    before: str
    after: str


def _set(base: Mapping[str, Value], **values: Value) -> Mapping[str, Value]:
    return MappingProxyType({"method": "latentman", **base, **values})


def _published(parity: Parity) -> dict[str, Value]:
    return dataclasses.asdict(published_settings(parity))


_OWN = dataclasses.asdict(LatentManSettings())
_ALIGN_ALONE: dict[str, Value] = {**_OWN, "guide": (0.0, 0.0)}

PRESETS = (
    Preset("standard", "Standard", "This add-on's own choice", _set(_OWN, steps=20)),
    Preset(
        "draft",
        "Draft",
        "Half the steps and no guidance, which is the slow part: to judge prompt and camera",
        _set(_ALIGN_ALONE, steps=10),
    ),
    Preset(
        "quick",
        "Quick",
        "Guidance through the model's tiny decoder: two thirds of the time, and nearly as still",
        _set(_OWN, steps=20, guide_decoder="tiny"),
    ),
    Preset("align_only", "Alignment only", "No guidance; the alignment alone holds details", _set(_ALIGN_ALONE)),
    Preset(
        "strong",
        "Strong",
        "Both act longer, and guidance pulls twice as hard; fine details may be lost",
        _set(_OWN, steps=25, align=(0.0, 0.6), guide=(0.1, 0.9), guide_strength=1.0),
    ),
    Preset("paper", "Paper", "The equations of the paper, 100 steps", _set(_published("paper"), steps=100)),
    Preset(
        "released", "Released code", "What the published code does, 100 steps", _set(_published("released"), steps=100)
    ),
)


def preset_named(name: str) -> Preset:
    """A preset by its name; it is one of `PRESETS`."""
    return next(preset for preset in PRESETS if preset.name == name)


def applied(preset: Preset, job: Job) -> Job:
    """The job with the preset's settings; its method stays, because several may share the shot."""
    values = {name: value for name, value in preset.values.items() if name != "method"}
    own = {field.name for field in dataclasses.fields(LatentManSettings)}
    latentman: Any = {name: value for name, value in values.items() if name in own}
    general: Any = {name: value for name, value in values.items() if name not in own}
    return dataclasses.replace(job, **general, latentman=dataclasses.replace(job.latentman, **latentman))


def changes(preset: Preset, present: Mapping[str, Value]) -> tuple[Change, ...]:
    """What applying the preset would change. `present` are the settings as they are."""
    return tuple(
        Change(name, _shown(present[name]), _shown(value))
        for name, value in preset.values.items()
        if present[name] != value
    )


def _shown(value: Value) -> str:
    if isinstance(value, tuple):
        return f"{value[0]:g} to {value[1]:g}" if span_acts(value) else "off"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:g}"
