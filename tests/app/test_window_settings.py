"""Settings in a real window, by mouse and keyboard: body, keyed prompts, model, preset.

One Blender carries all of it, in this order.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from .real_blender import PROJECT, RealBlender
from .shot_in_window import ADDON, IMPORT_MOTION, assert_no_fault, shot_in_window
from .window import Window

pytestmark = pytest.mark.timeout(900)  # a guard; a machine that has much else to do draws slowly
SETTINGS = "bpy.context.scene.latentman"
HAS_EDITOR = "any(one.type == 'TEXT_EDITOR' for one in bpy.context.window_manager.windows[0].screen.areas)"
MENU_ABOVE = 24  # pixels from the field of the seed up to the menu of models
MENU_BELOW = 63  # pixels from the last button of Prompt down to the menu of presets, the first of Generate


@pytest.fixture(scope="module")
def window(blender: RealBlender) -> Iterator[Window]:
    """The window that carries all tests of this module, with a character."""
    with shot_in_window(blender) as opened:
        opened.python(IMPORT_MOTION)
        yield opened


@pytest.fixture(autouse=True)
def no_fault(window: Window) -> Iterator[None]:
    """What Blender prints is looked at after each test."""
    yield
    assert_no_fault(window)


def test_a_shape_of_ones_own_is_typed(window: Window) -> None:
    with window.open_setting("Body"):
        window.click(*window.find_field("latentman.own_betas"))
        window.wait(f"{SETTINGS}.own_betas", 30)
        window.scroll(60)
        window.click(*window.find_field("latentman.betas[0]"))
        window.type("2")
        window.key("Return")
        window.wait(f"{SETTINGS}.betas[0] == 2", 30)


def test_keyed_prompts_are_typed_beside_the_view(window: Window) -> None:
    assert not window.value("bpy.ops.latentman.generate.poll()")
    with window.open_setting("More Prompts"):
        window.press("latentman.edit_prompts", HAS_EDITOR, upwards=True)
    assert window.value(f"{SETTINGS}.prompts.as_string()") == "1:"
    left, top, right, bottom = window.box("TEXT_EDITOR", "WINDOW")
    window.click((left + right) // 2, (top + bottom) // 2)
    window.key("ctrl+a")
    window.type("1: a robot on the moon")
    window.key("Return")
    window.type("2: a knight")
    assert window.value(f"{SETTINGS}.prompts.as_string()") == "1: a robot on the moon\n2: a knight"
    assert window.value("bpy.ops.latentman.generate.poll()")


def test_a_model_of_ones_own_is_chosen_from_the_menu(window: Window) -> None:
    model = window.blender.scratch / "models" / "my model"
    shutil.copytree(PROJECT / "backend" / "embedded", model)
    window.python(f"bpy.ops.latentman.add_model_folder(directory={f'{model}/'!r})")
    with window.open_setting("Model"):
        x, y = window.find_field("latentman.seed", upwards=True)
        window.click(x, y - MENU_ABOVE)
        window.key("Down", "Down", "Return")
        window.wait(f"{SETTINGS}.model == {str(model)!r}", 30)
    window.wait("not generation().models.running", 60)
    known = f"__import__('{ADDON}.scene.preferences', fromlist=['x']).stored_preferences(bpy.context)"
    assert window.value(f"generation().models.report({known}.models[0]).faults") == []


def test_a_preset_is_applied_at_once_and_brought_back_after_a_change(window: Window) -> None:
    assert window.value(f"({SETTINGS}.method, {SETTINGS}.preset)") == ["text2video_zero", "surface"]
    window.scroll(-60)
    x, y = window.find_button("latentman.edit_prompts")
    window.click(x, y + MENU_BELOW)
    window.key("Down", "Down", "Return")
    window.wait(f"{SETTINGS}.preset == 'surface_fast'", 30)
    assert window.value(f"{SETTINGS}.method") == "surfacelock"
    steps = window.value(f"{SETTINGS}.steps")
    window.python(f"{SETTINGS}.steps = {steps + 1}")
    window.press("latentman.apply_preset", f"{SETTINGS}.steps == {steps}")
    assert window.value(f"{SETTINGS}.preset") == "surface_fast"
