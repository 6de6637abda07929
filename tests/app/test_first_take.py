"""A newcomer's first take, on the scene that Blender opens with, by mouse and keyboard: every click is counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .real_blender import RealBlender
from .shot_in_window import NAME_GENERATION, assert_no_fault
from .window import Window, open_window

pytestmark = pytest.mark.timeout(900)  # a guard; a machine that has much else to do draws slowly
MOST_CLICKS = 12
FRAMES = 2
SCENE = "bpy.context.scene"
HIDERS = "__import__('bl_ext.user_default.latentman.shot.hider_watch', fromlist=['x']).hiders_now(bpy.context)"
VIEW = "next(one for one in bpy.context.window_manager.windows[0].screen.areas if one.type == 'VIEW_3D')"
STRIPS = """
editor = bpy.context.scene.sequence_editor
strips = [] if editor is None else editor.strips if hasattr(editor, "strips") else editor.sequences
result = [[one.name, one.mute, one.get("latentman_done")] for one in strips]
"""


class Hand:
    """Clicks, counted."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.clicks = 0

    def click(self, place: tuple[int, int]) -> None:
        self.window.click(*place)
        self.clicks += 1

    def press(self, operator: str, expected: str) -> None:
        self.click(self.window.find_button(operator))
        self.window.wait(expected, 60)

    def write(self, path: str, text: str) -> None:
        """A double click marks what stands in a field."""
        self.window.move(*self.window.find_field(path))
        self.window.xdotool("click", "--repeat", "2", "--delay", "60", "1")
        self.clicks += 2
        self.window.type(text)
        self.window.key("Return")


@pytest.fixture
def window(blender: RealBlender) -> Iterator[Window]:
    """Blender as it opens, with the add-on installed and its backend on the PATH."""
    with open_window(blender) as opened:
        opened.python(NAME_GENERATION)
        yield opened
        assert_no_fault(opened)


def test_a_first_take_on_blenders_own_scene(window: Window) -> None:
    hand = Hand(window)
    window.open_sidebar()
    hand.clicks += 1  # the tab; N opens the sidebar
    left, _, right, _ = window.box("VIEW_3D", "UI")
    x, y = window.find_button("latentman.import_motion")
    hand.click((right - (x - left), y))  # Samples, right of Import Motion
    window.key("Down", "Return")  # the first entry
    hand.clicks += 1
    window.wait(f"any(one.type == 'ARMATURE' for one in {SCENE}.objects)", 60)
    assert window.value(f"{VIEW}.spaces.active.region_3d.view_perspective") == "CAMERA"
    assert window.value(f"[{SCENE}.render.resolution_x, {SCENE}.render.resolution_y]") == [256, 256]
    window.wait(f"[one.name for one in {HIDERS}] == ['Cube']", 30)
    hand.press("latentman.leave_out", f"{HIDERS} == ()")
    assert window.value(f"'Cube' in {SCENE}.objects and not {SCENE}.objects['Cube'].hide_render")
    hand.write("latentman.prompt", "a robot on the moon")
    window.scroll(60)  # no click; on a low screen the character's tools push Generate below the edge
    hand.write("latentman.frames", f"1-{FRAMES}")
    window.python(f"{SCENE}.latentman.steps = 8")  # the test's own haste
    hand.press("latentman.generate", "generation().running")
    window.wait("not generation().running")
    assert window.value("generation().error") is None, window.value("str(generation().error)")
    assert window.python(STRIPS) == [["take-001 surfacelock", False, FRAMES]]
    assert window.value(f"{SCENE}.latentman.output").endswith("LatentMan/unsaved-001")
    assert hand.clicks <= MOST_CLICKS
    window.wait("'about' in generation().cost.estimate(bpy.context).text", 30)
