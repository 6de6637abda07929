"""The published settings of LatentMan, by name, in job files, and what cannot be run."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

import pytest

from shared.errors import InputError
from shared.jobs.job import Job, JobInputs, canonical_json, parse_job, validate_job
from shared.jobs.reuse import ShotFacts, segment_keys
from shared.methods import MethodSettings
from shared.methods.latentman import PARITIES, LatentManSettings, published_settings

DIGESTS = [hashlib.sha256(bytes([number])).hexdigest() for number in range(5)]
INPUTS = JobInputs((DIGESTS[0], DIGESTS[1]), DIGESTS[2], DIGESTS[3], DIGESTS[4])
JOB = Job("a robot", (1, 2), INPUTS, method="latentman")


FACTS = ShotFacts(1.0, 2.0, DIGESTS[4], (DIGESTS[0], DIGESTS[1]))


def read(settings: object) -> Job:
    """A job file with these settings, read back."""
    return parse_job(json.dumps(json.loads(canonical_json(JOB)) | {"settings": settings}).encode())


# What a job of before schema 5 meant by the settings that there were not yet.
BEFORE_5: dict[str, Any] = {"align": (0.0, 0.4), "match_extent": "all", "guide_around": 1, "guide_smooth": 0.0}


def earlier(schema: int, latentman: object, **changes: object) -> Job:
    """A job file as it was when settings stood under the method's name, read back."""
    spelled = json.loads(canonical_json(JOB))
    del spelled["settings"]
    return parse_job(json.dumps(spelled | {"schema": schema, "latentman": latentman} | changes).encode())


def steps(span: tuple[float, float], count: int) -> tuple[int, int]:
    """First and last step of a window, counted as the paper does."""
    return round(span[0] * count), round(span[1] * count) - 1


@pytest.mark.parametrize("parity", ["paper", "released"])
@pytest.mark.parametrize(
    ("baseline", "count", "align", "guide"),
    [("text2video_zero", 100, (0, 39), (20, 69)), ("masactrl", 50, (0, 19), (20, 39))],
)
def test_the_windows_are_those_of_section_4_1(
    parity: Any, baseline: Any, count: int, align: tuple[int, int], guide: tuple[int, int]
) -> None:
    settings = published_settings(parity, baseline)
    assert settings.baseline == baseline
    assert steps(settings.align, count) == align
    assert steps(settings.guide, count) == guide


def test_the_parities_differ_where_paper_and_code_do() -> None:
    paper, released = (dataclasses.asdict(PARITIES[name]) for name in ("paper", "released"))
    assert {name: (paper[name], released[name]) for name in paper if paper[name] != released[name]} == {
        "features": ("paper", "released"),
        "reference_mode": ("prev", "prev_new"),
        "guide_loss": ("sum", "mean"),
        "guide_range": (2.0, 25.0),
        "guide_clamp": (False, True),
        "guide_through": ("controlnet", "unconditional"),
    }


@pytest.mark.parametrize("parity", ["paper", "released"])
def test_a_job_file_names_a_parity_and_keeps_only_what_it_stands_for(parity: Any) -> None:
    job = read({"parity": parity})
    assert job.settings == published_settings(parity)
    assert b"parity" not in canonical_json(job)
    assert parse_job(canonical_json(job)) == job


def test_single_settings_override_the_parity() -> None:
    job = read({"parity": "released", "baseline": "masactrl", "features": "paper", "guide": [0.5, 0.6]})
    expected = published_settings("released", "masactrl")
    assert job.settings == dataclasses.replace(expected, features="paper", guide=(0.5, 0.6))


def test_without_a_parity_the_defaults_hold() -> None:
    assert read({}).settings == LatentManSettings()
    assert read({"align": [0, 0.3]}).settings == LatentManSettings(align=(0.0, 0.3))


def test_guidance_moves_the_body_by_our_own_settings_and_everything_by_the_published_ones() -> None:
    assert LatentManSettings().guide_extent == "body"
    assert {settings.guide_extent for settings in PARITIES.values()} == {"all"}
    assert read({"guide_extent": "all"}).settings == LatentManSettings(guide_extent="all")
    assert read({"parity": "paper", "guide_extent": "body"}).settings == dataclasses.replace(
        PARITIES["paper"], align=(0.0, 0.4), guide=(0.2, 0.7), guide_extent="body"
    )


@pytest.mark.parametrize("schema", [1, 2])
@pytest.mark.parametrize("given", [{}, {"guide_rule": "fixed"}, dataclasses.asdict(LatentManSettings())])
def test_a_job_of_before_the_extent_is_none_of_today(schema: int, given: dict[str, Any]) -> None:
    known = {name: value for name, value in given.items() if name not in {"guide_extent", *BEFORE_5}}
    before = earlier(schema, known)
    then = LatentManSettings(**{**BEFORE_5, **known}, guide_extent="all")
    assert before.settings == then  # what it meant
    today = dataclasses.replace(before, settings=dataclasses.replace(then, guide_extent="body"))
    assert before.schema == today.schema and canonical_json(before) != canonical_json(today)
    assert segment_keys(before, FACTS) != segment_keys(today, FACTS)


@pytest.mark.parametrize("schema", [1, 2, 3])
def test_a_job_of_an_earlier_schema_keeps_the_settings_of_its_method_alone(schema: int) -> None:
    spelled = {"align": [0.1, 0.3], "guide_extent": "body"}
    assert earlier(schema, spelled).settings == LatentManSettings(**{**BEFORE_5, "align": (0.1, 0.3)})
    other = earlier(schema, spelled, method="masactrl")
    assert (other.method, other.settings) == ("masactrl", MethodSettings())
    with pytest.raises(InputError, match=r"\$\.latentman: 'algin' is not"):
        earlier(schema, {"algin": [0.1, 0.3]})


def test_a_job_of_schema_3_that_leaves_the_extent_out_means_the_default() -> None:
    assert earlier(3, {}).settings == LatentManSettings(**BEFORE_5)
    assert LatentManSettings(**BEFORE_5).guide_extent == LatentManSettings().guide_extent


@pytest.mark.parametrize("given", [{}, {"guide_strength": 0.25}, {"guide_smooth": 1.0}, {"parity": "released"}])
def test_a_job_of_schema_4_matches_and_guides_as_it_did(given: dict[str, Any]) -> None:
    spelled = json.loads(canonical_json(JOB)) | {"schema": 4, "settings": given}
    before = parse_job(json.dumps(spelled).encode())
    today = read({**BEFORE_5, **given})
    assert before.settings == today.settings and canonical_json(before) == canonical_json(today)
    assert (before.settings == read(given).settings) == ("parity" in given)
    assert (segment_keys(before, FACTS) == segment_keys(read(given), FACTS)) == ("parity" in given)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"parity": "papers"}, "job.parity"),
        ({"parity": ["paper"]}, "job.parity"),
        ({"parity": "paper", "baseline": {}}, "job.baseline"),
        ({"parity": "paper", "features": "best"}, "job.invalid"),
        ("paper", "job.invalid"),
    ],
)
def test_a_parity_that_is_none_is_refused(given: object, code: str) -> None:
    with pytest.raises(InputError) as caught:
        read(given)
    assert caught.value.code == code and caught.value.message.endswith(".")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"reference_mode": "prev_new"}, 'only works with the correspondence "assignment"'),
        ({"reference_mode": "first"}, "does not work with guidance"),
        ({"guide_through": "unconditional"}, "only works with fixed guidance"),
        ({"guide_decode": "body", "guide_rule": "fixed"}, 'guide_decode "body" only works with adaptive guidance'),
        ({"guide_decoder": "tiny", "guide_rule": "fixed"}, 'guide_decoder "tiny" only works with adaptive guidance'),
        ({"guide_range": -1.0}, "guide_range of latentman is -1.0"),
        ({"guide_range": float("inf")}, "guide_range of latentman is inf"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        validate_job(dataclasses.replace(JOB, settings=LatentManSettings(**values)))


def test_reference_mode_first_wants_the_shot_in_one_segment() -> None:
    settings = LatentManSettings(reference_mode="first", guide=(0.0, 0.0))
    validate_job(dataclasses.replace(JOB, settings=settings, segment_frames=2))
    with pytest.raises(InputError, match="the shot has 2 frames and segments have 1"):
        validate_job(dataclasses.replace(JOB, settings=settings, segment_frames=1))
