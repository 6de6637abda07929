"""SMPL's pose correctives (Loper et al. 2015, eq. 9), for bodies that have them.

The viewport shows plain skinning. The passes include the correctives: before each frame the child reads the pose that
the dependency graph has evaluated (constraints and drivers included) and writes the corrected rest shape into a shape
key of the copied file, in front of the armature modifier, which is SMPL's order. The 207 offset fields travel inside
the .blend as the vertices of a mesh that no object shows, so that a file stays whole when it is moved.
"""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..shared.body import Body
from ..shared.errors import RenderError
from ..shared.motion.skeleton import JOINT_NAMES, PARENTS
from .joints import joint_bones

FEATURES = 207

_PROPERTY = "latentman_correctives"
CORRECTIVES_KEY = "LatentMan pose correctives"


def store_correctives(item: Any, body: Body) -> None:
    """Store the body's corrective offsets beside its mesh object; nothing if it has none."""
    if not body.has_pose_correctives:
        return
    offsets = np.asarray(body.posedirs, np.float32)  # (V, 3, 207)
    store = bpy.data.meshes.new(f"{item.name} correctives")
    store.vertices.add(offsets.shape[0] * FEATURES)
    store.vertices.foreach_set("co", np.ascontiguousarray(np.moveaxis(offsets, 2, 0)).ravel())
    item[_PROPERTY] = store


def load_correctives(item: Any) -> NDArray[np.float32] | None:
    """The offsets (207, V * 3) of a body's mesh object in metres a unit of the pose feature; None if it has none."""
    store = item.get(_PROPERTY)
    if store is None:
        return None
    count = len(item.data.vertices)
    if len(store.vertices) != count * FEATURES:
        raise RenderError(
            "render.correctives",
            f"The body {item.name!r} has {count} vertices, but its pose correctives were made for "
            f"{len(store.vertices) // FEATURES}.",
            "Import the motion again instead of editing the body's mesh.",
        )
    offsets = np.empty(count * FEATURES * 3, np.float32)
    store.vertices.foreach_get("co", offsets)
    return offsets.reshape(FEATURES, count * 3)


def apply_correctives(item: Any, feature: NDArray[np.float32], offsets: NDArray[np.float32]) -> None:
    """Write the rest shape that belongs to a pose into the body's corrective shape key.

    `feature` is `pose_feature` of the evaluated armature. Only for a copy of the user's file.
    """
    key = _shape_key(item)
    rest = np.empty(len(item.data.vertices) * 3, np.float32)
    key.relative_key.data.foreach_get("co", rest)
    key.data.foreach_set("co", rest + feature @ offsets)
    item.data.update_tag()


def pose_feature(armature: Any) -> NDArray[np.float32]:
    """SMPL's pose feature (207,) of an evaluated armature: R - I of joints 1..23 against their parents, row-major."""
    bones = armature.pose.bones
    world = [np.array(bones[name].matrix.to_quaternion().to_matrix()) for name in joint_bones(armature)]
    local = [world[PARENTS[joint]].T @ world[joint] - np.eye(3) for joint in range(1, len(JOINT_NAMES))]
    return np.asarray(local, np.float32).reshape(FEATURES)


def _shape_key(item: Any) -> Any:
    if item.data.shape_keys is None:
        item.shape_key_add(name="Basis", from_mix=False)
    keys = item.data.shape_keys.key_blocks
    if CORRECTIVES_KEY not in keys:
        item.shape_key_add(name=CORRECTIVES_KEY, from_mix=False).value = 1.0
        item.show_only_shape_key = False
    return keys[CORRECTIVES_KEY]
