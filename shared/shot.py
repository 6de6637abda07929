"""What a shot's passes mean: the file `shot.json` beside them, and the conventions of the passes themselves.

A passes folder holds, for the frames of one shot:

    0001.exr ...    one file a frame, named by the scene's frame number; one part, scan lines, ZIP, 32-bit float, no
                    time stamps, so that an equal frame gives equal bytes. Row 0 is the top of the picture, a pixel's
                    centre lies at +0.5. Channels:
                      Depth.Z     planar distance from the camera in metres where the character is seen, +inf elsewhere
                      iuv.R       DensePose part: exactly 1..24 where the character is seen, 0 elsewhere
                      iuv.G, .B   u, v in 0..1 inside the part's chart, 0 elsewhere
                    An object in front of the character hides it: its pixels are background in every channel.
    shot.json       this module's `Shot`
    vertices.npy    float32 (frames, vertices, 3): world metres of every character's rendered vertices, after
                    modifiers and pose correctives, one character after the other
    charts.npz      f (faces, 3) int32 into those vertices, part (faces,) uint8 1..24, chart_uv (faces, 3, 2) float32;
                    where it can be told also rest (vertices, 3) float32: the same vertices in the rest pose, in metres,
                    each body in its own axes and place, so that bodies may overlap. Modifiers count as rendered;
                    physics, pose correctives and shape keys that move do not. It is the same for all frames

World is Blender's: Z up, metres. Cameras have OpenCV's axes: x right, y down, z forward.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import PassesError

SHOT_VERSION = 1
DEPTH_CHANNEL = "Depth.Z"
PART_CHANNEL = "iuv.R"
U_CHANNEL = "iuv.G"
V_CHANNEL = "iuv.B"
PART_COUNT = 24
JOINT_COUNT = 24

# The depth picture's level at the far end of the shot's range: the body stays apart from the background, which is 0.
# The embedded model is trained on the same mapping.
FAR_LEVEL = 0.2

SHOT_FILE = "shot.json"
VERTICES_FILE = "vertices.npy"
CHARTS_FILE = "charts.npz"


@dataclass(frozen=True, slots=True, eq=False)
class ShotCamera:
    """The camera in every frame of the shot."""

    world_to_camera: NDArray[np.float64]  # (frames, 4, 4) world metres -> camera metres, OpenCV axes
    intrinsics: NDArray[np.float64]  # (frames, 3, 3) pixels

    def stands_still(self, stop: int | None = None) -> bool:
        """Whether the camera is the same in all frames, or in those at positions before `stop`."""
        return all(
            bool(np.allclose(matrices[:stop], matrices[:1], rtol=0, atol=1e-6))
            for matrices in (self.world_to_camera, self.intrinsics)
        )

    def project(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Project (frames, n, 3) world metres: picture positions (frames, n, 2) in pixels and depth (frames, n) metres.

        A point behind the camera has a depth of zero or less; its picture position means nothing.
        """
        rotation, offset = self.world_to_camera[:, :3, :3], self.world_to_camera[:, None, :3, 3]
        camera = np.einsum("fij,fnj->fni", rotation, points) + offset
        depth = camera[..., 2]
        divisor = np.where(np.abs(depth) < 1e-9, 1e-9, depth)[..., None]
        picture = np.einsum("fij,fnj->fni", self.intrinsics, camera / divisor)[..., :2]
        return picture, depth


@dataclass(frozen=True, slots=True, eq=False)
class ShotCharacter:
    """One character: its range in the vertex file, and its joints in space and in the picture."""

    name: str
    vertex_start: int
    vertex_count: int
    joints_world: NDArray[np.float64]  # (frames, 24, 3) metres
    joints_picture: NDArray[np.float64]  # (frames, 24, 2) pixels


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """All that is known of a shot besides its pictures."""

    version: int
    fps: float
    width: int
    height: int
    frames: tuple[int, ...]  # the scene's frame numbers
    near_m: float  # the nearest and farthest depth of the bodies inside the picture, over the whole shot
    far_m: float
    camera: ShotCamera
    characters: tuple[ShotCharacter, ...]


def depth_levels(depth_m: NDArray[np.floating[Any]], near_m: float, far_m: float) -> NDArray[np.floating[Any]]:
    """The levels of the depth picture on a body: 1 at `near_m`, `FAR_LEVEL` at `far_m`, held outside of them.

    One range for the whole shot, never one a frame: a range a frame makes the depth flicker.
    """
    span = max(far_m - near_m, 1e-6)
    levels: NDArray[np.floating[Any]] = 1 - (1 - FAR_LEVEL) * np.clip((depth_m - near_m) / span, 0, 1)
    return levels


def shot_json(shot: Shot) -> bytes:
    """The shot as canonical JSON: equal shots give equal bytes."""
    document = {
        "version": shot.version,
        "fps": float(shot.fps),
        "width": shot.width,
        "height": shot.height,
        "frames": list(shot.frames),
        "near_m": float(shot.near_m),
        "far_m": float(shot.far_m),
        "camera": {
            "world_to_camera": shot.camera.world_to_camera.tolist(),
            "intrinsics": shot.camera.intrinsics.tolist(),
        },
        "characters": [
            {
                "name": character.name,
                "vertex_start": character.vertex_start,
                "vertex_count": character.vertex_count,
                "joints_world": character.joints_world.tolist(),
                "joints_picture": character.joints_picture.tolist(),
            }
            for character in shot.characters
        ],
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def parse_shot(data: bytes) -> Shot:
    """Read and check what `shot_json` wrote; unknown keys are ignored. Raises PassesError naming the key at fault."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _fault(f"is not JSON ({error})") from error
    version = _number(document, "version")
    if version != SHOT_VERSION:
        raise _fault(f"has version {version:g}; this program reads version {SHOT_VERSION}")
    frames = tuple(int(frame) for frame in _array(document, "frames", (None,)))
    if not frames or len(set(frames)) != len(frames):
        raise _fault("has no frames, or the same frame twice ('frames')")
    camera = _value(document, "camera")
    shot = Shot(
        version=SHOT_VERSION,
        fps=_number(document, "fps"),
        width=int(_number(document, "width")),
        height=int(_number(document, "height")),
        frames=frames,
        near_m=_number(document, "near_m"),
        far_m=_number(document, "far_m"),
        camera=ShotCamera(
            _array(camera, "world_to_camera", (len(frames), 4, 4)), _array(camera, "intrinsics", (len(frames), 3, 3))
        ),
        characters=_characters(document, len(frames)),
    )
    if shot.fps <= 0 or shot.width < 1 or shot.height < 1 or not 0 < shot.near_m <= shot.far_m:
        raise _fault("has an impossible frame rate, picture size or depth range")
    return shot


def _characters(document: Any, frames: int) -> tuple[ShotCharacter, ...]:
    entries = _value(document, "characters")
    if not isinstance(entries, list) or not entries:
        raise _fault("has no character ('characters')")
    characters = []
    start = 0
    for entry in entries:
        character = ShotCharacter(
            name=str(_value(entry, "name")),
            vertex_start=int(_number(entry, "vertex_start")),
            vertex_count=int(_number(entry, "vertex_count")),
            joints_world=_array(entry, "joints_world", (frames, JOINT_COUNT, 3)),
            joints_picture=_array(entry, "joints_picture", (frames, JOINT_COUNT, 2)),
        )
        if character.vertex_start != start or character.vertex_count < 1:
            raise _fault(f"has vertices of {character.name!r} that do not follow the previous character's")
        start += character.vertex_count
        characters.append(character)
    return tuple(characters)


def _value(container: Any, key: str) -> Any:
    if not isinstance(container, dict) or key not in container:
        raise _fault(f"has no '{key}'")
    return container[key]


def _number(container: Any, key: str) -> float:
    value = _value(container, key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise _fault(f"has a '{key}' that is not a number")
    return value


def _array(container: Any, key: str, shape: tuple[int | None, ...]) -> NDArray[np.float64]:
    try:
        array = np.asarray(_value(container, key), np.float64)
    except (TypeError, ValueError) as error:
        raise _fault(f"has a '{key}' that is not an array of numbers") from error
    fits = array.ndim == len(shape) and all(want in (None, have) for want, have in zip(shape, array.shape, strict=True))
    if not fits or not np.isfinite(array).all():
        raise _fault(f"has a '{key}' of shape {array.shape} or with values that are not finite; {shape} is needed")
    return array


def _fault(what: str) -> PassesError:
    return PassesError("passes.shot", f"The shot's description ({SHOT_FILE}) {what}.", "Render the passes again.")
