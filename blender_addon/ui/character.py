"""The prompt, and the settings of the picture: prompts that change, the model, the method, the finish."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..scene.prompt_text import stored_prompts
from ..scene.properties import group_of
from ..scene.setting_properties import shown_settings
from ..shared.errors import InputError
from ..shared.jobs.keyed_prompts import parse_prompts
from ..shared.methods import METHODS
from ..shared.methods.finish import FINISH_GROUP
from ..shared.methods.setting import Setting, declared
from .models import draw_model_choice
from .text import draw_text

_SHOWN_KEYS = 8
_DENOISING = (("seed", "steps"), ("guidance_scale", "controlnet_scale"), ("segment_frames",))
_LABEL_SHARE = 0.4  # as Blender splits label and field


def draw_prompt(layout: Any, context: Any) -> None:
    """Draw the prompt over the whole width, or the frames of the keyed prompts that take its place."""
    scene, settings = context.scene, context.scene.latentman
    if settings.prompts is None:
        layout.prop(settings, "prompt", text="", placeholder="A robot dancing on the moon")
        return
    try:
        keys = parse_prompts(stored_prompts(scene))
    except InputError:  # Generate says why
        keys = ()
    frames = ", ".join(str(key.frame) for key in keys[:_SHOWN_KEYS])
    draw_text(layout, f"Prompts at frames {frames}{', ...' if len(keys) > _SHOWN_KEYS else ''}", "TEXT")
    layout.operator("latentman.edit_prompts", icon="TEXT")


def draw_more_prompts(layout: Any, context: Any) -> None:
    """Draw the negative prompt and the choice of keyed prompts."""
    settings = context.scene.latentman
    column = layout.column(align=True)
    column.label(text="Negative Prompt")
    column.prop(settings, "negative_prompt", text="")
    column = layout.column(align=True)
    column.label(text="Prompts That Change")
    column.template_ID(settings, "prompts", new="text.new", open="text.open")
    layout.operator("latentman.edit_prompts", icon="TEXT")


def draw_model(layout: Any, context: Any) -> None:
    """Draw the model, and how it denoises."""
    settings = context.scene.latentman
    draw_model_choice(layout, context)
    for names in _DENOISING:
        _draw_group(layout, settings, names)
    layout.prop(settings, "model", text="Model Path")
    draw_text(layout, "For a model that only the backend's machine has: its path on that machine", "INFO")


def draw_method(layout: Any, context: Any) -> None:
    """Draw the method, and the settings that it and the finish declare."""
    settings = context.scene.latentman
    layout.prop(settings, "method")
    for owner in (METHODS[settings.method], FINISH_GROUP):
        if shown_settings(owner.settings):
            _draw_settings(layout, group_of(context.scene, owner.name), declared(owner.settings))


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
    label.label(text=str(settings.bl_rna.properties[name].name))
    row = split.row(align=True)
    row.use_property_split = False
    for index in range(2):
        row.prop(settings, name, index=index, text="")
