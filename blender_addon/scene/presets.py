"""What a method's preset changes in a scene's or a job's settings. No bpy in here."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from ..shared.errors import InputError
from ..shared.jobs.job import Job
from ..shared.methods import METHODS, MethodSettings, MethodSpec
from ..shared.methods.setting import declared, values_of
from ..shared.methods.spec import Preset
from ..shared.methods.table import presets


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that a preset would change: its name, and label and values as people read them."""

    name: str
    label: str
    before: str
    after: str


def preset_named(name: str) -> tuple[MethodSpec, Preset]:
    """A preset by its name, with its method. Raises InputError for an unknown name."""
    found = presets().get(name)
    if found is None:
        raise InputError("job.preset", f"There is no preset {name!r}.", f"Choose one of: {', '.join(presets())}.")
    return found


def applied(preset: Preset, job: Job) -> Job:
    """The job with what the preset says beside its method's settings; the method stays, because several may share the
    shot."""
    return job if preset.steps is None else dataclasses.replace(job, steps=preset.steps)


def changes(method: MethodSpec, preset: Preset, job: Job, own: MethodSettings) -> tuple[Change, ...]:
    """What applying a preset of the method would change. `job` is as the scene has it, `own` the method's settings."""
    found = []
    if job.method != method.name:
        found.append(Change("method", "Method", METHODS[job.method].label, method.label))
    if preset.steps not in (None, job.steps):
        found.append(Change("steps", "Steps", str(job.steps), str(preset.steps)))
    before, after = values_of(own), values_of(preset.settings)
    for name, one in declared(method.settings).items():
        if before[name] != after[name]:
            found.append(Change(name, one.label, one.shown(before[name]), one.shown(after[name])))
    return tuple(found)
