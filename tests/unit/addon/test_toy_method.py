"""A new method is its declaration and a row in the table: jobs, job files, reuse keys and presets know it by that."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from blender_addon.client.job_file import ShotFile, read_job_file, write_job_file
from blender_addon.client.request import GenerateRequest, placeholder_inputs
from blender_addon.scene.presets import changes, preset_named
from shared.errors import InputError
from shared.jobs.identity import job_id
from shared.jobs.job import Job, canonical_json, parse_job, validate_job
from shared.jobs.reuse import ShotFacts, segment_keys
from shared.methods import MethodSettings, table
from shared.methods.latentman import LatentManSettings
from tests.helpers.toy_method import TOY, ToySettings

DIGEST = hashlib.sha256(b"model").hexdigest()
FACTS = ShotFacts(1.0, 2.0, DIGEST, (DIGEST, DIGEST))


@pytest.fixture(autouse=True)
def _toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row in the table."""
    monkeypatch.setitem(table._TABLE, TOY.name, TOY)


def toy_job(**own: Any) -> Job:
    return Job("a robot", (1, 2), placeholder_inputs(2), method="toy", settings=ToySettings(**own))


def spelled(**changes: Any) -> bytes:
    return json.dumps(json.loads(canonical_json(toy_job())) | changes).encode()


def test_its_job_goes_to_a_file_and_comes_back() -> None:
    job = toy_job(guide_strength=3.0)
    assert json.loads(canonical_json(job))["settings"] == {"guide_strength": 3.0, "colour": "red"}
    assert parse_job(canonical_json(job)) == job
    assert parse_job(spelled(settings={})).settings == ToySettings()
    assert Job("a robot", (1, 2), placeholder_inputs(2), method="toy") == toy_job()


def test_an_earlier_job_means_what_it_meant_then() -> None:
    old = json.loads(spelled(schema=3, toy={"guide_strength": 1}, latentman={"align": [0, 1]}))
    del old["settings"]
    assert parse_job(json.dumps(old).encode()).settings == ToySettings(guide_strength=1.0, colour="blue")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"guide_strength": 9.0}, "settings.guide_strength of toy is 9.0; it must be from 0 to 8"),
        ({"guide_strength": 5, "colour": "blue"}, "above 4 is for the red toy"),
        ({"colour": "green"}, r"\$\.settings\.colour: one of 'red', 'blue'"),
        ({"align": [0, 1]}, r"\$\.settings: 'align' is not a setting of toy; its settings are: guide_strength, colour"),
    ],
)
def test_what_its_declaration_does_not_allow_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_job(spelled(settings=settings))


def test_another_methods_settings_are_not_its_own() -> None:
    with pytest.raises(InputError, match="belong to another method than toy"):
        validate_job(dataclasses.replace(toy_job(), settings=LatentManSettings()))


@pytest.mark.parametrize("own", [{"guide_strength": 3.0}, {"colour": "blue"}])
def test_its_settings_are_in_the_names_of_jobs_and_segments(own: dict[str, Any]) -> None:
    assert job_id(toy_job(**own), DIGEST) != job_id(toy_job(), DIGEST)
    assert segment_keys(toy_job(**own), FACTS) != segment_keys(toy_job(), FACTS)


def test_its_segments_depend_on_what_it_says_that_it_needs() -> None:
    moved = dataclasses.replace(FACTS, geometry=("0" * 64, DIGEST))
    assert segment_keys(toy_job(), moved) == segment_keys(toy_job(), FACTS)  # it takes no matches
    job = Job("a robot", (1, 2), placeholder_inputs(2), method="latentman")
    assert segment_keys(job, moved) != segment_keys(job, FACTS)


def test_a_shot_has_it_beside_others(tmp_path: Path) -> None:
    job = toy_job(colour="blue")
    methods: dict[str, MethodSettings] = {"toy": job.settings, "latentman": LatentManSettings(guide_strength=0.7)}
    write_job_file(tmp_path / "shot.json", ShotFile(job, methods))
    shot = read_job_file(tmp_path / "shot.json")
    assert (shot.job, shot.methods) == (job, methods)
    request = GenerateRequest(tmp_path / "out", shot.methods, shot.job)
    inputs = shot.job.inputs
    assert [request.job(name, inputs).settings for name in request.methods] == list(methods.values())


def test_its_preset_says_what_it_changes() -> None:
    method, preset = preset_named("toy_blue")
    told = [(one.label, one.before, one.after) for one in changes(method, preset, toy_job(), ToySettings())]
    assert told == [("Steps", "20", "5"), ("Toy colour", "Red", "Blue")]
