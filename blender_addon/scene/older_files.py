"""Files saved by earlier versions: opened, their settings mean what they meant.

The settings of the method `latentman` lay beside the scene's own, as `scene.latentman.SETTING`. Blender keeps the value
of a property that is no longer declared as an item of its group, `scene.latentman["SETTING"]`: a span as an array, a
choice as its place among the choices. The values move into the method's own group, so that the panel shows them.

A file holds no value that nobody has set, the method among them, and the default is another one today. So today's files
have it set whenever they are saved, and a scene with settings and without a method is an earlier version's.
"""

from __future__ import annotations

import sys
from typing import Any

import bpy

from ..shared.jobs.earlier import METHOD_BEFORE
from ..shared.methods.latentman import LATENTMAN
from ..shared.methods.setting import Setting, declared
from ..shared.methods.table import settings_groups
from ..typed_bpy import persistent
from .properties import group_of, settings_of
from .setting_properties import shown_settings


def move_flat_settings(scene: Any) -> None:
    """Move what the scene still holds flat into the method's group, where a value that has been set stays.

    A value that cannot be read leaves the default; a line on standard error says so.
    """
    settings: Any = settings_of(scene)
    known = declared(LATENTMAN.settings)
    for name in shown_settings(LATENTMAN.settings):
        if name not in settings or name in settings.bl_rna.properties:  # none, or a property of the scene today
            continue
        group = group_of(scene, LATENTMAN.name)
        if not group.is_property_set(name):
            try:
                setattr(group, name, _value(settings[name], known[name]))
            except (TypeError, ValueError) as error:
                what = f'{known[name].label} of the scene "{scene.name}" cannot be read from the file ({error})'
                print(f"LatentMan: {what}; its default is used instead.", file=sys.stderr, flush=True)
        del settings[name]


def _value(stored: Any, one: Setting) -> Any:
    """What Blender stored, as the property takes it. Raises TypeError or ValueError for an unknown choice."""
    if not one.choices:
        return stored
    if stored not in range(len(one.choices)):
        raise ValueError(f"no choice {stored}")
    return one.choices[stored].value


def name_earlier_method(scene: Any) -> None:
    """Set the default method of then, where the scene has settings and no method."""
    settings: Any = settings_of(scene)
    if _has_settings(scene) and not settings.is_property_set("method"):
        settings.method = METHOD_BEFORE


def _has_settings(scene: Any) -> bool:
    named = (name for name, one in settings_groups().items() if shown_settings(one.settings))
    groups = (settings_of(scene), *(group_of(scene, name) for name in named))
    return any(
        group.is_property_set(one.identifier) for group in groups for one in group.bl_rna.properties if _is_value(one)
    )


def _is_value(field: Any) -> bool:
    """Whether a property holds a value: groups are there as soon as they are drawn, and no group has a name."""
    return bool(field.type != "POINTER" and field.identifier != "name")


def _name_method(scene: Any) -> None:
    settings: Any = settings_of(scene)
    if scene.library is None and _has_settings(scene) and not settings.is_property_set("method"):
        settings.method = settings.method  # set, though to what it is


@persistent
def _on_load(_path: Any, _unused: Any = None) -> None:
    for scene in bpy.data.scenes:
        move_flat_settings(scene)
        name_earlier_method(scene)


@persistent
def _on_save(_path: Any, _unused: Any = None) -> None:
    for scene in bpy.data.scenes:
        _name_method(scene)


def register() -> None:
    """Look at each file that is opened or saved from here on."""
    bpy.app.handlers.load_post.append(_on_load)
    bpy.app.handlers.save_pre.append(_on_save)


def unregister() -> None:
    """Leave files as they are."""
    bpy.app.handlers.load_post.remove(_on_load)
    bpy.app.handlers.save_pre.remove(_on_save)
