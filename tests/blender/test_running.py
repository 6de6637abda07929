"""The shot under way, driven as the timer drives it, through what a user does meanwhile: load, undo, disable, kill."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy
import psutil
import pytest

import blender_addon
from blender_addon.client.progress import GenerateState
from blender_addon.client.warm_backend import BackendState
from blender_addon.look.camera import frame_shot
from blender_addon.passes.comparison import Compared
from blender_addon.rig.character import import_motion
from blender_addon.shot import hider_watch, running
from blender_addon.timeline.take import DONE, SEED, takes
from shared.body import free_body
from tests.blender.scenes import context, empty_scene, operators, standing_motion

ROOT = Path(__file__).resolve().parents[2]
GUARD_S = 90.0  # ends a test that would hang; nothing is measured with it


@pytest.fixture
def shot(tmp_path: Path) -> Iterator[Path]:
    """A saved file with a framed character of four frames, open, and the add-on enabled with the fake runner's
    backend."""
    scene = empty_scene()
    blender_addon.register()
    entry = context.preferences.addons.new()
    entry.module = "blender_addon"
    entry.preferences.backend = f"{sys.executable} -m tests.e2e.fake_backend"
    armature = import_motion(scene, standing_motion(4), free_body())
    frame_shot(scene, armature, (1, 4))
    model = tmp_path / "model"
    model.mkdir()
    (model / "weights.safetensors").write_bytes(b"weights")
    settings = scene.latentman
    settings.prompt, settings.model, settings.steps = "step_s=0.2", str(model), 3
    settings.method, settings.width, settings.height = "text2video_zero", 64, 64
    path = tmp_path / "shot.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    yield path
    blender_addon.unregister()
    gone = [entry for entry in context.preferences.addons if entry.module == "blender_addon"]
    for entry in gone:  # loading the factory settings forgets it as well
        context.preferences.addons.remove(entry)


def tick(until: Callable[[], bool]) -> None:
    """What the timer does, until something is so."""
    limit = time.monotonic() + GUARD_S
    current = running.generation()
    while not until():
        current.tick()
        assert time.monotonic() < limit, (current.progress, current.error)
        time.sleep(0.002)


def started() -> Any:
    """A shot that is begun and has a first frame."""
    current = running.generation()
    current.start(bpy.context)
    tick(lambda: current.progress is not None and bool(current.progress.frame) or not current.running)
    assert current.running, current.error
    return current


def wait_gone(processes: set[psutil.Process]) -> None:
    """A worker whose backend was ended by force ends by itself, at its next step."""
    _, alive = psutil.wait_procs([one for one in processes if one.is_running()], timeout=GUARD_S)
    assert alive == []


def computed(base: Path) -> list[str]:
    """The frames that the backend computed, over all jobs and attempts."""
    return [line for log in base.glob(".backend/jobs/*/computed.txt") for line in log.read_text().split()]


@pytest.mark.slow
def test_a_take_is_cancelled_cut_off_and_still_finished_without_computing_a_frame_twice(shot: Path) -> None:
    before = set(psutil.Process().children(recursive=True))
    current = started()
    (strip,) = takes(context.scene)
    made = {f"{frame:04d}.png" for frame in range(1, 1 + strip[DONE])}
    assert 0 < strip[DONE] < 4 and len(strip.elements) == 4
    assert {element.filename for element in strip.elements} <= made
    assert not operators.latentman.generate.poll()
    current.cancel()
    tick(lambda: not current.running)
    assert current.progress.state is GenerateState.CANCELLED and current.error is None
    context.scene.latentman.prompt = "another prompt"  # resuming takes the take's own
    current.resume(bpy.context)
    tick(lambda: current.progress.state is GenerateState.GENERATING)
    during = set(psutil.Process().children(recursive=True)) - before
    assert len(during) >= 2  # supervisor and worker
    blender_addon.unregister()
    wait_gone(during)
    assert not bpy.app.timers.is_registered(running._tick)
    blender_addon.register()
    assert operators.latentman.resume() == {"FINISHED"}
    (strip,) = takes(context.scene)
    assert [element.filename for element in strip.elements] == [f"{frame:04d}.png" for frame in range(1, 5)]
    assert sorted(computed(shot.parent / "latentman")) == ["1", "2", "3", "4"]
    assert not operators.latentman.resume.poll()
    settings = context.scene.latentman
    assert _changes() == Compared((), (1, 2, 3, 4), to_generate=4)  # another prompt
    settings.prompt = "step_s=0.2"
    assert _changes() == Compared((), (1, 2, 3, 4), to_generate=0)
    _look_at_a_moved_camera(shot)


def test_each_interrupted_take_keeps_its_own_resume_and_can_be_deleted(shot: Path) -> None:
    base, current = shot.parent / "latentman", running.generation()
    for seed in (1, 2):
        context.scene.latentman.seed = seed
        current.start(bpy.context)
        assert f"take-00{seed}" not in [take.name for take in current.unfinished(bpy.context)]  # it is under way
        current.cancel()
        tick(lambda: not current.running)
        current.tick()
    assert [take.text for take in current.unfinished(bpy.context)] == [
        "take-002, 0 of 4 frames",
        "take-001, 0 of 4 frames",
    ]
    with pytest.raises(RuntimeError, match="no unfinished take 'take-009'"):
        operators.latentman.resume(take="take-009")
    current.problems.clear_all()
    assert operators.latentman.resume(take="take-001") == {"FINISHED"}
    (strip,) = takes(context.scene)
    assert (strip[DONE], strip[SEED]) == (4, "1")
    assert [take.name for take in current.unfinished(bpy.context)] == ["take-002"] and operators.latentman.resume.poll()
    for wrong in ("", "take-001", "../latentman"):
        with pytest.raises(RuntimeError, match="No take is named|no unfinished take"):
            operators.latentman.delete_take(take=wrong)
    assert operators.latentman.delete_take(take="take-002") == {"FINISHED"}
    assert sorted(path.name for path in base.glob("take-*")) == ["take-001"] and takes(context.scene) == [strip]
    assert current.unfinished(bpy.context) == () and not operators.latentman.resume.poll()


def test_a_finished_take_is_shown_alone_and_takes_the_scene_to_its_size(shot: Path) -> None:
    assert operators.latentman.generate() == {"FINISHED"}
    render = context.scene.render
    assert (render.resolution_x, render.resolution_y) == (64, 64)
    render.resolution_x = 100  # a size that the user has set
    context.scene.latentman.seed = 2
    assert operators.latentman.generate() == {"FINISHED"}
    first, second = takes(context.scene)
    assert (first.mute, second.mute) == (True, False)
    assert (render.resolution_x, render.resolution_y) == (100, 64)
    assert operators.latentman.compare_takes() == {"FINISHED"}
    assert (first.mute, second.mute) == (False, True)
    assert operators.latentman.resume.poll() is False


def _look_at_a_moved_camera(shot: Path) -> None:
    """The camera is moved in the last frame; that is found, and nothing is rendered for it."""
    files = {path: path.stat().st_mtime_ns for path in shot.parent.joinpath("latentman", "passes").iterdir()}
    lens = context.scene.camera.data
    for frame, shift in ((3, 0.0), (4, 0.1)):
        lens.shift_x = shift
        lens.keyframe_insert("shift_x", frame=frame)
    assert _changes() == Compared((4,), (1, 2, 3), to_generate=4, at_most=True)
    assert {path: path.stat().st_mtime_ns for path in files} == files


def _changes() -> Any:
    assert operators.latentman.count_changes() == {"FINISHED"}
    current = running.generation()
    comparison = current.comparison
    assert comparison is not None
    tick(lambda: not comparison.running)
    assert current.error is None
    return comparison.result


def test_another_file_is_loaded_meanwhile(shot: Path) -> None:
    current = started()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    tick(lambda: not current.running)
    current.tick()
    assert current.progress.state is GenerateState.DONE and current.error is None
    assert takes(context.scene) == []
    bpy.ops.wm.open_mainfile(filepath=str(shot))
    assert operators.latentman.find_takes() == {"FINISHED"}
    (strip,) = takes(context.scene)
    assert strip[DONE] == 4
    assert operators.latentman.find_takes() == {"FINISHED"} and len(takes(context.scene)) == 1


def test_a_file_that_was_never_saved_is_not_taken_for_the_next_new_file(shot: Path) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    home = running._Home(bpy.data.filepath, context.scene.name, running._Running.loads)
    assert home.find() == context.scene
    bpy.ops.wm.read_factory_settings(use_empty=True)
    assert context.scene.name == home.scene and home.find() is None


def test_a_fault_in_looking_at_the_scene_ends_the_shot_and_is_told(shot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(context: Any) -> bool:
        raise ZeroDivisionError

    current = started()
    monkeypatch.setattr(hider_watch, "step", fault)
    with pytest.raises(ZeroDivisionError):
        running._tick()
    assert not current.running and current.error is not None and current.error.code == "addon.fault"


def test_an_undo_takes_no_reference_with_it(shot: Path) -> None:
    bpy.ops.ed.undo_push(message="before")
    current = started()
    context.scene.latentman.seed = 99
    bpy.ops.ed.undo_push(message="after")
    bpy.ops.ed.undo()
    assert takes(context.scene) == []  # the strip is younger than the step that was gone back to
    tick(lambda: not current.running)
    current.tick()
    assert current.progress.state is GenerateState.DONE and current.error is None
    (strip,) = takes(context.scene)
    assert strip[DONE] == 4


def test_quitting_in_mid_job_leaves_no_process_and_the_job_goes_on_later(shot: Path) -> None:
    command = [sys.executable, "-m", "tests.blender.quit_midway", str(shot)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=GUARD_S, check=False)
    # Before 5.0 the module crashes where a process ends with operators registered; Blender itself does not.
    crashed = done.returncode == -signal.SIGSEGV and bpy.app.version < (5, 0)
    assert crashed or done.returncode == 0, done.stderr
    pids = next(line for line in done.stdout.splitlines() if line.startswith("STARTED")).split()[1:]
    assert len(pids) >= 2
    wait_gone({psutil.Process(int(pid)) for pid in pids if psutil.pid_exists(int(pid))})
    assert operators.latentman.resume() == {"FINISHED"}
    assert sorted(computed(shot.parent / "latentman")) == ["1", "2", "3", "4"]


def test_a_killed_backend_is_told_with_its_button_and_can_be_started_again(shot: Path) -> None:
    current = running.generation()
    assert operators.latentman.start_backend() == {"FINISHED"}
    assert not operators.latentman.start_backend.poll()
    tick(lambda: current.backend.state is BackendState.READY)
    (backend,) = [process for process in psutil.Process().children() if "--stdio" in process.cmdline()]
    backend.kill()
    tick(lambda: current.error is not None)
    error = current.error
    assert error is not None and error.code == "backend.died" and f"process {backend.pid}" in error.message
    assert current.backend.state is not BackendState.READY
    tick(lambda: current.backend.state is BackendState.STOPPED)
    assert operators.latentman.start_backend() == {"FINISHED"} and current.error is None
    assert operators.latentman.stop_backend() == {"FINISHED"}
    assert not operators.latentman.generate.poll()  # not before the folder is free again
    tick(lambda: current.backend.state is BackendState.STOPPED)
    assert operators.latentman.generate.poll()


def test_memory_is_shown_and_released_when_no_shot_needs_it(shot: Path) -> None:
    current = running.generation()
    release = operators.latentman.release_memory
    assert not release.poll()
    current.start(bpy.context)
    tick(lambda: bool(current.backend.memory))
    assert current.running and current.backend.memory[0].model_loaded and not release.poll()
    tick(lambda: not current.running)
    assert release.poll() and release() == {"FINISHED"}
    tick(lambda: not current.backend.memory[0].model_loaded)
    assert not release.poll() and current.error is None


def test_three_rounds_with_a_backend_leave_no_process_thread_or_socket(shot: Path) -> None:
    left = []
    for _ in range(3):
        assert operators.latentman.start_backend() == {"FINISHED"}
        tick(lambda: running.generation().backend.state is BackendState.READY)
        blender_addon.unregister()
        own = psutil.Process()
        left.append((own.children(), sorted(thread.name for thread in threading.enumerate()), own.num_fds()))
        blender_addon.register()
    assert left[0][0] == [] and left[1:] == left[:1] * 2
