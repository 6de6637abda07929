"""Where a model's paths lie: one rule for job files, command lines and the panel."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.jobs.job import Job, JobInputs, with_model_at
from shared.models.files import EmbeddingFile, LoraFile, ModelFiles, place_of

BASE, BLEND = Path("/jobs/shot"), Path("/films/one")

PLACES = {
    "": "",
    "embedded": "embedded",
    "whole": "/jobs/shot/whole",
    "./models/../whole": "/jobs/shot/whole",
    "../whole.safetensors": "/jobs/whole.safetensors",
    "/models/whole": "/models/whole",
    "C:\\models\\whole": "C:\\models\\whole",  # a backend on another system
    "\\\\server\\models\\whole": "\\\\server\\models\\whole",
    "//whole": "/films/one/whole",
    "//../models/whole": "/films/models/whole",
}


@pytest.mark.parametrize("path", PLACES)
def test_a_path_becomes_absolute_once(path: str) -> None:
    place = place_of(path, BASE, BLEND)
    assert place == PLACES[path]
    assert place_of(place, Path("/elsewhere"), Path("/another")) == place


def test_the_home_of_nobody_is_a_path_like_others() -> None:
    assert place_of("~nobody-of-that-name/a", BASE) == "/jobs/shot/~nobody-of-that-name/a"


def test_without_a_blend_two_slashes_are_a_path_like_others() -> None:
    assert place_of("//models/whole", BASE) == "//models/whole"


def test_every_path_of_a_job_follows_the_rule() -> None:
    files = ModelFiles(
        "control", "vae", "config", (LoraFile("a.safetensors", 0.5),), (EmbeddingFile("//word.pt", "sks"),), "tiny"
    )
    job = Job("a", (1,), JobInputs((), "", "", ""), model="whole", model_files=files)
    placed = with_model_at(job, BASE, BLEND)
    assert placed.model == "/jobs/shot/whole"
    assert placed.model_files == ModelFiles(
        "/jobs/shot/control",
        "/jobs/shot/vae",
        "/jobs/shot/config",
        (LoraFile("/jobs/shot/a.safetensors", 0.5),),
        (EmbeddingFile("/films/one/word.pt", "sks"),),
        "/jobs/shot/tiny",
    )
