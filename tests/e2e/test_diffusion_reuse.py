"""An edited shot through a real backend: what it shares with the job before is sent at once, the rest is computed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.commands.base.private_backend import private_backend
from shared.protocol.client import events as events
from tests.helpers.exr_shot import exr_shot
from tests.helpers.server_rig import drive, ended, ends_of, frames_of, linked
from tests.helpers.tiny_models import write_tiny_model

FRAMES = 6  # three segments


@pytest.mark.slow
def test_an_edited_shot_takes_over_what_it_shares(tmp_path: Path) -> None:
    write_tiny_model(tmp_path / "model")
    sent = []
    with private_backend(tmp_path / "work") as running:
        for raised in ((), (2,)):
            shot = exr_shot(tmp_path, tmp_path / "model", "text2video_zero", FRAMES, raised)
            with linked(running.info) as link:
                for data in shot.inputs:
                    link.client.add_input(data)
                link.client.submit(shot.job)
                seen = drive(link, ended)
            assert [type(event) for event in ends_of(seen)] == [events.Done]
            job_id = next(event.job_id for event in seen if isinstance(event, events.Accepted))
            result = json.loads((tmp_path / "work" / "jobs" / job_id / "result.json").read_bytes())
            sent.append((result["reused_frames"], frames_of(seen)))
    (none, first), (reused, second) = sent
    assert (none, reused) == (0, 4)
    # The edited frame's neighbour in the segment was computed again, and comes out as it was.
    assert [frame for frame in sorted(first) if first[frame] != second[frame]] == sorted(first)[2:3]
