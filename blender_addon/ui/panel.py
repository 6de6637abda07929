"""The LatentMan panels in the 3D view's sidebar and in the scene properties. They draw what is, and decide nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import bpy

from ..typed_bpy import registration_of
from .backend import draw_backend
from .character import draw_advanced, draw_character, draw_preset
from .run import draw_run
from .shot import draw_body, draw_camera, draw_motion, draw_passes
from .takes import draw_takes


@dataclass(frozen=True, slots=True)
class Section:
    """One sub-panel; `parent` is another section's name, empty for the top."""

    name: str
    label: str
    draw: Callable[[Any, Any], None]
    closed: bool = False
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """An editor in which the panels are."""

    prefix: str
    space: dict[str, str]


SECTIONS = (
    Section("backend", "Backend", draw_backend, closed=True),
    Section("motion", "Motion", draw_motion),
    Section("body", "Body", draw_body, closed=True),
    Section("camera", "Camera", draw_camera),
    Section("passes", "Passes", draw_passes, closed=True),
    Section("character", "Character", draw_character),
    Section("preset", "Strength Preset", draw_preset, closed=True, parent="character"),
    Section("advanced", "Advanced", draw_advanced, closed=True, parent="character"),
    Section("generate", "Generate", draw_run),
    Section("takes", "Takes", draw_takes),
)
PLACES = (
    Place("LATENTMAN_PT_", {"bl_space_type": "VIEW_3D", "bl_region_type": "UI", "bl_category": "LatentMan"}),
    Place(
        "LATENTMAN_PT_properties_",
        {"bl_space_type": "PROPERTIES", "bl_region_type": "WINDOW", "bl_context": "scene"},
    ),
)


def _top(place: Place) -> type:
    """The panel that holds the others."""

    def draw(self: Any, context: Any) -> None:
        """Nothing of its own."""

    body = {"bl_label": "LatentMan", "draw": draw, **place.space}
    return type(f"{place.prefix}main", (bpy.types.Panel,), {**body, "__module__": __name__})


def _panel(place: Place, section: Section) -> type:
    def draw(self: Any, context: Any) -> None:
        """Draw the section."""
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        section.draw(self.layout, context)

    body: dict[str, Any] = {
        "bl_label": section.label,
        "bl_parent_id": f"{place.prefix}{section.parent or 'main'}",
        "bl_options": {"DEFAULT_CLOSED"} if section.closed else set(),
        "draw": draw,
        **place.space,
    }
    return type(f"{place.prefix}{section.name}", (bpy.types.Panel,), {**body, "__module__": __name__})


_CLASSES = tuple(
    panel for place in PLACES for panel in (_top(place), *(_panel(place, section) for section in SECTIONS))
)

register, unregister = registration_of(*_CLASSES)
