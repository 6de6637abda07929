"""What the dependency graph has evaluated: the bodies' vertices, joints and charts, the camera, the other objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..rig.body_mesh import CHART_ATTRIBUTE, PART_ATTRIBUTE
from ..rig.character import Character
from ..rig.joints import joint_bones
from ..shared.errors import InputError
from ..shared.shot import PART_COUNT

_OPENCV_FROM_BLENDER = np.diag([1.0, -1.0, -1.0, 1.0])


@dataclass(frozen=True, slots=True)
class SurfaceCharts:
    """Triangles of the rendered bodies with their parts and charts."""

    f: NDArray[np.int32]  # (faces, 3)
    part: NDArray[np.uint8]  # (faces,) 1..24
    chart_uv: NDArray[np.float32]  # (faces, 3, 2)
    rest: NDArray[np.float32] | None = None  # (V, 3) metres, the rest pose; None if it cannot be told


@dataclass(frozen=True, slots=True)
class CameraView:
    """The camera in one frame, OpenCV axes."""

    name: str
    world_to_camera: NDArray[np.float64]  # (4, 4)
    intrinsics: NDArray[np.float64]  # (3, 3) pixels
    clip_start_m: float
    clip_end_m: float


def world_vertices(character: Character, depsgraph: Any) -> NDArray[np.float32]:
    """The body's evaluated vertices in the world: (V, 3) metres."""
    item = character.body.evaluated_get(depsgraph)
    return transformed(item.matrix_world, _vertices(item)).astype(np.float32)


def own_vertices(character: Character, depsgraph: Any) -> NDArray[np.float32]:
    """The body's evaluated vertices (V, 3) in its own place and axes, as large in metres as in the world."""
    item = character.body.evaluated_get(depsgraph)
    # Rounded: the size of a body that turns is the same in every frame but for the last digits.
    size = np.round(np.linalg.norm(np.array(item.matrix_world, np.float64)[:3, :3], axis=0), 5)
    sized: NDArray[np.float32] = (_vertices(item) * size).astype(np.float32)
    return sized


def _vertices(item: Any) -> NDArray[np.float32]:
    """The vertices (V, 3) of an evaluated mesh object, in its own axes."""
    mesh = item.to_mesh()
    vertices = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", vertices)
    item.to_mesh_clear()
    return vertices.reshape(-1, 3)


def world_joints(character: Character, depsgraph: Any) -> NDArray[np.float64]:
    """The 24 joints in the world: (24, 3) metres. Raises InputError if a joint has no bone."""
    armature = character.armature.evaluated_get(depsgraph)
    heads = np.array([armature.pose.bones[name].matrix.translation for name in joint_bones(armature)])
    return transformed(armature.matrix_world, heads)


def transformed(matrix: Any, points: NDArray[Any]) -> NDArray[np.float64]:
    """Points (n, 3) through a 4x4 matrix."""
    values = np.array(matrix, np.float64)
    moved: NDArray[np.float64] = points @ values[:3, :3].T + values[:3, 3]
    return moved


def surface_charts(characters: list[Character], depsgraph: Any) -> SurfaceCharts:
    """The charts of all bodies, their vertices counted one body after the other.

    All must have passed `labels.require_labels`.
    """
    pieces = []
    start = 0
    for character in characters:
        item = character.body.evaluated_get(depsgraph)
        mesh = item.to_mesh()
        piece = _mesh_charts(mesh)
        pieces.append(SurfaceCharts(piece.f + np.int32(start), piece.part, piece.chart_uv))
        start += len(mesh.vertices)
        item.to_mesh_clear()
    return SurfaceCharts(
        np.concatenate([piece.f for piece in pieces]),
        np.concatenate([piece.part for piece in pieces]),
        np.concatenate([piece.chart_uv for piece in pieces]),
    )


def _mesh_charts(mesh: Any) -> SurfaceCharts:
    part, chart = mesh.attributes[PART_ATTRIBUTE], mesh.attributes[CHART_ATTRIBUTE]
    mesh.calc_loop_triangles()
    count = len(mesh.loop_triangles)
    vertices, corners, faces = (np.empty(count * size, np.int32) for size in (3, 3, 1))
    mesh.loop_triangles.foreach_get("vertices", vertices)
    mesh.loop_triangles.foreach_get("loops", corners)
    mesh.loop_triangles.foreach_get("polygon_index", faces)
    labels = np.empty(len(mesh.polygons), np.float32)
    part.data.foreach_get("value", labels)
    uv = np.empty(len(mesh.loops) * 2, np.float32)
    chart.data.foreach_get("vector", uv)
    triangle_part = np.rint(labels[faces])
    on_body = (triangle_part >= 1) & (triangle_part <= PART_COUNT)
    return SurfaceCharts(
        vertices.reshape(-1, 3)[on_body],
        triangle_part[on_body].astype(np.uint8),
        uv.reshape(-1, 2)[corners.reshape(-1, 3)[on_body]],
    )


def camera_view(scene: Any, depsgraph: Any, width: int, height: int) -> CameraView:
    """The scene's camera in the current frame. Raises InputError if there is none or it is not a perspective one."""
    camera = perspective_camera(scene)
    evaluated = camera.evaluated_get(depsgraph)
    projection = np.array(evaluated.calc_matrix_camera(depsgraph, x=width, y=height, scale_x=1, scale_y=1))
    intrinsics = np.array(
        [
            [projection[0, 0] * width / 2, 0, (1 - projection[0, 2]) * width / 2],
            [0, projection[1, 1] * height / 2, (1 + projection[1, 2]) * height / 2],
            [0, 0, 1],
        ]
    )
    pose = np.array(evaluated.matrix_world.normalized().inverted(), np.float64)
    lens = evaluated.data
    return CameraView(
        camera.name, _OPENCV_FROM_BLENDER @ pose, intrinsics, float(lens.clip_start), float(lens.clip_end)
    )


def require_camera(scene: Any) -> None:
    """Raise InputError if the scene has no camera, not even one that markers bind."""
    if scene.camera is None and not any(marker.camera for marker in scene.timeline_markers):
        raise _no_camera(scene, "it has no camera")


def present_camera(scene: Any) -> Any:
    """The camera of the current frame, of any kind. Raises InputError if there is none."""
    camera = scene.camera
    if camera is None:
        raise _no_camera(scene, "it has no camera")
    if camera.type != "CAMERA":
        raise _no_camera(scene, f"{camera.name!r} is not a camera")
    return camera


def perspective_camera(scene: Any) -> Any:
    """The camera of the current frame. Raises InputError with the cause if the passes cannot use it."""
    camera = present_camera(scene)
    if camera.data.type != "PERSP":
        kind = camera.data.bl_rna.properties["type"].enum_items[camera.data.type].name.lower()
        raise _no_camera(scene, f"{camera.name!r} is {kind}")
    return camera


def _no_camera(scene: Any, cause: str) -> InputError:
    switched = ", and markers switch cameras" if any(marker.camera for marker in scene.timeline_markers) else ""
    return InputError(
        "passes.no_camera",
        f"The scene {scene.name!r} has no perspective camera in frame {scene.frame_current}: {cause}{switched}.",
        "Add one, or frame the shot.",
    )
