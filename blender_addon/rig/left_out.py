"""Which objects the animator has left out of the passes, and which hide a character and are to stay.

Both are custom properties of the object: they are saved with the file, follow undo, and are there in the child Blender,
where no add-on is loaded. The object's own render settings stay as they are.
"""

from __future__ import annotations

from typing import Any

from ..shared.errors import InputError
from ..shared.files.weight_header import some_names

LEFT_OUT, KEPT = "latentman_left_out", "latentman_kept"
SURFACES = ("MESH", "CURVE", "CURVES", "SURFACE", "META", "FONT", "POINTCLOUD")


def is_left_out(item: Any) -> bool:
    """Whether the passes are rendered without this object."""
    return bool(item.get(LEFT_OUT)) and has_surface(item)


def is_kept(item: Any) -> bool:
    """Whether this object may hide a character without a warning."""
    return bool(item.get(KEPT)) and not is_left_out(item)


def has_surface(item: Any) -> bool:
    """Whether an object can hide anything: it has a surface, or shows a collection."""
    return item.type in SURFACES or item.instance_type == "COLLECTION"


def names_with(scene: Any, flag: str) -> list[str]:
    """The names of the scene's objects that carry LEFT_OUT or KEPT, sorted."""
    asked = is_left_out if flag == LEFT_OUT else is_kept
    return sorted(item.name for item in scene.objects if asked(item))


def leave_out(scene: Any, name: str) -> None:
    """Render the passes without an object. Raises InputError if there is no such object, if it has no surface, or
    where it belongs to a linked file."""
    _flag(_object(scene, name), LEFT_OUT)


def keep(scene: Any, name: str) -> None:
    """Let an object hide a character without a warning. Raises InputError as `leave_out`."""
    _flag(_object(scene, name), KEPT)


def take_back(scene: Any, name: str) -> None:
    """Render a left-out object again, and warn of a kept one again. Raises InputError as `leave_out`."""
    _flag(_object(scene, name), "")


def _flag(item: Any, flag: str) -> None:
    for name in (LEFT_OUT, KEPT):
        if name == flag:
            item[name] = True
        elif name in item:
            del item[name]
    item.update_tag()


def _object(scene: Any, name: str) -> Any:
    item = next((one for one in scene.objects if one.name == name and one.library is None), None)
    item = item or scene.objects.get(name)
    if item is None:
        known = some_names(sorted(one.name for one in scene.objects if has_surface(one)))
        raise InputError(
            "objects.unknown",
            f"The scene {scene.name!r} has no object {name!r}.",
            f"It has: {known}." if known else "It has no object with a surface.",
        )
    if not has_surface(item):
        raise InputError("objects.no_surface", f"{name!r} has no surface: the passes do not show it.", "Name another.")
    if item.library is not None or item.override_library is not None:
        raise InputError(
            "objects.linked",
            f"{name!r} belongs to a linked file, so no choice about it can be saved in this file.",
            "Exclude its collection from the view layer, or make the object local.",
        )
    return item
