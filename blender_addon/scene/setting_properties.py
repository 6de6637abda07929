"""Blender properties made from the settings that a method declares."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, FloatVectorProperty, IntProperty

from ..shared.methods import MethodSettings
from ..shared.methods.setting import Setting, declared, defaults
from ..shared.methods.spec import HasSettings

_SPAN_STEP = 5  # hundredths


def shown_settings(kind: type[MethodSettings]) -> tuple[str, ...]:
    """The names of the settings that have a place in the panel; the scene keeps them as properties."""
    return tuple(name for name, one in declared(kind).items() if one.group)


def settings_group(owner: HasSettings) -> Any:
    """A group of properties, one for each setting of a method, or of the finish, that has a place in the panel."""
    known, usual = declared(owner.settings), defaults(owner.settings)
    fields = {name: _property(known[name], usual[name]) for name in shown_settings(owner.settings)}
    name = f"LatentManSettingsOf_{owner.name}"
    return type(name, (bpy.types.PropertyGroup,), {"__doc__": owner.description, "__annotations__": fields})


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
