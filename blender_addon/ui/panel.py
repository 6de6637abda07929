"""The LatentMan panels in the 3D view's sidebar and in the scene properties. They draw what is, and decide nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import bpy

from ..help.places import ARMATURE, BACKEND, GENERATE, JOB_FILE, MOTION, PASSES, TAKES
from ..typed_bpy import registration_of
from .backend import draw_backend
from .character import draw_method, draw_model, draw_more_prompts, draw_prompt
from .help import draw_help
from .motion import draw_motion
from .motion_text import draw_motion_text_settings
from .retarget import draw_bones
from .run import draw_job_file, draw_output, draw_run
from .shot import draw_body, draw_camera, draw_import_options, draw_passes
from .takes import draw_takes
from .text import draw_problem


@dataclass(frozen=True, slots=True)
class Section:
    """One sub-panel; its message stands in it by its name. `parent` is another section's name, empty for the top."""

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


def _draw_nothing(layout: Any, context: Any) -> None:
    """A section that only holds others."""


def _setting(name: str, label: str, draw: Callable[[Any, Any], None]) -> Section:
    return Section(name, label, draw, closed=True, parent=SETTINGS)


SETTINGS = "settings"
# What a first take needs comes first and is open; everything else is folded away under Settings.
SECTIONS = (
    Section(MOTION, "Motion", draw_motion),
    Section("prompt", "Prompt", draw_prompt),
    Section(GENERATE, "Generate", draw_run),
    Section(TAKES, "Takes", draw_takes),
    Section(SETTINGS, "Settings", _draw_nothing, closed=True),
    _setting("import", "Import", draw_import_options),
    _setting("motion_text", "Motion from Text", draw_motion_text_settings),
    _setting(ARMATURE, "From Armature", draw_bones),
    _setting("body", "Body", draw_body),
    _setting("camera", "Camera", draw_camera),
    _setting(PASSES, "Picture and Passes", draw_passes),
    _setting("more_prompts", "More Prompts", draw_more_prompts),
    _setting("model", "Model", draw_model),
    _setting("method", "Method and Finish", draw_method),
    _setting("output", "Output", draw_output),
    _setting(JOB_FILE, "Job File", draw_job_file),
    _setting(BACKEND, "Backend", draw_backend),
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

    def draw_header_preset(self: Any, context: Any) -> None:
        """The manual."""
        draw_help(self.layout, context)

    body = {"bl_label": "LatentMan", "draw": draw, "draw_header_preset": draw_header_preset, **place.space}
    return type(f"{place.prefix}main", (bpy.types.Panel,), {**body, "__module__": __name__})


def _panel(place: Place, section: Section) -> type:
    def draw(self: Any, context: Any) -> None:
        """Draw the section."""
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        draw_problem(self.layout, section.name)
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
