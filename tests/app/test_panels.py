"""Every panel of the installed extension, drawn into a real layout of a real Blender (tests/blender/draw_panels.py)."""

from __future__ import annotations

from .real_blender import RealBlender, show

_SCRIPT = """
import os, traceback
import bpy
from bl_ext.user_default.latentman.ui.panel import PLACES, SECTIONS
from bl_ext.user_default.latentman.ui.preferences import draw_preferences

scene = bpy.context.scene
scene.latentman.motion_path = "/project/shared/motion/samples/walk_smpl_params.npy"
assert bpy.ops.latentman.import_motion(filepath=scene.latentman.motion_path) == {"FINISHED"}
assert bpy.ops.latentman.check_motion() == {"FINISHED"}
for place in PLACES:
    for section in SECTIONS:
        assert getattr(bpy.types, place.prefix + section.name).is_registered

def draw(menu, context):
    whole = False
    try:
        for section in SECTIONS:
            section.draw(menu.layout.column(), context)
        addon = context.preferences.addons["bl_ext.user_default.latentman"]
        draw_preferences(menu.layout.column(), addon.preferences)
        print("DRAWN", menu.layout.introspect(), flush=True)
        whole = True
    finally:
        if not whole:
            traceback.print_exc()
        os._exit(0 if whole else 9)

window = bpy.context.window_manager.windows[0]
area = window.screen.areas[0]  # a list keeps its state in a region
with bpy.context.temp_override(window=window, area=area, region=area.regions[0]):
    bpy.context.window_manager.popup_menu(draw)
"""


def test_every_panel_is_drawn(blender: RealBlender) -> None:
    (blender.scratch / "panels.py").write_text(_SCRIPT)
    done = blender.run("-b", "--python-exit-code", "7", "--python", "/scratch/panels.py")
    assert done.returncode == 0, show(done)
    drawn = next(line for line in done.stdout.splitlines() if line.startswith("DRAWN "))
    for words in ("walk_smpl_params.npy, 20 fps", "latentman.generate()", "latentman.doctor()", "Not running"):
        assert words in drawn, show(done)
    assert "not found" not in done.stderr, show(done)
