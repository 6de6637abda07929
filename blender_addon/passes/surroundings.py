"""What a render's dependency graph shows beside the characters, and which characters it shows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from .settings import NO_SURFACE
from .shapes import shape_digest, strands_digest

_UNRENDERED_TYPES = (*NO_SURFACE, "ARMATURE", "CAMERA", "EMPTY", "SPEAKER", "LATTICE")


def drawn_bodies(depsgraph: Any, view_layer: Any, bodies: list[Any]) -> tuple[bool, ...]:
    """Whether the camera sees each of these objects, if nothing is in front of it. An instance is another object."""
    shown = {item.object.original for item in depsgraph.object_instances if item.show_self and not item.is_instance}
    return tuple(body in shown and not body.indirect_only_get(view_layer=view_layer) for body in bodies)


def occluder_digest(depsgraph: Any, view_layer: Any, bodies: list[Any]) -> bytes:
    """A digest of all other rendered geometry, hair on the bodies included.

    Where that cannot be read, no two digests are equal.
    """
    digest = hashlib.sha256()
    for body in bodies:
        digest.update(strands_digest(body.evaluated_get(depsgraph), depsgraph.scene))
    shapes: dict[tuple[str, int], bytes] = {}  # instances of one object share their shape
    for instance in occluders(depsgraph, bodies):
        item, original = instance.object, instance.object.original
        digest.update(np.array(instance.matrix_world, np.float64).tobytes())
        top = shown_by(instance)
        hidden = top.indirect_only_get(view_layer=view_layer) or original.indirect_only_get(view_layer=view_layer)
        digest.update(bytes([instance.show_self, item.visible_camera, hidden]))
        # Geometry nodes make several shapes in the name of one object.
        name = original.name_full, 0 if item.data is None else item.data.as_pointer()
        if name not in shapes:
            shapes[name] = shape_digest(item, depsgraph.scene)
        digest.update(shapes[name])
    return digest.digest()


def shown_by(instance: Any) -> Any:
    """The scene's object that shows an instance: what makes it, or the object itself."""
    return instance.parent.original if instance.is_instance and instance.parent else instance.object.original


def occluders(depsgraph: Any, bodies: list[Any]) -> Iterator[Any]:
    """The instances of all objects with a surface that are not these bodies. Each is valid until the next."""
    own = set(bodies)
    for instance in depsgraph.object_instances:
        item = instance.object
        body = item.type == "MESH" and item.original in own and not instance.is_instance
        if item.type not in _UNRENDERED_TYPES and not body:
            yield instance
