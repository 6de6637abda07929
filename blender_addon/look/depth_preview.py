"""The depth as it will be sent, as grey levels on the bodies in the viewport. The passes do not look at them.

That it is shown is stored in the file, and so is what the viewport and the meshes showed before: undo and loading
keep both together.
"""

from __future__ import annotations

import json
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..passes.geometry import CameraView, camera_view, world_vertices
from ..passes.shot_file import visible_range_m
from ..rig.character import Character, characters
from ..scene_time import Steps
from ..shared.errors import InputError
from ..shared.shot import ShotCamera, depth_levels
from ..typed_bpy import persistent
from .viewport import set_shading, shading_of

DEPTH_ATTRIBUTE = "latentman_depth"
# On the scene: the shot's range in metres and what its viewport showed before; on a mesh: its colours before.
RANGE, VIEWPORT_BEFORE, COLOURS_BEFORE = "latentman_depth_range", "latentman_viewport", "latentman_colours"
_SHADING = {"type": "SOLID", "color_type": "VERTEX", "light": "FLAT"}


def depth_is_shown(scene: Any) -> bool:
    """Whether the bodies show their depth."""
    return RANGE in scene


def depth_steps(scene: Any, frames: tuple[int, ...], space: Any = None) -> Steps[None]:
    """Colour the scene's bodies by their depth in one range over these frames, and have a 3D viewport show it.

    The scene's current frame is put back. Raises InputError if there is no perspective camera, no body in its
    picture, or a body whose modifiers change its vertices.
    """
    near, far = np.inf, 0.0
    current = scene.frame_current
    rendered = characters(scene, bpy.context.view_layer)
    try:
        for frame in frames:
            scene.frame_set(frame)
            depsgraph = bpy.context.evaluated_depsgraph_get()
            view = _view(scene, depsgraph)
            for one in rendered:
                if not one.body.hide_render:  # as in the shot's range: keys may switch it off in this frame
                    low, high = visible_range_m(view, _vertices(one, depsgraph), *_size(scene))
                    near, far = min(near, low), max(far, high)
            yield
    finally:
        scene.frame_set(current)
    if near > far:
        raise InputError("passes.out_of_view", "The camera sees no body.", "Frame the shot.")
    for one in characters(scene):
        _add_colours(one.body.data)
    scene[RANGE] = (float(near), float(far))
    if space is not None:
        scene[VIEWPORT_BEFORE] = json.dumps(shading_of(space, _SHADING))
        set_shading(space, _SHADING)
    update_depth(scene)


def hide_depth(scene: Any, space: Any = None) -> None:
    """Take the colours away, and show what was shown before. Harmless if the depth is not shown."""
    for one in characters(scene):
        _remove_colours(one.body.data)
    if RANGE in scene:
        del scene[RANGE]
    before = json.loads(scene.pop(VIEWPORT_BEFORE, "{}"))
    if space is not None:
        set_shading(space, before)


def update_depth(scene: Any) -> None:
    """Colour the bodies as they stand in the current frame. Raises InputError as `show_depth`."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    view = _view(scene, depsgraph)
    near, far = scene[RANGE]
    for one in characters(scene):
        layer = one.body.data.color_attributes.get(DEPTH_ATTRIBUTE)
        if layer is not None:
            _paint(layer, depth_levels(_depth(view, _vertices(one, depsgraph)), near, far))
            one.body.data.update()


def _view(scene: Any, depsgraph: Any) -> CameraView:
    return camera_view(scene, depsgraph, *_size(scene))


def _size(scene: Any) -> tuple[int, int]:
    return scene.latentman.width, scene.latentman.height


def _vertices(one: Character, depsgraph: Any) -> NDArray[np.float32]:
    vertices = world_vertices(one, depsgraph)
    if len(vertices) != len(one.body.data.vertices):
        raise InputError(
            "rig.vertices",
            f"A modifier of {one.body.name!r} changes its vertices, so its depth cannot be shown.",
            "Disable that modifier in the viewport.",
        )
    return vertices


def _depth(view: CameraView, vertices: NDArray[np.float32]) -> NDArray[np.float64]:
    camera = ShotCamera(view.world_to_camera[None], view.intrinsics[None])
    depth: NDArray[np.float64] = camera.project(np.asarray(vertices, np.float64)[None])[1][0]
    return depth


def _paint(layer: Any, levels: NDArray[np.float64]) -> None:
    colours = np.ones((len(levels), 4), np.float32)
    colours[:, :3] = levels[:, None]
    layer.data.foreach_set("color_srgb", colours.ravel())


def _add_colours(mesh: Any) -> None:
    if mesh.color_attributes.get(DEPTH_ATTRIBUTE) is None:
        active = mesh.color_attributes.active_color
        mesh[COLOURS_BEFORE] = "" if active is None else active.name
        mesh.color_attributes.new(DEPTH_ATTRIBUTE, "BYTE_COLOR", "POINT")
    mesh.color_attributes.active_color = mesh.color_attributes[DEPTH_ATTRIBUTE]


def _remove_colours(mesh: Any) -> None:
    layer = mesh.color_attributes.get(DEPTH_ATTRIBUTE)
    if layer is None:
        return
    mesh.color_attributes.remove(layer)
    before = mesh.color_attributes.get(mesh.pop(COLOURS_BEFORE, ""))
    if before is not None:
        mesh.color_attributes.active_color = before
    mesh.update()


@persistent
def _on_frame(scene: Any, _depsgraph: Any = None) -> None:
    """Follow the timeline. What cannot be coloured now keeps its colours: the button says why when it is pressed."""
    if not depth_is_shown(scene) or bpy.app.is_job_running("RENDER"):
        return
    try:
        update_depth(scene)
    except InputError:
        return


def register() -> None:
    """Follow the timeline from here on."""
    bpy.app.handlers.frame_change_post.append(_on_frame)


def unregister() -> None:
    """Follow it no more; what is shown stays as it is."""
    bpy.app.handlers.frame_change_post.remove(_on_frame)
