"""The LatentMan panel in the 3D view's sidebar. It draws what is, and decides nothing."""

from __future__ import annotations

import json
from typing import Any

import bpy

from ..ops import generate
from ..rig import character as rig
from ..shared.errors import LatentManError

_GROUPS = (("method", "model"), ("seed", "steps", "guidance_scale"), ("width", "height"), ("engine", "output"))


class _Panel:
    """Where all our panels are."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "LatentMan"


class LATENTMAN_PT_character(_Panel, bpy.types.Panel):
    """Motion, body and camera."""

    bl_idname = "LATENTMAN_PT_character"
    bl_label = "Character"

    def draw(self, context: Any) -> None:
        """Draw the fields, the buttons, and what is known of each character's motion."""
        settings = context.scene.latentman
        layout = self.layout
        layout.use_property_split = True
        layout.prop(settings, "motion_path")
        layout.prop(settings, "body_path")
        layout.operator("latentman.import_motion", icon="ARMATURE_DATA")
        for one in rig.characters(context.scene):
            _draw_facts(layout.box().column(align=True), one.armature)
        row = layout.row(align=True)
        row.operator("latentman.frame_shot", icon="CAMERA_DATA")
        row.prop(settings, "follow_camera", toggle=True)


class LATENTMAN_PT_video(_Panel, bpy.types.Panel):
    """Prompt, settings, generate."""

    bl_idname = "LATENTMAN_PT_video"
    bl_label = "Video"

    def draw(self, context: Any) -> None:
        """Draw the settings, one button that starts or stops, and how far it is."""
        settings = context.scene.latentman
        layout = self.layout
        layout.use_property_split = True
        layout.prop(settings, "prompt")
        layout.prop(settings, "negative_prompt")
        for names in _GROUPS:
            column = layout.column(align=True)
            for name in names:
                column.prop(settings, name)
        _draw_run(layout)


def _draw_facts(column: Any, armature: Any) -> None:
    column.label(text=armature.name, icon="OUTLINER_OB_ARMATURE")
    if armature.get(rig.SOURCE):
        column.label(text=f"{armature[rig.SOURCE]}, {armature.get(rig.FPS, 0):g} fps")
    if rig.RESIDUAL in armature:
        column.label(text=f"Joints fitted within {armature[rig.RESIDUAL]:.1f} cm")
    if not armature.get(rig.TWIST_KNOWN, True):
        column.label(text="Twist is guessed: the file holds positions only", icon="INFO")
    for note in json.loads(armature.get(rig.NOTES, "[]")):
        column.label(text=note)


def _draw_run(layout: Any) -> None:
    run = generate.generation()
    if run.running:
        layout.operator("latentman.cancel", icon="CANCEL")
    else:
        layout.operator("latentman.generate", icon="RENDER_ANIMATION")
    if run.progress is not None:
        layout.progress(factor=run.progress.fraction, text=run.progress.text)
    if run.error is not None:
        _draw_error(layout.box().column(align=True), run.error)


def _draw_error(column: Any, error: LatentManError) -> None:
    column.label(text=error.message, icon="ERROR")
    if error.hint:
        column.label(text=error.hint)


_CLASSES = (LATENTMAN_PT_character, LATENTMAN_PT_video)


def register() -> None:
    """Register the panels."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take the panels back."""
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
