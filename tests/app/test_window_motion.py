"""The ways in for a motion in a real window: the button, a drop, a sample; the layer for edits, and the manual.

One Blender carries all of it, in this order.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .real_blender import RealBlender
from .shot_in_window import MOTION, assert_no_fault, shot_in_window
from .window import Window

pytestmark = pytest.mark.timeout(900)  # a guard; a machine that has much else to do draws slowly
EDITORS = "[area.type for one in bpy.context.window_manager.windows for area in one.screen.areas]"
VIEWS = "[area.spaces.active.region_3d.view_perspective for area in {areas} if area.type == 'VIEW_3D']".format(
    areas="bpy.context.window_manager.windows[0].screen.areas"
)
NAMES = "sorted(item.name for item in bpy.context.scene.objects if item.type == 'ARMATURE')"
BROWSER = """
one = bpy.context.window_manager.windows[-1]
result = [one.x, one.y, one.width, one.height]
"""
DROP = """
import os, shutil
os.makedirs("/scratch/dropped", exist_ok=True)
names = ["one.npy", "two.NPY"]
for name in names:
    shutil.copy("/tmp/host{motion}", "/scratch/dropped/" + name)
with view():
    files = [{{"name": one}} for one in names]
    bpy.ops.wm.drop_import_file("INVOKE_DEFAULT", directory="/scratch/dropped/", files=files)
"""
POSE = """
armature = bpy.data.objects["one"]
bpy.context.view_layer.objects.active = armature
with view():
    bpy.ops.object.mode_set(mode="POSE")
    bpy.ops.pose.select_all(action="DESELECT")
bone = armature.pose.bones["left_shoulder"]
armature.data.bones.active = bone.bone
(bone if hasattr(bone, "select") else bone.bone).select = True
with view():
    bpy.ops.latentman.add_edit_layer("INVOKE_DEFAULT")
"""
KEY = """
from mathutils import Quaternion
bpy.context.scene.frame_set({frame})
bone = bpy.data.objects["one"].pose.bones["left_shoulder"]
if {turn}:
    bone.rotation_quaternion = bone.rotation_quaternion @ Quaternion((0, 0, 1), {turn})
with view():
    bpy.ops.anim.keyframe_insert_by_name(type="Rotation")
"""
SHOWN = """
result = []
for frame in range(1, 30):
    bpy.context.scene.frame_set(frame)
    shown = bpy.data.objects["one"].evaluated_get(bpy.context.evaluated_depsgraph_get())
    result.append([value for row in shown.pose.bones["left_wrist"].matrix for value in row])
"""
RATELESS = """
import os
import numpy as np
os.makedirs("/scratch/files", exist_ok=True)
poses = np.zeros((12, 66))
poses[:, 0] = np.pi / 2
np.savez("/scratch/files/rateless.npz", poses=poses, trans=np.tile([0.0, 0.0, 1.1], (12, 1)))
"""
CHOOSE = """
for window in bpy.context.window_manager.windows:
    for area in window.screen.areas:
        if area.type == "FILE_BROWSER":
            area.spaces.active.params.directory = b"/scratch/files/"
            area.spaces.active.params.filename = "rateless.npz"
            region = next(one for one in area.regions if one.type == "WINDOW")
            with bpy.context.temp_override(window=window, area=area, region=region):
                bpy.ops.file.execute()
            break
"""
DONE = "bpy.context.window_manager.operators[-1].bl_idname"
SAID_UP = "__import__('json').loads(bpy.data.objects['rateless']['latentman_import'])['up']"
RATE_BUTTON = 'latentman.change_frame_rate(armature="rateless")'
NEXT_ROW = 20  # pixels from one row of a column to the next
RATE = "bpy.data.objects['rateless']['latentman_source_fps']"


@pytest.fixture(scope="module")
def window(blender: RealBlender) -> Iterator[Window]:
    """The window that carries all tests of this module, without a character."""
    with shot_in_window(blender) as opened:
        yield opened


@pytest.fixture(autouse=True)
def no_fault(window: Window) -> Iterator[None]:
    """What Blender prints is looked at after each test."""
    yield
    assert_no_fault(window)


def test_the_button_opens_the_file_browser(window: Window) -> None:
    window.press("latentman.import_motion", f"'FILE_BROWSER' in {EDITORS}")
    left, bottom, width, height = window.python(BROWSER)  # without a window manager, keys go where the mouse is
    window.move(left + width // 2, window.size[1] - bottom - height // 2)
    window.key("Escape")
    window.wait(f"'FILE_BROWSER' not in {EDITORS}", 30)
    assert window.value(NAMES) == []


def test_files_that_are_dropped_into_the_view_are_seen_through_the_camera(window: Window) -> None:
    assert window.value(VIEWS) == ["PERSP"]
    window.python(DROP.format(motion=MOTION))
    window.wait(f"len({NAMES}) == 2", 60)
    assert window.value(NAMES) == ["one", "two"]
    assert window.value(VIEWS) == ["CAMERA"]
    assert window.value("bpy.data.objects['two'].location.x") > 1


def test_a_sample_leaves_a_users_camera_and_view(window: Window) -> None:
    window.python("del bpy.context.scene.camera['latentman_camera']")
    window.python("with view(): bpy.context.space_data.region_3d.view_perspective = 'PERSP'")
    window.python(f"with view(): bpy.ops.latentman.import_motion('INVOKE_DEFAULT', filepath={f'/tmp/host{MOTION}'!r})")
    assert len(window.value(NAMES)) == 3 and window.value(VIEWS) == ["PERSP"]


def test_a_chosen_file_without_a_rate_opens_the_question_and_return_takes_the_likely_rate(window: Window) -> None:
    window.python(RATELESS)
    before = window.value(NAMES)
    window.press("latentman.import_motion", f"'FILE_BROWSER' in {EDITORS}", upwards=True)
    window.python(CHOOSE)
    window.wait(f"'FILE_BROWSER' not in {EDITORS}", 30)
    assert window.value(NAMES) == before  # it is asked first
    window.key("Return")
    window.wait(f"'rateless' in {NAMES}", 30)
    assert window.value(RATE) == 30.0


def test_the_lines_of_the_box_open_a_question_and_a_list(window: Window) -> None:
    window.python("bpy.data.objects['rateless'].latentman_open = True")
    x, y = window.find_button(RATE_BUTTON)
    window.click(x, y)
    window.key("Return")
    window.wait(f"{DONE}.startswith('LATENTMAN_OT_change_frame_rate')", 30)
    x, y = window.find_button(RATE_BUTTON)
    window.click(x, y + NEXT_ROW)
    window.key("Down", "Down", "Return")
    window.wait(f"{DONE}.startswith('LATENTMAN_OT_reimport_motion')", 30)
    assert window.value(SAID_UP) != "auto"


def test_keys_of_pose_mode_go_into_the_layer(window: Window) -> None:
    before = window.python(SHOWN)
    window.python(POSE)
    for frame, turn in ((5, 0.0), (15, 0.0), (10, 0.7)):
        window.python(KEY.format(frame=frame, turn=turn))
    after = window.python(SHOWN)
    changed = [frame for frame in range(1, 30) if after[frame - 1] != before[frame - 1]]
    assert changed == list(range(6, 15))
    window.python("with view(): bpy.ops.latentman.remove_edit_layer('INVOKE_DEFAULT')")
    assert window.python(SHOWN) == before


def test_the_manual_opens_beside_the_view(window: Window) -> None:
    window.python("with view(): bpy.ops.latentman.open_help('INVOKE_DEFAULT')")
    window.wait(f"'TEXT_EDITOR' in {EDITORS}", 30)
    assert window.value("bpy.data.texts['LatentMan panel.md'].lines[0].body").startswith("# The panel")
