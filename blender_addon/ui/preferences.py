"""The preferences, and the doctor's report below them."""

from __future__ import annotations

from typing import Any

import bpy

from .. import __package__ as addon_name
from ..scene.preferences import PreferenceFields
from ..shared.errors import InputError
from ..shot.generation import BackendChoice, backend_command
from ..shot.running import generation
from ..typed_bpy import registration_of
from .models import draw_models
from .text import draw_error, draw_text


class LatentManPreferences(PreferenceFields, bpy.types.AddonPreferences):
    """Backend, device, models, output folder, and the doctor."""

    bl_idname = addon_name

    def draw(self, context: Any) -> None:
        """Draw the fields, and what the doctor says."""
        draw_preferences(self.layout, self)


def draw_preferences(layout: Any, preferences: Any) -> None:
    """Draw the fields, the program that they lead to, the models, and what the doctor says."""
    column = layout.column()
    column.use_property_split = True
    for name in ("backend", "device", "connection", "output", "notify"):
        column.prop(preferences, name)
    if not preferences.connection:
        _draw_found(layout, preferences.backend)
    draw_models(layout, preferences)
    doctor = generation().doctor
    layout.operator("latentman.doctor", icon="HEART")
    if doctor.running:
        draw_text(layout, "The doctor is looking at this machine", "SORTTIME")
    for finding in doctor.findings:
        draw_text(layout, f"{finding.name}: {finding.text}", "CHECKMARK" if finding.works else "ERROR")
        if not finding.works and finding.mend:
            draw_text(layout, f"Run: {finding.mend}", "BLANK1")


def _draw_found(layout: Any, command: str) -> None:
    """Which program is the backend, or why there is none."""
    try:
        draw_text(layout, f"The backend is {backend_command(BackendChoice(command)).words[0]}", "CHECKMARK")
    except InputError as error:
        draw_error(layout, error)


register, unregister = registration_of(LatentManPreferences)
