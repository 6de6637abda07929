"""A camera that shows a character's whole motion."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from ..passes.geometry import world_vertices
from ..rig.character import Character, characters
from ..rig.joints import joint_bones
from ..rig.keyframes import write_location
from ..scene_time import Steps, at_once, scene_fps
from ..shared.errors import InputError
from .tracked_camera import TRACKED

CAMERA = "latentman_camera"  # marks a camera as made here, so that framing again moves it instead of adding one

_START_UP_LOCATION = (7.358891487121582, -6.925790786743164, 4.958309173583984)
_VERTICAL_FOV_RAD = math.radians(40)
_FILL_HEIGHT = 0.82
_FILL_WIDTH = 0.92
_SMOOTHING_S = 0.5
_EVERY_NTH_VERTEX = 8


@dataclass(frozen=True, slots=True)
class _Motion:
    """The character over the frames, in the world."""

    points: NDArray[np.float32]  # (frames, n, 3) metres, a part of the body's vertices
    pelvis: NDArray[np.float64]  # (frames, 3) metres
    front: NDArray[np.float64]  # (3,) unit, horizontal: where the character mostly faces


def frame_shot(
    scene: Any,
    armature: Any,
    frames: tuple[int, ...],
    *,
    size: tuple[int, int] | None = None,  # of the pictures, in pixels; the scene's resolution where None
    follow: bool = False,
    replace: bool = False,
    also: tuple[Any, ...] = (),  # armatures of other characters that it sees as well
) -> Any:
    """`framing_steps` at once."""
    return at_once(framing_steps(scene, armature, frames, size=size, follow=follow, replace=replace, also=also))


def framing_steps(
    scene: Any,
    armature: Any,
    frames: tuple[int, ...],
    *,
    size: tuple[int, int] | None = None,  # of the pictures, in pixels; the scene's resolution where None
    follow: bool = False,
    replace: bool = False,
    also: tuple[Any, ...] = (),
) -> Steps[Any]:
    """Give the scene a camera that sees the character in all the frames, and return the camera object.

    The camera looks level at the character's front with a vertical field of view of 40 degrees, as near as the whole
    motion allows: the tallest stretch fills 82 % of the picture's height at most. It stands still; with `follow` it
    moves along with the pelvis over the ground. A camera that the scene already has is returned as it is, unless it
    was made here, stands where Blender's start-up file has it, or `replace` is set; then a camera made here becomes the
    scene's. Raises InputError if there are no frames or `armature` is no character.
    """
    own = [item for item in scene.objects if item.type == "CAMERA" and item.get(CAMERA)]
    placed = scene.camera is not None and scene.camera not in own and not _of_start_up(scene.camera)
    if placed and not replace:
        return scene.camera
    seen = []
    for one in (armature, *also):
        seen.append((yield from _observe(scene, _character(scene, one), frames)))
    motion = dataclasses.replace(seen[0], points=np.concatenate([one.points for one in seen], axis=1))
    camera = own[0] if own else _new_camera(scene)
    scene.camera = camera
    _place(scene, camera, motion, frames, follow, _aspect(scene, size))
    return camera


def look_through(context: Any, camera: Any) -> bool:
    """Show what a camera of our own sees in the window's 3D view, that of the context or the largest one.

    Whether there was one to show it in. A camera that the user has placed is left to the user, and so is the view.
    """
    ours = camera.get(CAMERA) or camera.get(TRACKED)
    if bpy.app.background or not ours or context.screen is None:
        return False
    views = [one for one in context.screen.areas if one.type == "VIEW_3D"]
    if not views:
        return False
    area = context.area if context.area in views else max(views, key=lambda one: one.width * one.height)
    area.spaces.active.region_3d.view_perspective = "CAMERA"
    return True


def _character(scene: Any, armature: Any) -> Character:
    for character in characters(scene):
        if character.armature == armature:
            return character
    raise InputError("camera.no_character", f"{armature.name!r} is not a character of this scene.", "Import a motion.")


def _of_start_up(camera: Any) -> bool:
    """Whether a camera stands exactly where Blender's start-up file has it: then nobody has placed it for this shot."""
    return camera.animation_data is None and camera.location == Vector(_START_UP_LOCATION)


def _aspect(scene: Any, size: tuple[int, int] | None) -> float:
    """Width over height of what the camera shows. The pixels of our pictures are square, the scene's need not be."""
    if size is not None:
        return size[0] / size[1]
    render = scene.render
    return float(render.resolution_x * render.pixel_aspect_x / (render.resolution_y * render.pixel_aspect_y))


def _new_camera(scene: Any) -> Any:
    camera = bpy.data.objects.new("LatentMan Camera", bpy.data.cameras.new("LatentMan Camera"))
    camera[CAMERA] = True
    scene.collection.objects.link(camera)
    return camera


def _observe(scene: Any, character: Character, frames: tuple[int, ...]) -> Steps[_Motion]:
    """Step through the frames once; the scene's current frame is put back."""
    if not frames:
        raise InputError("frames.empty", "The frame range contains no frame.", 'Give one, for example "1-30,47".')
    root_bone = joint_bones(character.armature)[0]
    current = scene.frame_current
    points, pelvis, front = [], [], np.zeros(3)
    try:
        for frame in frames:
            scene.frame_set(frame)
            depsgraph = bpy.context.evaluated_depsgraph_get()
            armature = character.armature.evaluated_get(depsgraph)
            root = np.array(armature.matrix_world @ armature.pose.bones[root_bone].matrix)
            points.append(world_vertices(character, depsgraph)[::_EVERY_NTH_VERTEX])
            pelvis.append(root[:3, 3])
            front += root[:3, 2] * (1, 1, 0)  # SMPL faces +Z
            yield
    finally:
        scene.frame_set(current)
    length = float(np.linalg.norm(front))
    rest_front = np.array(character.armature.matrix_world)[:3, 2]
    return _Motion(
        points=np.stack(points),
        pelvis=np.asarray(pelvis),
        # A character that turns all the way round faces nowhere on average: then its rest pose's front counts.
        front=front / length if length > 0.1 * len(frames) else rest_front / np.linalg.norm(rest_front),
    )


def _place(scene: Any, camera: Any, motion: _Motion, frames: tuple[int, ...], follow: bool, aspect: float) -> None:
    up = np.array([0.0, 0.0, 1.0])
    right = np.cross(up, motion.front)  # the picture's right, seen from the front
    path = _smooth_path(motion.pelvis, frames, scene_fps(scene)) if follow else np.zeros((1, 3))
    moved = motion.points - path[:, None]
    axes = np.stack([right, up, motion.front])  # sideways, height, towards the camera
    local = (moved @ axes.T).reshape(-1, 3)
    low, high = local.min(axis=0), local.max(axis=0)
    middle = (low + high) / 2
    slope = math.tan(_VERTICAL_FOV_RAD / 2)
    reach = np.abs(local[:, :2] - middle[:2]) / (slope * np.array([aspect * _FILL_WIDTH, _FILL_HEIGHT]))
    away = float((reach.max(axis=1) + local[:, 2]).max())
    position = axes.T @ np.array([middle[0], middle[1], away])
    _set_lens(camera.data, away - low[2])
    camera.animation_data_clear()
    camera.rotation_mode = "XYZ"
    camera.rotation_euler = (math.pi / 2, 0, math.atan2(motion.front[0], -motion.front[1]))
    camera.location = position + path[0]
    if follow:
        write_location(camera, np.asarray(frames, np.float64), position + path)


def _set_lens(data: Any, farthest_m: float) -> None:
    data.type, data.sensor_fit = "PERSP", "VERTICAL"
    data.angle_y = _VERTICAL_FOV_RAD
    data.shift_x = data.shift_y = 0
    data.clip_start, data.clip_end = 0.05, max(100.0, 4 * farthest_m)


def _smooth_path(pelvis: NDArray[np.float64], frames: tuple[int, ...], fps: float) -> NDArray[np.float64]:
    """The pelvis' way over the ground (frames, 3), smoothed over time so that no step shakes the camera."""
    times = np.asarray(frames, np.float64) / fps
    weights = np.exp(-0.5 * ((times[:, None] - times[None]) / _SMOOTHING_S) ** 2)
    smoothed: NDArray[np.float64] = (weights / weights.sum(axis=1, keepdims=True)) @ (pelvis * (1, 1, 0))
    return smoothed
