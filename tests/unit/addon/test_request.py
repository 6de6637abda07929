"""Requests are checked before anything is rendered."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from shared.errors import InputError
from shared.methods import MethodSettings
from shared.methods.latentman import published_settings

from .shots import request_for

PUBLISHED = published_settings("paper")


def test_jobs_differ_in_method_only(tmp_path: Path) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model")
    jobs = [request.job(method, request.template.inputs) for method in request.methods]
    assert [job.method for job in jobs] == ["text2video_zero", "latentman"]
    assert dataclasses.replace(jobs[0], method="latentman") == jobs[1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"prompt": "x" * 10_000}, "10,000 characters"),
        ({"frames": ()}, "no frames"),
        ({"width": 60}, "multiple of 8"),
        ({"steps": 0}, "steps is 0"),
    ],
)
def test_what_cannot_be_run_is_refused_at_once(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model")
    with pytest.raises(InputError, match=words):
        dataclasses.replace(request, template=dataclasses.replace(request.template, **changes))


@pytest.mark.parametrize(
    ("methods", "code"),
    [({}, "job.methods"), ({"../../etc": MethodSettings()}, "job.method"), ({"masactrl": PUBLISHED}, "job.settings")],
)
def test_methods_are_known_and_have_settings_of_their_own(
    tmp_path: Path, methods: dict[str, MethodSettings], code: str
) -> None:
    with pytest.raises(InputError) as caught:
        dataclasses.replace(request_for(tmp_path / "out", tmp_path / "model"), methods=methods)
    assert caught.value.code == code


def test_each_method_has_a_job_with_its_settings(tmp_path: Path) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model")
    request = dataclasses.replace(request, methods={"masactrl": MethodSettings(), "latentman": PUBLISHED})
    jobs = [request.job(method, request.template.inputs) for method in request.methods]
    assert [(job.method, job.settings) for job in jobs] == [*request.methods.items()]


def test_an_output_folder_behind_a_link_is_refused(tmp_path: Path) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model")
    (tmp_path / "link").symlink_to(tmp_path / "out")
    with pytest.raises(InputError, match="symbolic link"):
        dataclasses.replace(request, output=tmp_path / "link").prepare_folders()


def test_an_output_that_is_a_file_is_refused(tmp_path: Path) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file"):
        dataclasses.replace(request, output=tmp_path / "file").prepare_folders()
