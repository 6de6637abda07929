"""Job files of earlier schemas, as today's."""

from __future__ import annotations

from typing import Any

from ..methods import METHODS
from ..methods.finish import FINISH, FinishSettings
from ..methods.latentman import LATENTMAN
from ..methods.reading import settings_of_earlier

# What a schema brought that an earlier backend would pass over: 2 keyed prompts, 3 LatentMan's `guide_extent`, 4
# `settings`: before, the settings of every method stood under its name, whichever the job's method was; 5 `finish`, and
# another method where a job names none, LatentMan's `match_extent`, `guide_around`, `guide_smooth`, another `align`.
SCHEMA = 5
_SETTINGS_SINCE = 4
METHOD_BEFORE = LATENTMAN.name  # where nothing is named, up to schema 4


def as_today(job: Any) -> Any:
    """A job file's values as today's schema has them: its method by name, the settings of this method alone, and those
    of method and finish that there were not yet with what the job meant then.

    Anything else is returned unchanged, for the reader to judge.
    """
    if not is_earlier(job):
        return job
    schema, under_name = job["schema"], settings_under_name(job)
    kept = {"method": METHOD_BEFORE} | {
        name: value for name, value in job.items() if not (under_name and name in METHODS)
    }
    name = kept["method"]
    if isinstance(name, str) and name in METHODS:
        given = job.get(name if under_name else "settings", {})
        kept["settings"] = settings_of_earlier(METHODS[name].settings, given, schema)
    return kept | {FINISH: settings_of_earlier(FinishSettings, job.get(FINISH, {}), schema), "schema": SCHEMA}


def is_earlier(job: Any) -> bool:
    """Whether a file's values are those of a job of an earlier schema."""
    schema = job.get("schema", SCHEMA) if isinstance(job, dict) else SCHEMA
    return type(schema) is int and 1 <= schema < SCHEMA


def settings_under_name(job: Any) -> bool:
    """Whether a file's values are of a schema that had a method's settings under its name."""
    return is_earlier(job) and bool(job["schema"] < _SETTINGS_SINCE)
