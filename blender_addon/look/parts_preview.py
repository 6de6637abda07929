"""The bodies' parts as colours in a 3D view, as the passes will label them. The passes do not look at them.

What each view and mesh showed before is stored in the file: undo and loading keep both together.
"""

from __future__ import annotations

import json
from typing import Any

from ..rig.body_mesh import PART_ATTRIBUTE
from ..rig.character import characters
from ..rig.part_colours import COLOUR_ATTRIBUTE, colour_parts
from .viewport import set_shading, shading_of, viewport_name

# On the scene: what each view showed before, by the view's name; on a mesh: its colours before.
VIEWS_BEFORE, COLOURS_BEFORE = "latentman_parts_views", "latentman_parts_colours"
_SHADING = {"type": "SOLID", "color_type": "VERTEX"}
_USUAL = {"color_type": "MATERIAL"}  # for a file that does not say what its view showed before


def parts_are_shown(scene: Any, space: Any) -> bool:
    """Whether a 3D view shows the parts of the scene's bodies, by whatever made it do so."""
    if space is None or shading_of(space, _SHADING) != _SHADING:
        return False
    return any(_has_colours(one.body.data) for one in characters(scene))


def show_parts(scene: Any, space: Any = None) -> None:
    """Colour the scene's bodies by their parts, and have a 3D view show it."""
    if space is not None and not parts_are_shown(scene, space):
        before = shading_of(space, ("type",))
        set_shading(space, {"type": _SHADING["type"]})  # each type has a colour type of its own
        _store(scene, {**_stored(scene), viewport_name(space): {**shading_of(space, _SHADING), **before}})
        set_shading(space, _SHADING)
    for one in characters(scene):
        mesh = one.body.data
        if PART_ATTRIBUTE in mesh.attributes:
            if not _has_colours(mesh):
                active = mesh.color_attributes.active_color
                mesh[COLOURS_BEFORE] = "" if active is None else active.name
            colour_parts(one.body)


def hide_parts(scene: Any, space: Any) -> None:
    """Have a 3D view show what it showed before, and take the colours away once no other view shows them."""
    views = _stored(scene)
    before = views.pop(viewport_name(space), _USUAL)
    set_shading(space, dict(sorted(before.items())))  # the colour type first: it is that of solid shading
    _store(scene, views)
    if not views:
        for one in characters(scene):
            _take_away(one.body.data)


def _has_colours(mesh: Any) -> bool:
    active = mesh.color_attributes.active_color
    return active is not None and active.name == COLOUR_ATTRIBUTE


def _take_away(mesh: Any) -> None:
    layer = mesh.color_attributes.get(COLOUR_ATTRIBUTE)
    if layer is None:
        return
    mesh.color_attributes.remove(layer)
    before = mesh.color_attributes.get(mesh.pop(COLOURS_BEFORE, ""))
    if before is not None:
        mesh.color_attributes.active_color = before
    mesh.update()


def _stored(scene: Any) -> dict[str, dict[str, str]]:
    stored: dict[str, dict[str, str]] = json.loads(scene.get(VIEWS_BEFORE, "{}"))
    return stored


def _store(scene: Any, views: dict[str, dict[str, str]]) -> None:
    if views:
        scene[VIEWS_BEFORE] = json.dumps(views)
    elif VIEWS_BEFORE in scene:
        del scene[VIEWS_BEFORE]
