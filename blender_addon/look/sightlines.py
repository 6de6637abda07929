"""The ways from the camera to points of the characters, in a few frames of the shot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..passes.geometry import transformed
from ..rig.character import Character, characters
from .keyed_places import KeyedPlaces, posed_by_keys

SAMPLED_FRAMES = 5
_POINTS = 240


@dataclass(frozen=True, slots=True)
class Sightlines:
    """The ways to one character in one frame. Only points that face the camera and lie in its picture have one."""

    character: str  # the armature's name
    frame: int
    eye: NDArray[np.float64]  # (3,) metres, in the world
    ends: NDArray[np.float64]  # (n, 3)


def sightlines(scene: Any, view_layer: Any, frames: tuple[int, ...], size: tuple[int, int]) -> list[Sightlines]:
    """The ways to all characters in the first, middle and last of these frames, two between, and the one that is shown.

    `size`: width and height of the picture in pixels. The current frame does not change. A character that is posed by
    more than keys, and a frame whose camera has no perspective, have ways only in the frame that is shown.
    """
    places = KeyedPlaces(scene.frame_current)
    found = []
    for character in characters(scene, view_layer):
        surface = _Surface.of(character)
        for frame in _sampled(frames, places.shown, character):
            camera = _camera(scene, frame)
            if camera is None or places.flag(character.body, "hide_render", frame):
                continue
            points, normals = surface.posed(places, character, frame)
            place = np.array(places.matrix(camera, frame).normalized(), np.float64)
            eye = place[:3, 3]
            seen = _in_picture(camera, place, points, size) & (((eye - points) * normals).sum(axis=1) > 0)
            found.append(Sightlines(character.armature.name, frame, eye, points[seen]))
    return found


def _sampled(frames: tuple[int, ...], shown: int, character: Character) -> list[int]:
    spread = {frames[round(place)] for place in np.linspace(0, len(frames) - 1, SAMPLED_FRAMES)}
    known = spread if posed_by_keys(character.armature) else spread & {shown}
    return sorted(known | ({shown} & set(frames)))


def _camera(scene: Any, frame: int) -> Any:
    """The camera of a frame; None if it is none with perspective."""
    bound = [marker for marker in scene.timeline_markers if marker.camera and marker.frame <= frame]
    camera = max(bound, key=lambda marker: marker.frame).camera if bound else scene.camera
    return camera if camera is not None and camera.type == "CAMERA" and camera.data.type == "PERSP" else None


def _in_picture(
    camera: Any, place: NDArray[np.float64], points: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.bool_]:
    lens = camera.data
    width, height = size
    wide = width >= height if lens.sensor_fit == "AUTO" else lens.sensor_fit == "HORIZONTAL"
    sensor = lens.sensor_height if lens.sensor_fit == "VERTICAL" else lens.sensor_width
    focal = lens.lens / sensor * (width if wide else height)  # pixels
    shift = np.array([lens.shift_x, lens.shift_y]) * (width if wide else height)
    local = (points - place[:3, 3]) @ place[:3, :3]
    ahead = -local[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        picture = local[:, :2] / ahead[:, None] * focal - shift
    inside = (np.abs(picture) <= np.array([width, height]) / 2).all(axis=1)
    visible: NDArray[np.bool_] = inside & (ahead > lens.clip_start)
    return visible


@dataclass(frozen=True, slots=True)
class _Surface:
    """Points spread over a body in its rest pose, in the armature's axes, each with the bone that carries it most."""

    points: NDArray[np.float64]  # (n, 3) metres
    normals: NDArray[np.float64]  # (n, 3)
    bones: tuple[str, ...]  # n names; empty if no bone carries a point

    @classmethod
    def of(cls, character: Character) -> _Surface:
        body, armature = character.body, character.armature
        vertices = body.data.vertices
        chosen = [vertices[index] for index in range(0, len(vertices), max(1, len(vertices) // _POINTS))]
        to_armature = np.array(armature.matrix_world.inverted_safe() @ body.matrix_world, np.float64)
        names = {group.index: group.name for group in body.vertex_groups}
        return cls(
            transformed(to_armature, np.array([one.co for one in chosen], np.float64).reshape(-1, 3)),
            np.array([one.normal for one in chosen], np.float64).reshape(-1, 3) @ to_armature[:3, :3].T,
            tuple(_carrier(one, names, armature.data.bones) for one in chosen),
        )

    def posed(
        self, places: KeyedPlaces, character: Character, frame: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Points and normals in the world, each moved as its bone is."""
        armature = character.armature
        pose = places.pose(armature, frame)
        root = np.array(places.matrix(armature, frame), np.float64)
        moved = {"": root}
        for name in set(self.bones) - {""}:
            bone = pose[name] @ armature.data.bones[name].matrix_local.inverted_safe()
            moved[name] = root @ np.array(bone, np.float64)
        each = np.stack([moved[name] for name in self.bones]) if self.bones else np.zeros((0, 4, 4))
        points = np.einsum("nij,nj->ni", each[:, :3, :3], self.points) + each[:, :3, 3]
        return points, np.einsum("nij,nj->ni", each[:, :3, :3], self.normals)


def _carrier(vertex: Any, names: dict[int, str], bones: Any) -> str:
    rows = [(group.weight, names.get(group.group, "")) for group in vertex.groups]
    return max(((weight, name) for weight, name in rows if name in bones), default=(0.0, ""))[1]
