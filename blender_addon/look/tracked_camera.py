"""The camera that filmed a motion, as an animated camera of the scene that sees the character where the video did."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from .. import compat
from ..rig.character import add_note
from ..rig.keyframes import write_keys
from ..scene_time import scene_fps
from ..shared.motion import SMPLMotion, resample
from ..shared.motion.camera import CameraTrack
from ..shared.rotations import continuous_quaternions, matrix_to_quaternion

# On the camera: which import it belongs to, and the size of the video in pixels.
TRACKED, VIDEO_SIZE = "latentman_tracked", "latentman_video_size"

_SENSOR_MM = 36.0
_VARIES = 1e-4
_BLENDER_AXES = np.diag([1.0, -1.0, -1.0])  # Blender's cameras look along -Z with Y up, OpenCV's along Z with Y down
_CLIP_M = (0.05, 1000.0)


def film(scene: Any, armature: Any, motion: SMPLMotion, start_frame: int, group: str) -> None:
    """Give the scene the camera of a motion that `armature` plays; nothing where it has none.

    `start_frame` is that of the take, `group` names the import: a camera that it has is animated again. It becomes the
    scene's camera, and stands to the armature as it did to the person.
    """
    if motion.camera is None:
        return
    track = resample(motion, scene_fps(scene)).camera
    assert track is not None
    camera = _of_import(scene, group) or _new_camera(scene, armature)
    camera[TRACKED], camera[VIDEO_SIZE] = group, [track.width, track.height]
    frames = np.arange(start_frame, start_frame + track.frame_count, dtype=np.float32)
    bpy.context.view_layer.update()  # type: ignore[union-attr]  # the armature's place may be new
    _animate_place(camera, track, Matrix(armature.matrix_world), frames)
    _animate_lens(camera.data, track, frames)
    scene.camera = camera
    add_note(armature, f"The scene's camera is the one that filmed the video, {track.width} x {track.height}")


def video_size(scene: Any) -> tuple[int, int] | None:
    """Width and height in pixels of the video that the scene's camera filmed; None for another camera."""
    camera = scene.camera
    if camera is None or VIDEO_SIZE not in camera:
        return None
    width, height = camera[VIDEO_SIZE]
    return int(width), int(height)


def like_video(size: tuple[int, int], area: int, multiple: int) -> tuple[int, int]:
    """The picture of a video's aspect, both sides multiples of `multiple`, with about as many pixels as `area`."""
    aspect = size[0] / size[1]
    height = (area / aspect) ** 0.5
    around = range(max(1, round(0.8 * height / multiple)), round(1.2 * height / multiple) + 2)
    sides = [(max(1, round(aspect * rows)), rows) for rows in around]
    width, rows = min(
        sides, key=lambda one: (round(abs(one[0] / one[1] / aspect - 1), 3), abs(one[1] * multiple - height))
    )
    return width * multiple, rows * multiple


def _of_import(scene: Any, group: str) -> Any:
    return next((one for one in scene.objects if one.type == "CAMERA" and one.get(TRACKED) == group), None)


def _new_camera(scene: Any, armature: Any) -> Any:
    name = f"{armature.name} Video Camera"
    camera = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    scene.collection.objects.link(camera)
    return camera


def _animate_place(camera: Any, track: CameraTrack, world: Any, frames: NDArray[np.float32]) -> None:
    """Key where the camera stands and how it is turned, in a world that `world` takes SMPL's axes to."""
    turn = np.array(world.to_3x3().normalized(), np.float64)
    place = np.array(world, np.float64)
    positions = track.positions @ place[:3, :3].T + place[:3, 3]
    turns = turn @ np.swapaxes(track.rotation, -1, -2) @ _BLENDER_AXES
    quaternions = continuous_quaternions(matrix_to_quaternion(turns))
    camera.animation_data_clear()
    camera.rotation_mode = "QUATERNION"
    fcurves = compat.new_fcurves(camera, f"{camera.name} path")
    for path, values in (("location", positions), ("rotation_quaternion", quaternions)):
        for axis in range(values.shape[1]):
            write_keys(compat.new_fcurve(fcurves, path, axis, "Video"), frames, values[:, axis])


def _animate_lens(data: Any, track: CameraTrack, frames: NDArray[np.float32]) -> None:
    """Set focal length and shift, with keys where they change. The picture's width fits the sensor."""
    k, width = track.intrinsics, float(track.width)
    data.type, data.sensor_fit, data.sensor_width = "PERSP", "HORIZONTAL", _SENSOR_MM
    data.clip_start, data.clip_end = _CLIP_M
    data.animation_data_clear()
    values = {
        "lens": k[:, 0, 0] * _SENSOR_MM / width,
        "shift_x": 0.5 - k[:, 0, 2] / width,
        "shift_y": (k[:, 1, 2] - 0.5 * track.height) / width,
    }
    for name, over_time in values.items():
        setattr(data, name, float(over_time[0]))
    changing = {name: one for name, one in values.items() if np.ptp(one) > _VARIES}
    if changing:
        fcurves = compat.new_fcurves(data, f"{data.name} lens")
        for name, one in changing.items():
            write_keys(compat.new_fcurve(fcurves, name, 0, "Video"), frames, one)
