"""The motion: how one comes in, what is known of each character, and the layer for edits."""

from __future__ import annotations

import json
from typing import Any

import bpy

from ..look.motion_check import warnings
from ..rig import character as rig
from ..rig.import_record import stored_import
from ..rig.motion_figures import stored_check
from ..rig.stack.layers import clip_range, has_edit
from ..scene_time import scene_fps
from ..shared.errors import InputError
from ..shared.motion.assembly import FITTED
from ..shared.motion.samples import SAMPLES
from ..typed_bpy import registration_of
from .assumptions import draw_assumptions
from .export import draw_export
from .hiders import draw_hiders
from .motion_text import draw_improving, draw_motion_text
from .repair import draw_repair
from .retarget import draw_from_armature
from .text import draw_text


class LATENTMAN_MT_samples(bpy.types.Menu):
    """Motions that come with the add-on"""

    bl_idname = "LATENTMAN_MT_samples"
    bl_label = "Samples"

    def draw(self, context: Any) -> None:
        """An entry a sample, which imports it."""
        layout: Any = self.layout
        for sample in SAMPLES:
            text = f"{sample.label} ({sample.seconds:g} s)"
            layout.operator("latentman.import_motion", text=text).filepath = str(sample.path)


def draw_motion(layout: Any, context: Any) -> None:
    """Draw the import, what is known of each character, and what can be done with its motion."""
    row = layout.row(align=True)
    row.scale_y = 1.4
    row.operator("latentman.import_motion", icon="ARMATURE_DATA")
    row.menu(LATENTMAN_MT_samples.bl_idname)
    draw_motion_text(layout, context)
    draw_from_armature(layout, context)
    for one in rig.characters(context.scene):
        _draw_character(layout.box(), context.scene, one.armature)
    draw_hiders(layout, context)
    if rig.characters(context.scene):
        layout.operator("latentman.check_motion", icon="VIEWZOOM")
        draw_repair(layout, context)
        draw_improving(layout)
        draw_export(layout)
        _draw_edit_layer(layout, context)


def _draw_edit_layer(layout: Any, context: Any) -> None:
    """The layer of the active character."""
    try:
        armature = rig.chosen_character(context).armature
    except InputError:
        return
    if not has_edit(armature):
        layout.operator("latentman.add_edit_layer", icon="NLA")
        return
    row = layout.row(align=True)
    row.operator("latentman.merge_edit_layer", icon="NLA_PUSHDOWN")
    row.operator("latentman.remove_edit_layer", icon="X")
    draw_text(layout, f"Keys on {armature.name} go into its edit layer", "INFO")
    draw_text(layout, "Key a bone where the change begins and ends, then pose and key it in between", "BLANK1")


def _draw_character(box: Any, scene: Any, armature: Any) -> None:
    """A character's name, which folds its box, and what is known of it."""
    said = warnings(armature)
    row = box.row(align=True)
    icon = "DOWNARROW_HLT" if armature.latentman_open else "RIGHTARROW"
    row.prop(armature, "latentman_open", icon=icon, icon_only=True, emboss=False)
    row.label(text=armature.name, icon="ERROR" if said and not armature.latentman_open else "OUTLINER_OB_ARMATURE")
    if armature.latentman_open:
        _draw_facts(box.column(align=True), scene, armature, said)


def _draw_facts(column: Any, scene: Any, armature: Any, said: tuple[str, ...]) -> None:
    if armature.get(rig.SOURCE):
        draw_text(column, f"{armature[rig.SOURCE]}, {armature.get(rig.FPS, 0):g} fps")
    if armature.get(rig.TEXT):
        draw_text(column, f'"{armature[rig.TEXT]}"')
    draw_assumptions(column, armature)
    clip = clip_range(armature)
    if clip is not None:
        first, last = clip
        frames = last - first + 1
        draw_text(column, f"Frames {first} to {last}: {frames} frames, {frames / scene_fps(scene):.1f} s")
    if rig.RESIDUAL in armature:
        feet = f", feet {armature[rig.FEET_RESIDUAL]:.1f} cm" if rig.FEET_RESIDUAL in armature else ""
        column.label(text=f"Fitted: joints {armature[rig.RESIDUAL]:.1f} cm off on average{feet}")
    record = stored_import(armature)
    shown = (*said, *(() if record is None else record.said))
    for note in json.loads(armature.get(rig.NOTES, "[]")):
        if note not in shown and not note.startswith(FITTED):
            draw_text(column, note)
    for warning in said:
        draw_text(column, warning, "ERROR")
    check = stored_check(armature)
    if check is not None and not said:
        where = f"frames {check.frames}" if check.frames else "the file"
        draw_text(column, f"Checked {where}: no problems found", "CHECKMARK")


register, unregister = registration_of(LATENTMAN_MT_samples)
