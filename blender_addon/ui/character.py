"""The character: prompt, method, strength."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..scene.presets import preset_named
from ..scene.prompt_text import stored_prompts
from ..scene.properties import group_of
from ..scene.scene_job import hidden_settings, preset_changes
from ..scene.setting_properties import shown_settings
from ..shared.errors import InputError
from ..shared.jobs.keyed_prompts import parse_prompts
from ..shared.methods import METHODS
from ..shared.methods.finish import FINISH_GROUP
from ..shared.methods.setting import Setting, declared
from .models import draw_model_choice
from .text import draw_error, draw_text

_PROMPTS = ("prompt", "negative_prompt")
_SHOWN_KEYS = 8
_ALWAYS = (("seed", "steps"), ("guidance_scale", "controlnet_scale"))
_LABEL_SHARE = 0.4  # as Blender splits label and field


def draw_character(layout: Any, context: Any) -> None:
    """Draw the settings of the job, and those that its method and the finish declare."""
    settings = context.scene.latentman
    _draw_prompts(layout, context.scene)
    draw_model_choice(layout, context)
    for names in _ALWAYS:
        _draw_group(layout, settings, names)
    layout.prop(settings, "method")
    method = METHODS[settings.method]
    for owner in (method, FINISH_GROUP):
        if shown_settings(owner.settings):
            _draw_settings(layout, group_of(context.scene, owner.name), declared(owner.settings))


def draw_advanced(layout: Any, context: Any) -> None:
    """Draw what is seldom changed."""
    settings = context.scene.latentman
    layout.prop(settings, "segment_frames")
    layout.prop(settings, "model", text="Model path")
    draw_text(layout, "A model that only the backend's machine has is named by its path there", "INFO")


def draw_preset(layout: Any, context: Any) -> None:
    """Draw the preset, and what it would change."""
    settings = context.scene.latentman
    _, preset = preset_named(settings.preset)
    layout.prop(settings, "preset")
    draw_text(layout, preset.description)
    try:
        changed = preset_changes(context.scene)
        hidden = hidden_settings(context.scene)
    except InputError as error:
        draw_error(layout, error)
        return
    draw_text(layout, "It would change:" if changed else "The settings are the preset's already")
    column = layout.column(align=True)
    for change in changed:
        draw_text(column, f"{change.label}: {change.before} → {change.after}", "DOT")
    layout.operator("latentman.apply_preset", icon="CHECKMARK")
    if hidden:
        draw_text(layout, f"Also set, not shown here: {', '.join(hidden)}", "INFO")
        layout.operator("latentman.reset_hidden", icon="LOOP_BACK")


def _draw_prompts(layout: Any, scene: Any) -> None:
    """Draw the prompt, the text with keyed prompts that takes its place, and what is wrong with that."""
    settings = scene.latentman
    for name in _PROMPTS:  # over the whole width: they are sentences
        column = layout.column(align=True)
        column.enabled = name != "prompt" or settings.prompts is None
        column.label(text=_label(settings, name))
        column.prop(settings, name, text="")
    layout.template_ID(settings, "prompts", new="text.new", open="text.open", text="Keyed Prompts")
    layout.operator("latentman.edit_prompts", icon="TEXT")
    if settings.prompts is None:
        return
    try:
        keys = parse_prompts(stored_prompts(scene))
    except InputError as error:
        draw_error(layout, error)
        return
    frames = ", ".join(str(key.frame) for key in keys[:_SHOWN_KEYS])
    draw_text(layout, f"Prompts at frames {frames}{', ...' if len(keys) > _SHOWN_KEYS else ''}", "INFO")


def _draw_settings(layout: Any, settings: Any, declarations: Mapping[str, Setting]) -> None:
    """Draw what a method declares, a box a group; what matters only with another value of a setting is left out."""
    for group in dict.fromkeys(one.group for one in declarations.values() if one.group):
        names = [name for name, one in declarations.items() if one.group == group and _matters(one, settings)]
        _draw_group(layout, settings, tuple(names))


def _matters(one: Setting, settings: Any) -> bool:
    return one.only_with is None or getattr(settings, one.only_with[0]) == one.only_with[1]


def _draw_group(layout: Any, settings: Any, names: tuple[str, ...]) -> None:
    column = layout.column(align=True)
    for name in names:
        if getattr(settings.bl_rna.properties[name], "is_array", False):
            _draw_span(column, settings, name)
        else:
            column.prop(settings, name)


def _draw_span(layout: Any, settings: Any, name: str) -> None:
    """Two numbers in one line; left to itself Blender takes a line for each."""
    split = layout.split(factor=_LABEL_SHARE)
    label = split.row()
    label.alignment = "RIGHT"
    label.label(text=_label(settings, name))
    row = split.row(align=True)
    row.use_property_split = False
    for index in range(2):
        row.prop(settings, name, index=index, text="")


def _label(settings: Any, name: str) -> str:
    return str(settings.bl_rna.properties[name].name)
