"""What a lock changes for a job's segments: what they hand on, and what an edit changes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

import pytest

from shared.jobs.carries import Carries, carries
from shared.jobs.identity import NOT_OF_A_SEGMENT, segment_values
from shared.jobs.job import Job, JobInputs, canonical_json, job_values, parse_job
from shared.jobs.reuse import ShotFacts, segment_keys
from shared.methods import METHODS, table
from shared.methods.finish import NO_FINISH, FinishSettings, acting, check_finish, is_locked
from shared.methods.setting import declared, values_of

FRAMES, SEGMENT = 8, 2
DIGESTS = [hashlib.sha256(bytes([number])).hexdigest() for number in range(FRAMES + 4)]
INPUTS = JobInputs(tuple(DIGESTS[:FRAMES]), *DIGESTS[FRAMES : FRAMES + 3])
FACTS = ShotFacts(1.0, 2.0, INPUTS.charts, tuple(DIGESTS[:FRAMES]))
ON, OFF = FinishSettings(lock="on"), FinishSettings(lock="off")


def job(method: str = "per_frame", **changes: Any) -> Job:
    return Job("a robot", tuple(range(1, FRAMES + 1)), INPUTS, method=method, segment_frames=SEGMENT, **changes)


def changed_segments(before: tuple[str, ...], after: tuple[str, ...]) -> list[int]:
    return [index for index, pair in enumerate(zip(before, after, strict=True)) if len(set(pair)) == 2]


@pytest.mark.parametrize("name", METHODS)
def test_without_a_lock_a_job_hands_on_what_its_method_needs(name: str) -> None:
    method = METHODS[name]
    expected = Carries(
        method.needs_first,
        method.needs_previous,
        method.needs.memory,
        method.dependence == "chained",
        method.needs.matches,
    )
    assert carries(job(name, finish=OFF)) == expected


@pytest.mark.parametrize("name", METHODS)
def test_with_a_lock_it_hands_on_its_memory_too_and_looks_at_the_body(name: str) -> None:
    off, on = carries(job(name, finish=OFF)), carries(job(name, finish=ON))
    assert on == dataclasses.replace(off, memory=True, chained=True, geometry=True)


def test_a_method_with_a_finish_of_its_own_is_chained(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = METHODS["text2video_zero"]
    own = dataclasses.replace(spec, needs=dataclasses.replace(spec.needs, memory=True))
    monkeypatch.setitem(table._TABLE, own.name, own)
    assert carries(job(own.name, finish=OFF)) == Carries(True, False, True, True, False)


@pytest.mark.parametrize("method", ["per_frame", "text2video_zero", "latentman"])
@pytest.mark.parametrize("edited", range(FRAMES))
def test_with_a_lock_an_edit_reaches_its_segment_and_all_later_ones(method: str, edited: int) -> None:
    wanted = job(method, finish=ON)
    passes = tuple("f" * 64 if frame == edited else one for frame, one in enumerate(INPUTS.passes))
    geometry = tuple("f" * 64 if frame == edited else one for frame, one in enumerate(FACTS.geometry))
    keys, later = segment_keys(wanted, FACTS), list(range(edited // SEGMENT, FRAMES // SEGMENT))
    drawn = dataclasses.replace(wanted, inputs=dataclasses.replace(INPUTS, passes=passes))
    assert changed_segments(keys, segment_keys(drawn, FACTS)) == later
    assert changed_segments(keys, segment_keys(wanted, dataclasses.replace(FACTS, geometry=geometry))) == later
    everything = list(range(FRAMES // SEGMENT))
    charts = dataclasses.replace(FACTS, charts="f" * 64)
    assert changed_segments(keys, segment_keys(wanted, charts)) == everything


@pytest.mark.parametrize("method", ["per_frame", "text2video_zero", "shared_noise"])
def test_without_a_lock_neither_body_nor_charts_matter_to_these(method: str) -> None:
    wanted = job(method, finish=OFF)
    elsewhere = dataclasses.replace(FACTS, charts="f" * 64, geometry=("f" * 64,) * FRAMES)
    assert segment_keys(wanted, elsewhere) == segment_keys(wanted, FACTS)


def test_segments_without_a_finish_are_named_as_before_there_was_one() -> None:
    before = {name: one for name, one in job_values(job()).items() if name not in (*NOT_OF_A_SEGMENT, "finish")}
    assert segment_values(job(finish=OFF)) == segment_values(job()) == before


def without_finish(given: Job) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(canonical_json(given))
    del values["finish"]
    return values


def test_the_lock_is_its_methods_unless_the_job_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = METHODS["per_frame"]
    locked = dataclasses.replace(plain, locked=True)
    assert [is_locked(method, FinishSettings()) for method in (plain, locked)] == [False, True]
    assert all(is_locked(method, ON) and not is_locked(method, OFF) for method in (plain, locked))
    assert acting(locked, FinishSettings()) == acting(plain, ON) == ON
    assert acting(plain, FinishSettings(background="plate")) == acting(locked, OFF) == NO_FINISH
    monkeypatch.setitem(table._TABLE, plain.name, locked)
    assert segment_keys(job(), FACTS) == segment_keys(job(finish=ON), FACTS) != segment_keys(job(finish=OFF), FACTS)


@pytest.mark.parametrize("schema", [1, 2, 3, 4])
def test_jobs_of_earlier_schemas_have_no_finish_even_where_their_method_is_locked_now(
    schema: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(table._TABLE, "per_frame", dataclasses.replace(METHODS["per_frame"], locked=True))
    value = without_finish(job()) | {"schema": schema}
    if schema < 4:
        del value["settings"]
    assert parse_job(json.dumps(value).encode()) == job(finish=NO_FINISH)
    del value["schema"]
    assert parse_job(json.dumps(value).encode()).finish == FinishSettings()


def test_a_job_of_the_schema_before_keeps_its_methods_settings() -> None:
    value = without_finish(job("latentman")) | {"schema": 4}
    value["settings"]["guide_strength"] = 0.7
    read = parse_job(json.dumps(value).encode())
    assert json.loads(canonical_json(read))["settings"] == value["settings"]


def test_a_finish_is_declared_like_a_methods_settings() -> None:
    check_finish(FinishSettings(), 64, 64, most=64)
    assert all(one.group == "finish" and one.added == 5 for one in declared(FinishSettings).values())
    assert {name: one.before for name, one in declared(FinishSettings).items()} == values_of(NO_FINISH)
    assert "finish" not in METHODS
