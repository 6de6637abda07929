"""Files saved when the settings of the method `latentman` lay beside the scene's own, as `scene.latentman.SETTING`.

Blender keeps the value of a property that is no longer declared as an item of its group, `scene.latentman["SETTING"]`:
a span as an array, a choice as its place among the choices. When such a file is opened, the values move into the
method's own group, so that the panel shows them.
"""

from __future__ import annotations

import sys
from typing import Any

import bpy

from ..shared.methods.latentman import LATENTMAN
from ..shared.methods.setting import Setting, declared
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
                print(f"LatentMan: {what}; it is at its default.", file=sys.stderr, flush=True)
        del settings[name]


def _value(stored: Any, one: Setting) -> Any:
    """What Blender stored, as the property takes it. Raises TypeError or ValueError for a choice that there is not."""
    if not one.choices:
        return stored
    if stored not in range(len(one.choices)):
        raise ValueError(f"no choice {stored}")
    return one.choices[stored].value


@persistent
def _on_load(_path: Any, _unused: Any = None) -> None:
    for scene in bpy.data.scenes:
        move_flat_settings(scene)


def register() -> None:
    """Move the flat settings of each file that is opened from here on."""
    bpy.app.handlers.load_post.append(_on_load)


def unregister() -> None:
    """Leave files as they are."""
    bpy.app.handlers.load_post.remove(_on_load)
