"""Errors keep their class from one process to another."""

from __future__ import annotations

import inspect

import pytest

from shared import errors
from shared.errors import ERROR_KINDS, InputError, JobError, LatentManError, error_of, told
from shared.protocol import messages
from shared.protocol.wire import WireError

CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, LatentManError)]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_class_of_the_tree_comes_back_as_it_was(kind: type[LatentManError]) -> None:
    back = error_of(messages.Error(*told(kind("a.code", "A sentence.", "A hint."))))
    assert type(back) is kind
    assert (back.code, back.message, back.hint, back.exit_code) == ("a.code", "A sentence.", "A hint.", kind.exit_code)


def test_the_names_are_those_that_older_versions_know() -> None:
    names = {name: kind.__name__ for name, kind in ERROR_KINDS.items()}
    assert names == {
        "error": "LatentManError",
        "input": "InputError",
        "motion": "MotionError",
        "body": "BodyError",
        "passes": "PassesError",
        "model": "ModelError",
        "protocol": "ProtocolError",
        "backend": "BackendError",
        "render": "RenderError",
        "job": "JobError",
        "cancelled": "CancelledError",
    }


def test_a_class_that_is_no_part_of_the_tree_travels_as_the_one_above_it() -> None:
    assert told(WireError("protocol.body", "No.", 7)) == ("protocol.body", "No.", "", "protocol")


def test_a_kind_that_is_not_known_is_the_base_class() -> None:
    assert (
        type(error_of(messages.JobFailed("new.code", "No.", "", "weather", job_id="j", seq=1), unsaid=JobError))
        is LatentManError
    )


def test_a_side_of_before_there_were_kinds_leaves_it_to_the_message() -> None:
    old = messages.JobFailed("model.missing", "No.", job_id="j", seq=1)
    assert type(error_of(old, unsaid=JobError)) is JobError
    assert type(error_of(messages.Error("job.unknown", "No."))) is LatentManError
    assert isinstance(InputError("a", "b"), LatentManError)
