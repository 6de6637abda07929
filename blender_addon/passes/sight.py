"""Which objects hide the characters from the camera."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree

from .geometry import world_vertices
from .shapes import MESH_TYPES
from .stage import Stage
from .surroundings import occluders

_POINTS = 100
_NAMED = 3


def hidden_by(stage: Stage, frames: tuple[int, ...]) -> list[str]:
    """The names of the objects in front of the characters in the first, middle and last frame, at most three."""
    found: Counter[str] = Counter()
    for frame in sorted({frames[0], frames[len(frames) // 2], frames[-1]}):
        found.update(stage.read(frame, lambda depsgraph: _in_front(stage, depsgraph)))
    return [repr(name) for name, _ in found.most_common(_NAMED)]


def _in_front(stage: Stage, depsgraph: Any) -> Counter[str]:
    eye = stage.scene.camera.evaluated_get(depsgraph).matrix_world.translation.copy()
    vertices = np.concatenate([world_vertices(one, depsgraph) for one in stage.characters])
    points = [Vector(point) for point in vertices[:: max(1, len(vertices) // _POINTS)].tolist()]
    found: Counter[str] = Counter()
    for name, to_local, tree in _trees(stage, depsgraph):
        start = to_local @ eye
        ways = [to_local @ point - start for point in points]
        hits = sum(tree.ray_cast(start, way, way.length)[0] is not None for way in ways)
        if hits:
            found[name] += hits
    return found


def _trees(stage: Stage, depsgraph: Any) -> Iterator[tuple[str, Any, Any]]:
    for instance in occluders(depsgraph, stage.bodies):
        if instance.object.type not in MESH_TYPES:  # strands and points have no faces
            continue
        mesh = instance.object.to_mesh()
        if mesh is not None and len(mesh.polygons):
            mesh.calc_loop_triangles()
            corners = [tuple(triangle.vertices) for triangle in mesh.loop_triangles]
            tree = BVHTree.FromPolygons([vertex.co for vertex in mesh.vertices], corners)
            yield instance.object.original.name, instance.matrix_world.inverted_safe(), tree
        instance.object.to_mesh_clear()
