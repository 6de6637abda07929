"""The preferences, and the doctor's report below them."""

from __future__ import annotations

from typing import Any

from ..running import generation
from .text import draw_text


def draw_preferences(layout: Any, preferences: Any) -> None:
    """Draw the fields and what the doctor found."""
    column = layout.column()
    column.use_property_split = True
    for name in ("backend", "device", "connection", "output", "notify"):
        column.prop(preferences, name)
    doctor = generation().doctor
    layout.operator("latentman.doctor", icon="HEART")
    if doctor.running:
        draw_text(layout, "The doctor is looking at this machine", "SORTTIME")
    for finding in doctor.findings:
        draw_text(layout, f"{finding.name}: {finding.text}", "CHECKMARK" if finding.works else "ERROR")
        if not finding.works and finding.mend:
            draw_text(layout, f"Run: {finding.mend}", "BLANK1")
