"""Which armature a motion is taken from: the one that the panel names, else the selected one, else the only one."""

from __future__ import annotations

from typing import Any

from ...shared.errors import InputError
from .scene_armature import other_armatures, why_not_readable


def chosen_source(context: Any) -> Any:
    """The armature. Raises InputError if there is none, if it is not clear which, or if it cannot be read."""
    found = _chosen(context)
    reason = why_not_readable(found, context.view_layer)
    if reason:
        raise InputError("rig.source", f"{reason}.")
    return found


def why_no_source(context: Any) -> str:
    """Why a button that takes a motion from an armature is grey; empty if it can."""
    try:
        chosen_source(context)
    except InputError as error:
        return str(error).removesuffix(".")
    return ""


def source_named(scene: Any, view_layer: Any, name: str) -> Any:
    """The armature of that name. Raises InputError if the scene has none, or it cannot be read."""
    item = scene.objects.get(name)
    if item is None or item.type != "ARMATURE":
        there = ", ".join(repr(one.name) for one in other_armatures(scene)) or "none"
        raise InputError("rig.source", f"The scene has no armature {name!r}.", f"Its armatures: {there}.")
    reason = why_not_readable(item, view_layer)
    if reason:
        raise InputError("rig.source", f"{reason}.")
    return item


def _chosen(context: Any) -> Any:
    scene = context.scene
    named = scene.latentman.source_armature
    if named is not None and named.name in scene.objects:
        return named
    others = other_armatures(scene)
    active = context.object
    around = () if active is None else (active, active.parent, active.find_armature())
    selected = next((one for one in around if one is not None and one in others), None)
    if selected is not None:
        return selected
    if len(others) == 1:
        return others[0]
    if not others:
        raise InputError("rig.source", "The scene has no armature besides the characters.", "Import or link one first.")
    names = ", ".join(one.name for one in others[:4])
    raise InputError("rig.source", f"The scene has several armatures ({names}).", "Select the one to use.")
