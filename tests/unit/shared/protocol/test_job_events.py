"""What happens to a job is declared once; each stage of its way copies it by name and adds its own."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from shared.protocol import job_events, messages
from shared.protocol.client import events
from shared.protocol.job_events import Progress, common_fields, extended

NUMBERED = {"job_id": "j", "seq": 7}
TICKET = {"ticket": 3, "job_id": "j"}

STAGES: list[tuple[type, type, type]] = [
    (job_events.Progress, messages.ProgressReport, events.Progress),
    (job_events.PreviewSize, messages.PreviewPicture, events.Preview),
    (job_events.FrameDone, messages.Frame, events.FrameReady),
    (job_events.FileDone, messages.File, events.FileReady),
    (job_events.Done, messages.JobDone, events.Done),
]


def fields_of(kind: Any) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(kind)


@pytest.mark.parametrize(("first", "sent", "handed"), STAGES, ids=lambda kind: kind.__name__)
def test_a_stage_declares_nothing_again(first: type, sent: type, handed: type) -> None:
    declared = {field.name for field in fields_of(first)}
    for kind, own in ((sent, {"job_id", "seq"}), (handed, {"job_id", "ticket"})):
        assert issubclass(kind, first)
        assert {field.name for field in fields_of(kind)} - declared - {"rgb", "png", "data"} == own


def test_an_event_goes_its_way_by_name() -> None:
    told = Progress("sampling", 3, 20, 8, 24, 1.5)
    sent = extended(told, messages.ProgressReport, **NUMBERED)
    assert sent == messages.ProgressReport("sampling", 3, 20, 8, 24, 1.5, job_id="j", seq=7)
    handed = extended(sent, events.Progress, ticket=3)
    assert handed == events.Progress("sampling", 3, 20, 8, 24, 1.5, ticket=3, job_id="j")
    assert extended(handed, Progress) == told


def test_what_is_given_goes_before_what_is_copied() -> None:
    picture = messages.PreviewPicture(5, 2, 1, job_id="j", seq=7)
    assert extended(picture, events.Preview, rgb=b"abcdef", **(TICKET | {"job_id": "k"})) == events.Preview(
        5, 2, 1, b"abcdef", ticket=3, job_id="k"
    )
    with pytest.raises(TypeError, match="ticket"):
        extended(picture, events.Preview, rgb=b"abcdef")


def test_common_fields_are_those_that_both_have() -> None:
    frame = job_events.FrameDone(4, "d" * 64)
    assert common_fields(frame, messages.PreviewPicture) == {"frame": 4}
