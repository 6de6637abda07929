"""The add-on in a real window, as an animator uses it: by mouse and keyboard, and through what happens in mid-job.

One Blender carries all of it, in this order; each test leaves a saved file with a character and no shot under way.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from .real_blender import RealBlender
from .shot_in_window import ADDON, IMPORT_MOTION, NAME_GENERATION, SIZE, assert_no_fault, shot_in_window
from .window import Window, open_window

pytestmark = pytest.mark.timeout(900)  # a guard; a machine that has much else to do draws slowly
GUARD_S = 60.0  # ends a test that would hang; nothing is measured with it
SAVE = "bpy.ops.wm.save_mainfile()"
# A take of these takes some seconds, so that there is a middle of it.
LONG = "bpy.context.scene.latentman.steps = 24"
_STRIPS = """
editor = bpy.context.scene.sequence_editor
strips = [] if editor is None else editor.strips if hasattr(editor, "strips") else editor.sequences
result = sorted([strip.name, strip.channel, [element.filename for element in strip.elements]] for strip in strips)
"""
FRAMES = ["0001.png", "0002.png"]
ENABLE = f"import addon_utils; addon_utils.enable({ADDON!r}); {NAME_GENERATION}"
# What could be left behind: counted, since the names of things are the same each time.
DISABLE = f"""
import addon_utils, os, threading
addon_utils.disable({ADDON!r})
handlers = [one for one in map(bpy.app.handlers.__getattribute__, dir(bpy.app.handlers)) if isinstance(one, list)]
result = {{
    "properties": hasattr(bpy.types.Scene, "latentman"),
    "handlers": sum(map(len, handlers)),
    "threads": threading.active_count(),
    "descriptors": len(os.listdir("/proc/self/fd")),
}}
"""


@pytest.fixture(scope="module")
def window(blender: RealBlender) -> Iterator[Window]:
    """The window that carries all tests of this module."""
    with shot_in_window(blender) as opened:
        yield opened


@pytest.fixture(autouse=True)
def no_fault(window: Window) -> Iterator[None]:
    """What Blender prints is looked at after each test."""
    yield
    assert_no_fault(window)


def shot_file(window: Window) -> Path:
    return window.blender.scratch / "shot" / "shot.blend"


def generate(window: Window) -> None:
    window.python("with view(): bpy.ops.latentman.generate('INVOKE_DEFAULT')")


def wait_for_the_middle(window: Window) -> None:
    window.wait("generation().progress.stage == 'sampling' or not generation().running")
    assert window.value("generation().running"), window.value("str(generation().error)")


def wait_for_the_end(window: Window) -> str:
    window.wait("not generation().running")
    return str(window.value("generation().progress.state.value"))


def strips(window: Window) -> list[Any]:
    """Name, channel and file names of each strip."""
    found: list[Any] = window.python(_STRIPS)
    return found


def started_by(window: Window) -> list[psutil.Process]:
    """The processes that this Blender has started, those that are ending already left out."""
    return [one for one in psutil.Process(window.process.pid).children(recursive=True) if one.status() != "zombie"]


def wait_gone(pids: list[int]) -> None:
    """A worker whose backend was ended by force ends by itself, at its next step."""
    _, alive = psutil.wait_procs([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], timeout=GUARD_S)
    assert alive == []


def backend_of(window: Window) -> psutil.Process:
    (found,) = [one for one in started_by(window) if "--stdio" in one.cmdline()]
    return found


def test_a_take_is_made_by_mouse_and_keyboard(window: Window) -> None:
    window.python(IMPORT_MOTION)
    assert window.value("bpy.context.view_layer.objects.active.type") == "ARMATURE"
    window.scroll(60)
    assert not window.value("bpy.ops.latentman.generate.poll()")
    x, y = window.find_field("latentman.prompt")
    window.move(x, y)
    window.xdotool("click", "--repeat", "2", "--delay", "60", "1")
    window.type("a robot on the moon")
    window.key("Return")
    assert window.value("bpy.context.scene.latentman.prompt") == "a robot on the moon"
    window.python(SAVE)
    window.press("latentman.generate", "generation().progress is not None", upwards=True)
    assert wait_for_the_end(window) == "done", window.value("str(generation().error)")
    assert strips(window) == [["take-001 text2video_zero", 1, FRAMES]]
    assert window.value("getattr(bpy.data.workspaces[0], 'sequencer_scene', bpy.context.scene) is not None")


def test_what_looks_at_every_frame_is_stopped_by_esc_and_else_comes_to_its_end(window: Window) -> None:
    show = "with view(): result = list(bpy.ops.latentman.preview_depth('INVOKE_DEFAULT'))"
    under_way = "any('preview_depth' in one.bl_idname for one in bpy.context.window_manager.windows[0].modal_operators)"
    shown = "'latentman_depth_range' in bpy.context.scene"
    window.python("bpy.context.scene.latentman.frames = '1-2000'; bpy.context.scene.frame_set(2)")
    window.move(400, 600)
    assert window.python(show) == ["RUNNING_MODAL"]
    window.key("Escape")
    window.wait(f"not {under_way}")
    assert not window.value(shown) and window.value("bpy.context.scene.frame_current") == 2
    window.python("bpy.context.scene.latentman.frames = '1-2'")
    for expected in (True, False):
        assert window.python(show) == ["RUNNING_MODAL"]
        window.wait(f"not {under_way}")
        assert window.value(shown) is expected and window.value("bpy.context.scene.frame_current") == 2


def test_cancel_by_its_button_keeps_the_take_for_resume(window: Window) -> None:
    window.python("bpy.context.scene.latentman.steps = 900")
    generate(window)
    wait_for_the_middle(window)
    window.scroll(60)
    window.press("latentman.cancel", "not generation().running", upwards=True)
    assert wait_for_the_end(window) == "cancelled"
    assert window.value("generation().error") is None
    assert window.value("bpy.ops.latentman.resume.poll()")


def test_a_killed_backend_is_told_with_the_button_that_mends_it(window: Window) -> None:
    window.python(f"{LONG}; bpy.context.scene.latentman.seed = 8")
    generate(window)
    wait_for_the_middle(window)
    backend_of(window).kill()
    assert wait_for_the_end(window) == "failed"
    assert window.value("generation().error.code") == "backend.died"
    assert "was stopped by the system, probably" in window.value("generation().error.message")
    assert window.value("generation().backend.state.value") != "Ready"
    window.wait("bpy.ops.latentman.start_backend.poll()")
    window.scroll(60)
    window.press("latentman.start_backend", "generation().backend.state.value in ('Starting', 'Ready')", upwards=True)
    window.wait("generation().backend.state.value == 'Ready'")
    assert window.value("generation().error") is None


def test_undo_by_keyboard_in_mid_job(window: Window) -> None:
    window.python(f"{LONG}; bpy.context.scene.latentman.seed = 9")
    window.python("with view(): bpy.ops.ed.undo_push(message='before')")
    generate(window)
    wait_for_the_middle(window)
    window.move(400, 600)
    window.key("ctrl+z")
    window.wait("bpy.context.scene.latentman.seed != 9")
    assert wait_for_the_end(window) == "done"
    assert strips(window)[-1][0] == "take-004 text2video_zero"


def test_another_file_in_mid_job(window: Window) -> None:
    window.python(f"{LONG}; bpy.context.scene.latentman.seed = 10; {SAVE}")
    generate(window)
    wait_for_the_middle(window)
    window.python("with view(): bpy.ops.wm.read_homefile(load_ui=False)")
    assert window.value("generation().running")
    assert wait_for_the_end(window) == "done"
    assert strips(window) == []
    window.python(f"with view(): bpy.ops.wm.open_mainfile(filepath={str(shot_file(window))!r}, load_ui=False)")
    window.python("with view(): bpy.ops.latentman.find_takes()")
    assert [name for name, _, _ in strips(window)][-1] == "take-005 text2video_zero"


def test_disabling_in_mid_job_leaves_nothing_and_resume_goes_on(window: Window) -> None:
    window.python(f"{LONG}; bpy.context.scene.latentman.seed = 11")
    generate(window)
    wait_for_the_middle(window)
    pids = [one.pid for one in started_by(window)]
    assert len(pids) >= 2  # supervisor and worker
    left = [window.python(DISABLE)]
    wait_gone(pids)
    window.python(ENABLE)
    for _ in range(2):
        left.append(window.python(DISABLE))
        window.python(ENABLE)
    assert left[0]["properties"] == 0 and left[1:] == left[:1] * 2
    assert window.value("bpy.ops.latentman.resume.poll()")
    window.python("with view(): bpy.ops.latentman.resume('INVOKE_DEFAULT')")
    assert wait_for_the_end(window) == "done", window.value("str(generation().error)")


def test_quitting_in_mid_job_and_coming_back(window: Window) -> None:
    window.python(f"{LONG}; bpy.context.scene.latentman.seed = 12; {SAVE}")
    generate(window)
    wait_for_the_middle(window)
    pids = [one.pid for one in started_by(window)]
    assert window.quit() == 0
    wait_gone(pids)
    file = str(shot_file(window))  # a path that means the same to the backend
    with open_window(window.blender, file, size=SIZE) as again:
        again.python(NAME_GENERATION)
        again.open_sidebar()
        again.scroll(60)
        newest = max(folder.name for folder in shot_file(window).parent.glob("latentman/take-*"))
        listed = again.value("[take.name for take in generation().unfinished(bpy.context)]")
        assert listed == [newest, "take-003", "take-002"]
        again.press(f'latentman.resume(take="{newest}")', "generation().running", upwards=True)
        assert wait_for_the_end(again) == "done", again.value("str(generation().error)")
        assert again.value("[take.name for take in generation().unfinished(bpy.context)]") == listed[1:]
        assert strips(again)[-1] == [f"{newest} text2video_zero", len(strips(again)), FRAMES]
        assert again.quit() == 0
