"""What shape an evaluated object has in a render, as a digest: its mesh, its curves or points, its strands."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

import numpy as np

MESH_TYPES = ("MESH", "CURVE", "SURFACE", "FONT", "META")

# What foreach_get asks for: the name, and how many numbers of which type.
_MESH = (
    ("vertices", "co", np.float32, 3),
    ("loops", "vertex_index", np.int32, 1),
    ("polygons", "loop_start", np.int32, 1),
)
_ATTRIBUTES = {
    "FLOAT": ("value", np.float32, 1),
    "FLOAT_VECTOR": ("vector", np.float32, 3),
    "INT": ("value", np.int32, 1),
    "INT8": ("value", np.int32, 1),
    "BOOLEAN": ("value", np.bool_, 1),
}
_STRAND_SETTINGS = ("root_radius", "tip_radius", "radius_scale", "shape", "use_close_tip", "use_hair_bspline")
_HAIR = ("render.hair_type", "render.hair_subdiv", "cycles_curves.shape", "cycles_curves.subdivisions")


def shape_digest(item: Any, scene: Any) -> bytes:
    """A digest of what `scene` renders of an evaluated object. Where it cannot be told, no two digests are equal."""
    digest = hashlib.sha256()
    if item.type in MESH_TYPES:
        _add_mesh(digest, item)
    elif item.type in ("CURVES", "POINTCLOUD"):
        _add_attributes(digest, item.data, scene)
    else:
        return secrets.token_bytes(32)
    digest.update(strands_digest(item, scene))
    return digest.digest()


def strands_digest(item: Any, scene: Any) -> bytes:
    """A digest of the hair that grows on an evaluated object."""
    digest = hashlib.sha256()
    for system in item.particle_systems:
        if system.settings.type == "HAIR" and system.settings.render_type == "PATH":
            _add_strands(digest, item, system, scene)
    return digest.digest()


def _add_mesh(digest: Any, item: Any) -> None:
    mesh = item.to_mesh()
    if mesh is not None:
        for collection, name, dtype, size in _MESH:
            _add_values(digest, getattr(mesh, collection), name, dtype, size)
    item.to_mesh_clear()


def _add_attributes(digest: Any, data: Any, scene: Any) -> None:
    """Of curves and points: where they are, how thick, which points make a curve, and of which kind."""
    for attribute in sorted(data.attributes, key=lambda one: str(one.name)):
        if attribute.data_type in _ATTRIBUTES:
            digest.update(f"{attribute.name} {attribute.domain}".encode())
            _add_values(digest, attribute.data, *_ATTRIBUTES[attribute.data_type])
    if getattr(data, "curves", ()):  # without any, Blender miscounts the offsets
        _add_values(digest, data.curve_offset_data, "value", np.int32, 1)
        _add_hair_settings(digest, scene)


def _add_strands(digest: Any, item: Any, system: Any, scene: Any) -> None:
    """Of a particle system's hair, child strands included: their points, and what makes them thick."""
    steps = 2**system.settings.render_step + 1
    count = len(system.particles) + len(system.child_particles)
    points = [system.co_hair(object=item, particle_no=one, step=step) for one in range(count) for step in range(steps)]
    digest.update(np.array(points, np.float32).tobytes())
    digest.update(repr([getattr(system.settings, name) for name in _STRAND_SETTINGS]).encode())
    _add_hair_settings(digest, scene)


def _add_hair_settings(digest: Any, scene: Any) -> None:
    digest.update(repr([scene.path_resolve(path) for path in _HAIR]).encode())


def _add_values(digest: Any, collection: Any, name: str, dtype: Any, size: int) -> None:
    values = np.empty(len(collection) * size, dtype)
    collection.foreach_get(name, values)
    digest.update(values.tobytes())
