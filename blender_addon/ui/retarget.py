"""Motions from other armatures: the button, and the table of bones that an animator corrects."""

from __future__ import annotations

from typing import Any

from ..rig.source.chosen import chosen_source
from ..scene.bone_table import joint_label, table_of
from ..shared.errors import InputError
from ..shared.motion.retarget.bone_map import REQUIRED
from ..shared.motion.skeleton import JOINT_NAMES
from .text import draw_text


def draw_from_armature(layout: Any, context: Any) -> None:
    """Draw the button, with the armature that it would take if there is one."""
    try:
        text = f"From Armature: {chosen_source(context).name}"
    except InputError:
        text = "From Armature"
    layout.operator("latentman.motion_from_armature", text=text, icon="OUTLINER_OB_ARMATURE")


def draw_bones(layout: Any, context: Any) -> None:
    """Draw which armature and frames are taken, and a field a joint for the armature's bone."""
    settings = context.scene.latentman
    layout.prop(settings, "source_armature")
    layout.prop(settings, "source_keys")
    try:
        source = chosen_source(context)
    except InputError as error:
        draw_text(layout, str(error), "INFO")
        return
    row = layout.row(align=True)
    row.operator("latentman.guess_bones", icon="VIEWZOOM")
    row.operator("latentman.save_bone_map", icon="EXPORT")
    row.operator("latentman.load_bone_map", icon="IMPORT")
    table = table_of(source)
    if table is None:
        draw_text(layout, f"The bones of {source.name} will be guessed. Press Guess to see and correct them", "INFO")
        return
    draw_text(layout, f"{source.name}: {table.label}, {len(table.bones)} of {len(JOINT_NAMES)} joints")
    column = layout.column(align=True)
    for joint in JOINT_NAMES:
        field = column.row(align=True)
        bone = table.bones.get(joint)
        field.alert = bone not in source.data.bones if bone else joint in REQUIRED
        field.prop_search(
            source.latentman_bones, joint, source.data, "bones", text=joint_label(joint), icon="BONE_DATA"
        )
