"""Messages in the panel: each stands in the panel of its button, and goes with its cause."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest

import blender_addon
from blender_addon.client.backend_command import BackendCommand
from blender_addon.client.video_process import VideoOrder
from blender_addon.help.places import GENERATE, MOTION, PASSES, PLACES, TAKES
from blender_addon.ops.generate import why_not
from blender_addon.shot.running import generation
from blender_addon.ui.panel import SECTIONS
from shared.errors import BackendError, InputError, JobError
from shared.motion import sample_path
from tests.blender.scenes import context, empty_scene, operators

GUARD_S = 60.0  # ends a test that would hang; nothing is measured with it


@pytest.fixture
def scene() -> Iterator[Any]:
    """An empty scene, and the add-on enabled."""
    found = empty_scene()
    blender_addon.register()
    yield found
    blender_addon.unregister()


def refused(operator: Any, **properties: Any) -> str:
    with pytest.raises(RuntimeError) as caught:
        operator(**properties)
    return str(caught.value)


def test_every_place_is_a_panel_and_every_operator_exists(scene: Any) -> None:
    assert set(PLACES.values()) <= {section.name for section in SECTIONS}
    for name in PLACES:
        assert getattr(operators.latentman, name.removeprefix("latentman.")).get_rna_type().identifier


def test_a_bad_motion_is_told_in_the_motion_panel_until_a_good_one_is_imported(scene: Any, tmp_path: Path) -> None:
    bad = tmp_path / "bad.npy"
    bad.write_bytes(b"no motion")
    assert "bad.npy" in refused(operators.latentman.import_motion, filepath=str(bad))
    problems = generation().problems
    assert problems.at(MOTION) is not None and problems.at(GENERATE) is None
    generation().tick()
    assert problems.at(MOTION) is not None  # its cause is still there
    assert operators.latentman.import_motion(filepath=str(sample_path("walk"))) == {"FINISHED"}
    assert problems.newest is None


def test_choosing_another_file_takes_the_message_of_the_last_one_away(scene: Any, tmp_path: Path) -> None:
    scene.latentman.motion_path = str(tmp_path / "missing.npy")
    refused(operators.latentman.import_motion, filepath=scene.latentman.motion_path)
    scene.latentman.motion_path = str(sample_path("walk"))
    assert generation().problems.step(scene)
    assert generation().problems.newest is None


def test_opening_a_file_takes_every_message_away(scene: Any) -> None:
    for place in (MOTION, GENERATE, TAKES):
        generation().problems.say(JobError("job.error", "It failed."), place)
    bpy.ops.wm.read_homefile(app_template="")
    assert [generation().problems.at(place) for place in (MOTION, GENERATE, TAKES)] == [None] * 3


def test_an_input_at_fault_is_told_until_it_changes_and_a_failure_until_the_next_try(scene: Any) -> None:
    problems = generation().problems
    problems.say(InputError("job.size", "The picture is too large."))
    problems.say(JobError("job.worker_died", "The worker ended."), PASSES)
    assert not problems.step(scene)
    scene.latentman.width = 320
    assert problems.step(scene)
    assert problems.at(GENERATE) is None and problems.at(PASSES) is not None


def test_another_scene_does_not_show_the_message_of_this_one(scene: Any) -> None:
    generation().problems.say(JobError("job.error", "It failed."))
    assert generation().problems.step(bpy.data.scenes.new("other"))


def test_a_lost_backend_is_forgotten_when_another_is_started(scene: Any) -> None:
    problems = generation().problems
    problems.say(BackendError("backend.died", "The backend ended."))
    problems.say(JobError("job.error", "It failed."), TAKES)
    problems.clear_lost_backend()
    assert problems.at(GENERATE) is None and problems.at(TAKES) is not None


def test_what_fails_for_a_take_is_told_beside_the_takes_until_the_next_try(scene: Any, tmp_path: Path) -> None:
    problems = generation().problems
    for operator in (operators.latentman.delete_take, operators.latentman.save_video):
        refused(operator, take="take-009")
        assert problems.at(TAKES) is not None and problems.at(GENERATE) is None
        scene.latentman.output = str(tmp_path)
        assert operators.latentman.find_takes() == {"FINISHED"}
        assert problems.newest is None


def test_a_video_that_fails_later_is_told_beside_the_takes(scene: Any, tmp_path: Path) -> None:
    video = generation().takes.video
    command = BackendCommand((sys.executable, "-c", "raise SystemExit('It failed.')", "serve"))
    video.start(command, VideoOrder(tmp_path, tmp_path / "take.mp4"))
    limit = time.monotonic() + GUARD_S
    while video.running and time.monotonic() < limit:
        generation().tick()
    told = generation().problems.at(TAKES)
    assert told is not None and (told.code, told.message) == ("video.failed", "It failed.")


def test_a_message_is_dismissed_by_its_panel(scene: Any) -> None:
    generation().problems.say(JobError("job.error", "It failed."), TAKES)
    assert operators.latentman.clear_error(place=TAKES) == {"FINISHED"}
    assert generation().problems.newest is None


def test_generate_says_one_thing_at_a_time(scene: Any) -> None:
    found = why_not(context)
    assert found is not None and found.code == "rig.no_character"
    assert operators.latentman.import_motion(filepath=str(sample_path("walk"))) == {"FINISHED"}
    found = why_not(context)
    assert found is not None and found.code == "generate.no_prompt"
    scene.latentman.prompt = "a robot"
    assert why_not(context) is None
    scene.latentman.frames = "9-1"
    found = why_not(context)
    assert found is not None and found.code.startswith("frames.")


def test_the_first_frames_and_all_frames_are_one_button_each(scene: Any) -> None:
    assert operators.latentman.set_frames(frames="1-16") == {"FINISHED"}
    assert scene.latentman.frames == "1-16"
    assert operators.latentman.set_frames() == {"FINISHED"}
    assert scene.latentman.frames == ""
