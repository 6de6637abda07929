"""Presets: each makes a job that can be run, and tells beforehand what it changes."""

from __future__ import annotations

import dataclasses

import pytest

from blender_addon.client.request import placeholder_inputs
from blender_addon.scene.presets import Change, applied, changes, preset_named
from shared.errors import InputError
from shared.jobs.job import Job, canonical_json, parse_job, validate_job
from shared.methods import METHODS, MethodSpec
from shared.methods.latentman import LatentManSettings
from shared.methods.spec import Preset
from shared.methods.table import presets

JOB = Job("a robot", (1, 2), placeholder_inputs(2), seed=9, method="masactrl")


@pytest.mark.parametrize("name", presets())
def test_each_preset_can_be_run(name: str) -> None:
    method, preset = preset_named(name)
    job = dataclasses.replace(applied(preset, JOB), method=method.name, settings=preset.settings)
    validate_job(job)
    assert parse_job(canonical_json(job)) == job


def test_names_are_unique_over_all_methods() -> None:
    assert len(presets()) == sum(len(method.presets) for method in METHODS.values())
    with pytest.raises(InputError, match="no preset 'mild'.*standard, draft"):
        preset_named("mild")


def test_a_preset_leaves_all_else_of_the_job_as_it_was() -> None:
    assert applied(preset_named("quick")[1], dataclasses.replace(JOB, steps=3)) == JOB
    assert applied(preset_named("align_only")[1], JOB) == JOB
    assert applied(preset_named("draft")[1], JOB) == dataclasses.replace(JOB, steps=10)


def test_a_change_says_before_and_after() -> None:
    told = {change.name: (change.before, change.after) for change in changed(*preset_named("draft"))}
    assert told == {
        "method": ("MasaCtrl", "LatentMan"),
        "steps": ("20", "10"),
        "align": ("0 to 0.2", "0 to 0.4"),
        "guide": ("0.2 to 0.7", "off"),
    }
    labels = {change.label: change.after for change in changed(*preset_named("quick"))}
    assert labels == {"Method": "LatentMan", "Guide by": "Tiny decoder"}


def changed(method: MethodSpec, preset: Preset) -> tuple[Change, ...]:
    """What the preset changes in a scene with the defaults."""
    return changes(method, preset, JOB, LatentManSettings())


@pytest.mark.parametrize("name", presets())
def test_nothing_changes_the_second_time(name: str) -> None:
    method, preset = preset_named(name)
    job = dataclasses.replace(applied(preset, JOB), method=method.name, settings=preset.settings)
    assert changes(method, preset, job, preset.settings) == ()
