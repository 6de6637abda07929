"""Draws every panel once into a real layout and prints what is in it: `python -m tests.blender.draw_panels SCENE`.

In the background no region is drawn, but a pop-up menu fills its layout at once. What Blender does with the menu
afterwards needs a window, so the process ends inside the drawing function.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

import blender_addon
from blender_addon.scene.scene_job import stored_template
from blender_addon.shot.hider_watch import look_again
from blender_addon.shot.running import generation
from blender_addon.timeline.take import Take, add_take
from blender_addon.ui.panel import SECTIONS
from blender_addon.ui.text import draw_problem
from shared.errors import BackendError
from shared.motion import sample_path
from tests.blender.scenes import context, operators


def empty() -> None:
    """Blender's own start."""


def full() -> None:
    """A character with things to look at and a repair, two takes, a changed setting, and an error."""
    scene = context.scene
    for item in list(scene.objects):
        bpy.data.objects.remove(item, do_unlink=True)
    scene.render.resolution_x, scene.render.resolution_y = 1280, 720  # the user's own
    settings = scene.latentman
    settings.output, settings.prompt, settings.steps = "/tmp/latentman-panels", "a robot", 7
    assert operators.latentman.import_motion(filepath=str(sample_path("walk"))) == {"FINISHED"}
    context.object.location.z = -0.2  # below the floor
    context.view_layer.update()
    assert operators.latentman.plant_feet(strength=0.5) == {"FINISHED"}
    settings.prompts = bpy.data.texts.new("along")
    settings.prompts.from_string("1: a robot, 30: a knight")
    job = stored_template(scene, (1, 2))
    for number in (1, 2):
        folder, notes = Path(f"/tmp/latentman-panels/take-00{number}/latentman"), ("A plate was taken.",) * (number - 1)
        add_take(scene, Take(folder, job, "0" * 64, notes=notes))
    (Path(settings.output) / "take-003").mkdir(parents=True, exist_ok=True)
    (Path(settings.output) / "take-003" / "request.json").write_text("cut off")
    lost = BackendError("backend.died", "The backend ended with code -9.", "Run: latentman doctor")
    generation().problems.say(lost)


def armature() -> None:
    """A figure with Mixamo's bones, one of which the table names wrongly."""
    bpy.ops.object.armature_add()
    source = context.object
    for number, name in enumerate(("Hips", "LeftUpLeg", "LeftLeg", "LeftFoot")):
        if number:
            bpy.ops.object.mode_set(mode="EDIT")
            bone = source.data.edit_bones.new(name)
            bone.head, bone.tail = (0, 0, 1 - 0.3 * number), (0, 0, 0.8 - 0.3 * number)
            bpy.ops.object.mode_set(mode="OBJECT")
        else:
            source.data.bones[0].name = name
    assert operators.latentman.guess_bones() == {"FINISHED"}
    source.latentman_bones.head = "Skull"


def hidden() -> None:
    """The start-up file's cube before a character, and two planes that were decided about."""
    assert operators.latentman.import_motion(filepath=str(sample_path("walk"))) == {"FINISHED"}
    for name, decide in (("wall", operators.latentman.leave_out), ("chair", operators.latentman.keep_in_picture)):
        bpy.ops.mesh.primitive_plane_add(size=0.1)
        context.object.name = name
        assert decide(name=name) == {"FINISHED"}
    look_again(context)


def draw(scenario: Callable[[], None]) -> None:
    """Draw a scenario, print, end."""
    bpy.ops.wm.read_factory_settings()
    blender_addon.register()
    scenario()

    def draw_menu(menu: Any, context: Any) -> None:
        whole = False
        try:
            for section in SECTIONS:
                menu.layout.label(text=f"SECTION {section.name}")
                draw_problem(menu.layout.column(), section.name)
                section.draw(menu.layout.column(), context)
            print("DRAWN", json.dumps(menu.layout.introspect()), flush=True)
            whole = True
        finally:
            if not whole:
                traceback.print_exc()
            os._exit(0 if whole else 1)

    with bpy.context.temp_override(window=context.window_manager.windows[0]):
        context.window_manager.popup_menu(draw_menu)


if __name__ == "__main__":
    draw({"empty": empty, "full": full, "hidden": hidden, "armature": armature}[sys.argv[1]])
