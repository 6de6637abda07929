"""What a result depends on, by which jobs and segments are told apart: one rule for both.

A job is all that its canonical spelling has, and so is a segment, but for the fields in `NOT_OF_A_SEGMENT`, which no
frame depends on or which a segment's key has in a form of its own. A new field of `Job`, or setting of a method, is in
both automatically.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from types import MappingProxyType

from ..files.digest import is_digest
from ..methods import method_named
from ..methods.finish import FINISH, NO_FINISH, acting
from .job import Job, canonical_json, job_values

NOT_OF_A_SEGMENT: Mapping[str, str] = MappingProxyType(
    {
        "frames": "by position in the shot: what a frame shows is in its pass",
        "inputs": "by frame, as far as the method looks",
        "prompt": "by frame",
        "prompts": "by frame",
        "segment_frames": "the segment has its own first and last frame",
        "fps": "no frame depends on it, only the video made from them",
        "schema": "only a spelling",
    }
)


def job_id(job: Job, model_digest: str) -> str:
    """The job's name: SHA-256 of its canonical file (which names its inputs by content) and of its model's digest."""
    if not is_digest(model_digest):
        raise ValueError(f"model_digest is {model_digest!r}, not a SHA-256")
    return hashlib.sha256(canonical_json(job) + b"\n" + model_digest.encode("ascii")).hexdigest()


def segment_values(job: Job) -> dict[str, object]:
    """What all segments of a job depend on, whatever their frames, as its file has it; a finish as it acts, so that
    jobs without one share segments with those of schemas that knew none. Raises as `job_values`."""
    values = {name: value for name, value in job_values(job).items() if name not in (*NOT_OF_A_SEGMENT, FINISH)}
    finish = acting(method_named(job.method), job.finish)
    return values if finish == NO_FINISH else values | {FINISH: dataclasses.asdict(finish)}
