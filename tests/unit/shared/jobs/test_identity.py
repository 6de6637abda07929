"""Jobs and segments are told apart by one rule: a field of a job is in both names unless it is declared otherwise."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import pytest

from shared.jobs.identity import NOT_OF_A_SEGMENT, job_id, segment_values
from shared.jobs.job import Job, JobInputs
from shared.methods.finish import FinishSettings
from shared.methods.latentman import LatentManSettings
from shared.models.files import ModelFiles

DIGESTS = [hashlib.sha256(bytes([number])).hexdigest() for number in range(6)]
INPUTS = JobInputs((DIGESTS[0], DIGESTS[1]), DIGESTS[2], DIGESTS[3], DIGESTS[4])
JOB = Job("a robot", (1, 2), INPUTS, method="latentman")

# Another value of each field of a job, and what goes with it.
OTHERS: dict[str, dict[str, Any]] = {
    "prompt": {"prompt": "a knight"},
    "frames": {"frames": (1, 3)},
    "inputs": {"inputs": dataclasses.replace(INPUTS, shot=DIGESTS[5])},
    "negative_prompt": {"negative_prompt": "blur"},
    "seed": {"seed": 8},
    "method": {"method": "masactrl", "settings": Job("", (), INPUTS, method="masactrl").settings},
    "model": {"model": "/model"},
    "model_files": {"model_files": ModelFiles(vae="/vae")},
    "steps": {"steps": 21},
    "guidance_scale": {"guidance_scale": 3.0},
    "controlnet_scale": {"controlnet_scale": 0.5},
    "width": {"width": 264},
    "height": {"height": 264},
    "fps": {"fps": 25.0},
    "settings": {"settings": LatentManSettings(guide_strength=0.6)},
    "finish": {"finish": FinishSettings(lock="on")},
    "segment_frames": {"segment_frames": 4},
    "prompts": {"prompts": "1: a robot"},
    "schema": {"schema": 3},
}


def test_each_field_is_looked_at() -> None:
    assert list(OTHERS) == [field.name for field in dataclasses.fields(Job)]
    assert OTHERS.keys() >= NOT_OF_A_SEGMENT.keys()


@pytest.mark.parametrize("field", OTHERS)
def test_each_field_is_in_the_jobs_name_and_in_the_segments_unless_declared_otherwise(field: str) -> None:
    other = dataclasses.replace(JOB, **OTHERS[field])
    assert job_id(other, DIGESTS[5]) != job_id(JOB, DIGESTS[5])
    assert (segment_values(other) == segment_values(JOB)) is (field in NOT_OF_A_SEGMENT)
