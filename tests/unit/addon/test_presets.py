"""Presets: each makes a job that can be run, and tells beforehand what it changes."""

from __future__ import annotations

import dataclasses

import pytest

from blender_addon.client.request import placeholder_inputs
from blender_addon.scene.presets import PRESETS, Preset, Value, applied, changes, preset_named
from shared.jobs.job import Job, LatentManSettings, canonical_json, parse_job, validate_job

_LATENTMAN = {field.name for field in dataclasses.fields(LatentManSettings)}
PRESENT: dict[str, Value] = {"method": "masactrl", "steps": 20, **dataclasses.asdict(LatentManSettings())}


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_each_preset_can_be_run(preset: Preset) -> None:
    own = {name: value for name, value in preset.values.items() if name in _LATENTMAN}
    plain = {name: value for name, value in preset.values.items() if name not in _LATENTMAN}
    job = Job("a robot", (1, 2), placeholder_inputs(2), latentman=LatentManSettings(**own), **plain)  # type: ignore[arg-type]
    validate_job(job)
    assert parse_job(canonical_json(job)) == job


def test_a_preset_on_a_job_leaves_all_else_as_it_was() -> None:
    job = Job("a robot", (1, 2), placeholder_inputs(2), seed=9, method="masactrl", steps=3)
    quick = applied(preset_named("quick"), job)
    wanted = dataclasses.replace(job, steps=20, latentman=LatentManSettings(guide_decoder="tiny"))
    assert quick == wanted
    draft = applied(preset_named("draft"), quick)
    assert (draft.steps, draft.latentman) == (10, LatentManSettings(guide=(0.0, 0.0)))


def test_a_change_says_before_and_after() -> None:
    told = {change.name: (change.before, change.after) for change in changes(preset_named("draft"), PRESENT)}
    assert told == {"method": ("masactrl", "latentman"), "steps": ("20", "10"), "guide": ("0.2 to 0.7", "off")}


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_nothing_changes_the_second_time(preset: Preset) -> None:
    assert changes(preset, {**PRESENT, **preset.values}) == ()
