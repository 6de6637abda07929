"""What the passes show beside the characters, read from what the viewport has evaluated already."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..passes.rays import Meets, ways_through, ways_through_faces
from ..passes.surroundings import occluders, shown_by
from ..rig.character import characters
from ..rig.left_out import is_kept
from ..rig.visibility import may_render, rendered_objects
from .keyed_places import KeyedPlaces, moves_by_keys

_MOST_INSTANCES = 5_000  # what comes after them is not looked at: Blender must stay quick
_MOST_FACES = 20_000  # of a mesh that the viewport does not show; of a larger one its box is taken
_BOX = ((0, 1, 2, 3), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7))

# Frames, and where a thing stands in them: a 4x4 Matrix.
_Places = Callable[[set[int]], Iterator[tuple[Any, set[int]]]]


@dataclass(frozen=True, slots=True)
class Standing:
    """A thing that the passes show, in the name of the scene's object that shows it. Valid until the next."""

    name: str
    box: NDArray[np.float64]  # (8, 3) its corners, in its own axes
    meets: Callable[[], Meets | None]
    places: _Places  # only of frames that render it


def standing(scene: Any, view_layer: Any, places: KeyedPlaces) -> Iterator[Standing]:
    """Everything but the characters and what is kept.

    What the viewport does not show is there without its modifiers, and its instances are not there.
    """
    bodies = [one.body for one in characters(scene, view_layer)]
    asked = {item for item in rendered_objects(view_layer) if item not in bodies and may_hide(item, view_layer)}
    evaluated = set()
    depsgraph = bpy.context.evaluated_depsgraph_get()
    for instance in itertools.islice(occluders(depsgraph, bodies), _MOST_INSTANCES):
        item, top = instance.object, shown_by(instance)
        if top not in asked or top.mode == "EDIT" or not _is_shown(instance, top):
            continue
        evaluated.add(top)
        fixed = instance.matrix_world.copy() if instance.is_instance else None
        yield Standing(top.name, _box(item), partial(ways_through, item), _places_of(top, places, fixed))
    for top in asked - evaluated:
        if top.type == "MESH":
            yield Standing(top.name, _box(top), partial(_outline, top), _places_of(top, places, None))


def may_hide(item: Any, view_layer: Any) -> bool:
    """Whether an object of a rendered collection may hide a character in some frame, and is not kept."""
    if not may_render(item) or is_kept(item) or not item.visible_camera:
        return False
    return not item.indirect_only_get(view_layer=view_layer)


def _is_shown(instance: Any, top: Any) -> bool:
    """Whether a render shows an instance that the viewport shows."""
    if not instance.is_instance:
        return bool(instance.show_self)
    return top.instance_type != "COLLECTION" or may_render(instance.object.original)


def _places_of(top: Any, places: KeyedPlaces, fixed: Any) -> _Places:
    """Where a thing stands: as its object in each frame, or where an instance stands now."""

    def each(frames: set[int]) -> Iterator[tuple[Any, set[int]]]:
        rendered = {frame for frame in frames if not places.flag(top, "hide_render", frame)}
        if fixed is not None or not moves_by_keys(top):
            yield top.matrix_world if fixed is None else fixed, rendered
            return
        for frame in rendered:
            yield places.matrix(top, frame), {frame}

    return each


def _box(item: Any) -> NDArray[np.float64]:
    return np.array(item.bound_box, np.float64)


def _outline(item: Any) -> Meets:
    """A mesh that is not evaluated, without its modifiers; where it has many faces, the box around it."""
    mesh = item.data
    if len(mesh.polygons) > _MOST_FACES:
        return ways_through_faces(_box(item).tolist(), [list(face) for face in _BOX])
    return ways_through_faces([list(one.co) for one in mesh.vertices], [list(one.vertices) for one in mesh.polygons])
