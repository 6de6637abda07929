"""A small shot in a real window: what the window tests begin with, and the names that they use inside."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from .real_blender import PROJECT, RealBlender
from .window import Window, open_window

MOTION = PROJECT / "shared" / "motion" / "samples" / "walk_smpl_params.npy"
ADDON = "bl_ext.user_default.latentman"
SIZE = (1280, 1800)  # high enough for a sidebar with many takes
NAME_GENERATION = f"generation = __import__('{ADDON}.shot.running', fromlist=['generation']).generation"
# The window is drawn by the processor: what only makes it prettier is left out.
_SHOT = """
system = bpy.context.preferences.system
system.viewport_aa, system.use_region_overlap = "OFF", False
bpy.context.preferences.filepaths.file_preview_type = "NONE"
for item in list(bpy.context.scene.objects):
    bpy.data.objects.remove(item, do_unlink=True)
scene = bpy.context.scene
scene.render.fps, scene.render.resolution_x, scene.render.resolution_y = 10, 128, 128
settings = scene.latentman
settings.motion_path, settings.method, settings.frames = "/tmp/host{motion}", "text2video_zero", "1-2"
settings.steps = settings.segment_frames = 1
settings.width = settings.height = 128
bpy.ops.wm.save_as_mainfile(filepath="{blend}")
"""
# As a sample's button does it: the shot's motion, without a file browser.
IMPORT_MOTION = """
with view():
    bpy.ops.latentman.import_motion("INVOKE_DEFAULT", filepath=bpy.context.scene.latentman.motion_path)
"""


@contextlib.contextmanager
def shot_in_window(blender: RealBlender) -> Iterator[Window]:
    """A window with the sidebar open and a saved file of a small shot, without a character yet."""
    with open_window(blender, size=SIZE) as opened:
        shot = blender.scratch / "shot" / "shot.blend"
        shot.parent.mkdir(exist_ok=True)
        opened.python(NAME_GENERATION)
        opened.python(_SHOT.format(motion=MOTION, blend=shot))
        opened.open_sidebar()
        yield opened


def assert_no_fault(window: Window) -> None:
    """Blender prints what fails while it draws, and drops a timer that fails."""
    assert "Traceback" not in window.said() and "not found" not in window.said(), window.said()
