"""The preferences, and the doctor's report below them."""

from __future__ import annotations

from typing import Any

import bpy

from .. import __package__ as addon_name
from ..scene.preferences import PreferenceFields
from ..shot.running import generation
from ..typed_bpy import registration_of
from .install import draw_place
from .models import draw_models
from .text import draw_text


class LatentManPreferences(PreferenceFields, bpy.types.AddonPreferences):
    """Backend, device, models, output folder, and the doctor."""

    bl_idname = addon_name

    def draw(self, context: Any) -> None:
        """Draw the fields, and what the doctor says."""
        draw_preferences(self.layout, self)


def draw_preferences(layout: Any, preferences: Any) -> None:
    """Draw the fields, the program that they lead to, the models, and what the doctor says."""
    draw_place(layout, preferences)
    column = layout.column()
    column.use_property_split = True
    for name in ("device", "connection", "output", "notify"):
        column.prop(preferences, name)
    draw_models(layout, preferences)
    doctor = generation().doctor
    layout.operator("latentman.doctor", icon="HEART")
    if doctor.running:
        draw_text(layout, "The doctor is checking this machine", "SORTTIME")
    for finding in doctor.findings:
        draw_text(layout, f"{finding.name}: {finding.text}", "CHECKMARK" if finding.works else "ERROR")
        if not finding.works and finding.mend:
            draw_text(layout, f"Run: {finding.mend}", "BLANK1")


register, unregister = registration_of(LatentManPreferences)
