"""Which objects hide the characters from the camera."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from mathutils import Vector

from .geometry import world_vertices
from .rays import ways_through
from .stage import Stage
from .surroundings import occluders, shown_by

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
    for instance in occluders(depsgraph, stage.bodies):
        meets = ways_through(instance.object)
        if meets is None:
            continue
        to_local = instance.matrix_world.inverted_safe()
        hits = sum(meets(to_local @ eye, to_local @ point) is not None for point in points)
        if hits:
            found[shown_by(instance).name] += hits
    return found
