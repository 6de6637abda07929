"""Job files of earlier schemas, as today's."""

from __future__ import annotations

from typing import Any

from ..methods import METHODS
from ..methods.reading import settings_of_earlier

# What a schema brought that an earlier backend would pass over: 2 keyed prompts, 3 LatentMan's `guide_extent`, 4
# `settings`: before, the settings of every method stood under its name, whichever the job's method was.
SCHEMA = 4


def as_today(job: Any, default_method: str) -> Any:
    """A job file's values as today's schema has them: the settings of the job's own method alone, and those that there
    were not yet with what the job meant then.

    Anything else is returned unchanged, for the reader to judge.
    """
    if not is_earlier(job):
        return job
    kept = {name: value for name, value in job.items() if name not in METHODS}
    name = job.get("method", default_method)
    if isinstance(name, str) and name in METHODS:
        kept["settings"] = settings_of_earlier(METHODS[name], job.get(name, {}), job["schema"])
    return kept | {"schema": SCHEMA}


def is_earlier(job: Any) -> bool:
    """Whether a file's values are those of a job of an earlier schema."""
    schema = job.get("schema", SCHEMA) if isinstance(job, dict) else SCHEMA
    return type(schema) is int and 1 <= schema < SCHEMA
