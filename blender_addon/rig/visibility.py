"""What the renderer will see of a scene, as far as that is known without evaluating it: flags, not keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import compat
from .left_out import is_left_out

_RENDER = "hide_render"


def may_render(item: Any) -> bool:
    """Whether the passes show an object itself in some frame: now, or by keys, NLA strips or a driver."""
    return not is_left_out(item) and (not item.hide_render or compat.is_animated(item, _RENDER))


def rendered_objects(view_layer: Any) -> set[Any]:
    """The objects of the collections that the view layer renders, whatever their own flags say."""
    found: set[Any] = set()
    for layer_collection, shown in _collections(view_layer):
        if shown:
            found.update(layer_collection.collection.objects)
    return found


def why_not_rendered(item: Any, view_layer: Any) -> str:
    """Why no frame shows an object, as the end of a sentence; empty if one may. `view_layer` None: not asked."""
    if is_left_out(item):
        return "is left out of the passes"
    if not may_render(item):
        return "is disabled in renders"
    if view_layer is None:
        return ""
    around = [(entry, shown) for entry, shown in _collections(view_layer) if item in set(entry.collection.objects)]
    if not around:
        return f"is in no collection of the view layer {view_layer.name!r}"
    if not any(shown for _, shown in around):
        entry = around[0][0]
        how = "excluded from" if entry.exclude else "disabled in renders in"
        return f"is in the collection {entry.name!r}, which is {how} the view layer {view_layer.name!r}"
    if view_layer.objects.get(item.name) is not None and item.indirect_only_get(view_layer=view_layer):
        return f"is in a collection that is Indirect Only in the view layer {view_layer.name!r}"
    return ""


def _collections(view_layer: Any) -> Iterator[tuple[Any, bool]]:
    """Every collection's entry in the view layer, with whether its objects are rendered."""

    def walk(entry: Any, hidden: bool) -> Iterator[tuple[Any, bool]]:
        hidden = hidden or entry.collection.hide_render
        yield entry, not (hidden or entry.exclude)
        for child in entry.children:
            yield from walk(child, hidden)

    yield from walk(view_layer.layer_collection, False)
