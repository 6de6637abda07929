"""Checks and repairs in a real window: the bar is seen on the timeline, and a repair works in slices.

One Blender carries all of it, in this order.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from .real_blender import RealBlender
from .shot_in_window import MOTION, assert_no_fault
from .window import Window, open_window

pytestmark = pytest.mark.timeout(900)  # a guard; a machine that has much else to do draws slowly
CHARACTER = "next(item for item in bpy.context.scene.objects if item.type == 'ARMATURE')"
SINK = f"""
with view():
    bpy.ops.latentman.import_motion("INVOKE_DEFAULT", filepath="/tmp/host{MOTION}")
{CHARACTER}.location.z = -0.2
"""
PRESS = """
with view():
    bpy.ops.latentman.{name}("INVOKE_DEFAULT")
"""
REMOVE = """
with view():
    bpy.ops.latentman.remove_repair("INVOKE_DEFAULT", repair="{name}")
"""
TRACKS = f"[track.name for track in {CHARACTER}.animation_data.nla_tracks]"
SHOWN = f"""
scene = bpy.context.scene
armature = {CHARACTER}
result = []
for frame in range(scene.frame_start, scene.frame_end + 1):
    scene.frame_set(frame)
    shown = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    result.append([list(row) for bone in shown.pose.bones for row in bone.matrix])
"""


@pytest.fixture(scope="module")
def window(blender: RealBlender) -> Iterator[Window]:
    with open_window(blender) as opened:
        opened.open_sidebar()
        opened.python(SINK)
        yield opened


def warm_pixels(window: Window) -> int:
    """How many pixels of the timeline are much more red than blue."""
    window.python("[one.tag_redraw() for one in bpy.context.window_manager.windows[0].screen.areas]")
    window.move(500, 300)
    left, top, right, bottom = window.box("DOPESHEET_EDITOR", "WINDOW")
    pixels = np.asarray(window.picture())[top:bottom, left:right].astype(int)
    return int((pixels[..., 0] - pixels[..., 2] > 80).sum())


def test_what_the_check_finds_is_a_bar_that_can_be_switched_off(window: Window) -> None:
    before = warm_pixels(window)
    window.python(PRESS.format(name="check_motion"))
    window.wait(f"'latentman_problems' in {CHARACTER}", 120.0)
    shown = warm_pixels(window)
    assert shown > before + 300
    window.python(PRESS.format(name="show_problems"))
    assert abs(warm_pixels(window) - before) < 50
    window.python(PRESS.format(name="show_problems"))
    assert warm_pixels(window) > before + 300


def test_repairs_are_made_in_slices_and_removed_without_a_trace(window: Window) -> None:
    before = window.python(SHOWN)
    for name in ("put_on_floor", "plant_feet"):
        window.python(PRESS.format(name=name))
        window.wait(f"'LatentMan Repair: {name}' in {TRACKS}", 120.0)
    assert not np.allclose(window.python(SHOWN), before, atol=0.05)
    window.python(REMOVE.format(name="put_on_floor"))
    window.wait(f"'LatentMan Repair: put_on_floor' not in {TRACKS}", 120.0)
    window.python(REMOVE.format(name="plant_feet"))
    window.wait(f"not {TRACKS}", 120.0)
    assert window.python(SHOWN) == before


def test_a_file_is_exported_from_the_window_and_nothing_failed(window: Window) -> None:
    window.python('with view():\n    bpy.ops.latentman.export_motion(form="gltf", filepath="/scratch/clip.glb")')
    assert (window.blender.scratch / "clip.glb").stat().st_size > 10000
    assert_no_fault(window)
