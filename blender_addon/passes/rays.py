"""Which straight ways an evaluated object stands in, by Blender's own search trees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mathutils import Vector
from mathutils.bvhtree import BVHTree

from .shapes import MESH_TYPES

# Of a way, given by its start and its end in the object's own axes: how far its end lies behind the face that it meets
# first, at a right angle to that face; None if it meets no face.
Meets = Callable[[Vector, Vector], float | None]


def ways_through(item: Any) -> Meets | None:
    """What tells which ways an evaluated object stands in; None if it has no faces, as strands and points.

    Valid as long as the object is: instances of the dependency graph until the next.
    """
    if item.type not in MESH_TYPES:
        return None
    try:
        item.ray_cast(Vector((0, 0, 0)), Vector((0, 0, 1)), distance=1e-6)
    except RuntimeError:  # no evaluated mesh: it shows nothing, or is not evaluated
        return None

    def meets(start: Vector, end: Vector) -> float | None:
        way = end - start
        met, where, normal, _ = item.ray_cast(start, way, distance=way.length)
        return abs((end - where).dot(normal)) if met else None

    return meets


def ways_through_faces(vertices: list[list[float]], faces: list[list[int]]) -> Meets:
    """The same for faces that Blender has not evaluated: vertices (V, 3) and the indices of each face's corners."""
    tree: Any = BVHTree.FromPolygons(vertices, faces)

    def meets(start: Vector, end: Vector) -> float | None:
        way = end - start
        where, normal, _, _ = tree.ray_cast(start, way, way.length)
        return None if where is None else abs((end - where).dot(normal))

    return meets
