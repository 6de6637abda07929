"""What hides the characters, looked at again whenever the scene has changed: no warning outlives its cause.

A handler only notes that something has changed. The add-on's timer looks again once nothing has changed for a moment,
so that dragging an object stays smooth.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import bpy

from ..look.before_camera import may_hide
from ..look.hiders import Hider, find_hiders
from ..rig.visibility import rendered_objects
from ..scene.properties import settings_of
from ..scene.scene_job import scene_frames
from ..shared.errors import InputError
from ..typed_bpy import persistent, windows

_QUIET_S = 0.25
_PATIENCE = 10  # a look that took long is repeated only after as many times its length of quiet


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the answer depends on, beside what the dependency graph tells of."""

    scene: str
    view_layer: str
    frames: tuple[int, ...]
    size: tuple[int, int]
    camera: str


class _Watch:
    """The last look, and whether it still holds."""

    asked: _Asked | None = None
    found: tuple[Hider, ...] = ()
    stale: bool = True
    changed_at: float = 0.0
    took_s: float = 0.0


def hiders_now(context: Any) -> tuple[Hider, ...]:
    """What the last look has found of this scene, but for what was left out, kept, hidden or deleted since: names."""
    scene, view_layer = context.scene, context.view_layer
    asked = _Watch.asked
    if asked is None or (asked.scene, asked.view_layer) != (scene.name_full, view_layer.name) or not _Watch.found:
        return ()
    shown = {item.name: item for item in rendered_objects(view_layer)}
    return tuple(one for one in _Watch.found if one.name in shown and may_hide(shown[one.name], view_layer))


def look_again(context: Any) -> tuple[Hider, ...]:
    """Look now, and return what hides the characters; nothing if the scene's frames cannot be read."""
    begun = time.monotonic()
    asked = _asked(context)
    found = () if asked is None else find_hiders(context.scene, context.view_layer, asked.frames, asked.size)
    _Watch.asked, _Watch.found = asked, found
    _Watch.took_s = time.monotonic() - begun
    _Watch.stale = False  # after the look, during which Blender may tell of changes that it has just evaluated
    return found


def mark_stale() -> None:
    """Have the next step look again: something has changed that Blender's dependency graph does not tell of."""
    _Watch.stale, _Watch.changed_at = True, time.monotonic()


def step(context: Any) -> bool:
    """Look again where it is due; whether something else was found than before."""
    if not _Watch.stale and _asked(context) != _Watch.asked:
        mark_stale()
    quiet_s = time.monotonic() - _Watch.changed_at
    if not _Watch.stale or quiet_s < max(_QUIET_S, _PATIENCE * _Watch.took_s) or _is_busy():
        return False
    before = _Watch.found
    return look_again(context) != before


def _asked(context: Any) -> _Asked | None:
    scene = context.scene
    settings = settings_of(scene)
    try:
        frames = scene_frames(scene)
    except InputError:  # the button Generate says so
        return None
    camera = "" if scene.camera is None else scene.camera.name_full
    return _Asked(scene.name_full, context.view_layer.name, frames, (settings.width, settings.height), camera)


def _is_busy() -> bool:
    """Whether Blender renders or plays, when a look would make it stutter."""
    playing = any(window.screen.is_animation_playing for window in windows())
    return playing or bpy.app.is_job_running("RENDER")


@persistent
def _on_change(_scene: Any, depsgraph: Any = None) -> None:
    """Note a change. Selecting tells of the scene alone; and so does adding strips, as a shot under way does."""
    if depsgraph is None or any(not isinstance(one.id, bpy.types.Scene) for one in depsgraph.updates):
        mark_stale()


@persistent
def _on_other_state(_path: Any, _unused: Any = None) -> None:
    """Another file, or another state of this one."""
    _Watch.asked, _Watch.found, _Watch.took_s = None, (), 0.0
    mark_stale()


_HANDLERS = (
    ("depsgraph_update_post", _on_change),
    ("load_post", _on_other_state),
    ("undo_post", _on_other_state),
    ("redo_post", _on_other_state),
)


def register() -> None:
    """Watch from here on."""
    _on_other_state("")
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)


def unregister() -> None:
    """Watch no more."""
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).remove(handler)
