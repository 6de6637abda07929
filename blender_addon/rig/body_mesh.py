"""The skinned body: mesh, part labels, charts, vertex groups, armature modifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..shared.body import Body
from ..shared.errors import BodyError
from ..shared.motion.skeleton import JOINT_NAMES

PART_ATTRIBUTE = "latentman_part"  # FACE float: DensePose part 1..24; what is not a character has none, so 0
CHART_ATTRIBUTE = "latentman_chart"  # CORNER float2: u, v in the part's chart

_SEAM_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class _Faces:
    """Polygons of the mesh: quads first, then triangles."""

    corners: NDArray[np.int32]  # (loops,) vertex of every corner
    sizes: NDArray[np.int32]  # (faces,) 4 or 3
    part: NDArray[np.float32]  # (faces,)
    chart: NDArray[np.float32]  # (loops, 2)


def require_parts(body: Body) -> None:
    """Raise BodyError if the body has no parts and charts."""
    if body.part is None or body.chart_uv is None:
        raise BodyError(
            "body.no_parts",
            "The body file has no parts and charts, so its surface cannot be followed.",
            "Convert it once with: latentman convert-smpl FILE.",
        )


def new_body_object(body: Body, betas: NDArray[np.float64], armature: Any, name: str) -> Any:
    """Make the skinned mesh object of an armature from `rig.armature.new_armature` and link it beside it.

    The shape is baked into the mesh. The body must have passed `require_parts`.
    """
    mesh = _new_mesh(body.shaped_vertices(betas), _faces(body), name)
    item = bpy.data.objects.new(name, mesh)
    for collection in armature.users_collection:
        collection.objects.link(item)
    item.parent = armature
    _add_vertex_groups(item, np.asarray(body.weights))
    modifier: Any = item.modifiers.new("Armature", "ARMATURE")
    modifier.object = armature
    modifier.use_deform_preserve_volume = False  # plain linear blend skinning, as SMPL has it
    return item


def _new_mesh(vertices: NDArray[np.float64], faces: _Faces, name: str) -> Any:
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(len(vertices))
    mesh.vertices.foreach_set("co", np.asarray(vertices, np.float32).ravel())
    mesh.loops.add(len(faces.corners))
    mesh.loops.foreach_set("vertex_index", faces.corners)
    mesh.polygons.add(len(faces.sizes))
    starts = np.concatenate([[0], np.cumsum(faces.sizes)[:-1]]).astype(np.int32)
    mesh.polygons.foreach_set("loop_start", starts)
    mesh.update(calc_edges=True)
    part: Any = mesh.attributes.new(PART_ATTRIBUTE, "FLOAT", "FACE")
    part.data.foreach_set("value", faces.part)
    chart: Any = mesh.attributes.new(CHART_ATTRIBUTE, "FLOAT2", "CORNER")
    chart.data.foreach_set("vector", faces.chart.ravel())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(faces.sizes), bool))
    mesh.update()
    return mesh


def _faces(body: Body) -> _Faces:
    """Quads where the body names them and both triangles of one agree on part and chart; triangles for the rest."""
    f = np.asarray(body.f, np.int64)
    part = np.asarray(body.part, np.float32)
    chart = np.asarray(body.chart_uv, np.float32)
    if body.quads is None:
        return _Faces(f.astype(np.int32).ravel(), np.full(len(f), 3, np.int32), part, chart.reshape(-1, 2))
    quads = np.asarray(body.quads, np.int64)
    first, second = _find(f, quads[:, [0, 1, 2]]), _find(f, quads[:, [0, 2, 3]])
    whole = (first >= 0) & (second >= 0)
    quads, first, second = quads[whole], first[whole], second[whole]
    one, other = _corners_of(f, chart, first, quads[:, [0, 1, 2]]), _corners_of(f, chart, second, quads[:, [0, 2, 3]])
    seam = np.abs(one[:, [0, 2]] - other[:, [0, 1]]).max(axis=(1, 2))
    keep = (part[first] == part[second]) & (seam <= _SEAM_TOLERANCE)
    rest = np.ones(len(f), bool)
    rest[first[keep]] = rest[second[keep]] = False
    quad_chart = np.concatenate([one[keep], other[keep][:, 2:]], axis=1)  # (quads, 4, 2)
    return _Faces(
        corners=np.concatenate([quads[keep].ravel(), f[rest].ravel()]).astype(np.int32),
        sizes=np.concatenate([np.full(int(keep.sum()), 4), np.full(int(rest.sum()), 3)]).astype(np.int32),
        part=np.concatenate([part[first[keep]], part[rest]]),
        chart=np.concatenate([quad_chart.reshape(-1, 2), chart[rest].reshape(-1, 2)]),
    )


def _find(f: NDArray[np.int64], triangles: NDArray[np.int64]) -> NDArray[np.int64]:
    """For every triangle the row of `f` with the same three vertices, -1 if there is none."""
    base = int(f.max()) + 1
    scale = np.array([base * base, base, 1])
    keys = np.sort(f, axis=1) @ scale
    order = np.argsort(keys, kind="stable")
    wanted = np.sort(triangles, axis=1) @ scale
    place = np.minimum(np.searchsorted(keys[order], wanted), len(f) - 1)
    rows = order[place]
    return np.where(keys[rows] == wanted, rows, -1)


def _corners_of(
    f: NDArray[np.int64], chart: NDArray[np.float32], rows: NDArray[np.int64], vertices: NDArray[np.int64]
) -> NDArray[np.float32]:
    """The chart coordinates (n, 3, 2) of the triangles `rows`, in the order in which `vertices` (n, 3) names them."""
    position = np.argmax(f[rows][:, None, :] == vertices[:, :, None], axis=2)
    corners: NDArray[np.float32] = chart[rows[:, None], position]
    return corners


def _add_vertex_groups(item: Any, weights: NDArray[np.float32]) -> None:  # (V, 24)
    for joint, name in enumerate(JOINT_NAMES):
        group = item.vertex_groups.new(name=name)
        vertices = np.nonzero(weights[:, joint])[0]
        values, kind = np.unique(weights[vertices, joint], return_inverse=True)
        order = np.argsort(kind, kind="stable")
        bounds = np.searchsorted(kind[order], np.arange(len(values) + 1))
        for value, start, end in zip(values.tolist(), bounds[:-1], bounds[1:], strict=True):
            group.add(vertices[order[start:end]].tolist(), value, "REPLACE")
