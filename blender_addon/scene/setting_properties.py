"""Blender properties made from the settings that a method declares."""

from __future__ import annotations

import dataclasses
from typing import Any

from bpy.props import BoolProperty, EnumProperty, FloatProperty, FloatVectorProperty, IntProperty

from ..shared.methods.setting import Setting, declared

_SPAN_STEP = 5  # hundredths


def properties_of_settings(kind: type) -> dict[str, Any]:
    """A property for each setting of the class that has a place in the panel, by name."""
    defaults = {field.name: field.default for field in dataclasses.fields(kind)}
    return {name: _property(one, defaults[name]) for name, one in declared(kind).items() if one.group}


def _property(one: Setting, default: Any) -> Any:
    words: dict[str, Any] = {"name": one.label, "description": one.help, "default": default}
    if one.choices:
        return EnumProperty(items=[(choice.value, choice.label, choice.help) for choice in one.choices], **words)
    if isinstance(default, bool):
        return BoolProperty(**words)
    limits: dict[str, Any] = {"min": one.low, "max": one.high}
    if isinstance(default, tuple):
        return FloatVectorProperty(size=len(default), step=_SPAN_STEP, **limits, **words)
    if isinstance(default, int):
        return IntProperty(min=round(one.low), max=round(one.high), **words)
    return FloatProperty(**limits, **words)
