"""Shots for measuring consistency: a character of the training moves as a sample motion does, before a camera.

The sample motions take no part in the training; its poses are drawn at random (`poses.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from backend.make.training.prompts import COLOUR_WORDS, Scene
from backend.make.training.renders.figure import FloatArray, TrainingBody, skin, skin_transforms
from backend.make.training.renders.places import PLACES, Canvas, random_light
from backend.make.training.renders.raster import Camera, empty_fragments, look_from, project, rasterise
from backend.make.training.renders.render import SIZE, Cast, cast_character, draw
from backend.passes.exr import FramePasses
from backend.passes.shot_passes import Charts, FramesInMemory, ShotPasses
from backend.words.picture_grammar import PLACE_WORDS
from shared.errors import BodyError
from shared.motion import SMPLMotion, read_motion, resample, sample_path
from shared.shot import Shot, ShotCamera, ShotCharacter

SHOT_FPS = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class TrialShot:
    """A shot as the product would render its passes, and the pictures that a perfect model would paint."""

    prompt: str
    passes: ShotPasses
    renders: NDArray[np.uint8]  # (frames, SIZE, SIZE, 3)
    figure: NDArray[np.bool_]  # (frames, SIZE, SIZE) body or clothes, as rendered


@dataclass(frozen=True, slots=True)
class Staging:
    """What a shot adds to its motion, degrees about the vertical from the first frame to the last."""

    turn: float = 0.0  # of the body on its place
    orbit: float = 0.0  # of the camera round the body


STILL = Staging()


def render_trial_shot(
    body: TrainingBody, motion: str, scene: Scene, frames: int, seed: int, staging: Staging = STILL
) -> TrialShot:
    """`frames` frames of the sample motion `motion` (a name of SAMPLE_NAMES) at 10 fps, as the scene says."""
    rng = np.random.default_rng([seed, 77])
    cast = cast_character(body, scene, rng)
    place, light, place_seed = PLACES[scene.place], random_light(rng, PLACES[scene.place]), int(rng.integers(2**31))
    posed = _posed(body, cast, resample(read_motion(sample_path(motion)), SHOT_FPS), frames)
    turns = _angles(staging.turn, frames)
    posed = [(_turned(p, angle), _turned(n, angle)) for (p, n), angle in zip(posed, turns, strict=True)]
    count = len(body.mesh.rest)
    cameras = _cameras(np.concatenate([points[:count] for points, _ in posed]), rng, _angles(staging.orbit, frames))
    drawn = []
    for (points, normals), camera in zip(posed, cameras, strict=True):
        canvas = Canvas(camera)
        place.draw(canvas, np.random.default_rng(place_seed))
        drawn.append(draw(body, cast, points, normals, camera, light, canvas, place.ground))
    pictures = [np.clip(frame.picture * 255 + 0.5, 0, 255).astype(np.uint8) for frame in drawn]
    words = f"a {COLOUR_WORDS[scene.colour][0]} " if scene.colour else "a "
    prompt = f"{words}{scene.character} {scene.action} {PLACE_WORDS[scene.place][0]}"
    vertices = np.stack([points[:count] for points, _ in posed])
    figure = np.stack([frame.figure for frame in drawn])
    return TrialShot(prompt, _passes(body, vertices, cameras), np.stack(pictures), figure)


def _angles(whole: float, frames: int) -> NDArray[np.float64]:
    """Radians, a value a frame, half of the way before the middle of the shot and half behind."""
    return np.asarray(np.radians(whole) * np.linspace(-0.5, 0.5, frames))


def _turned(vectors: FloatArray, angle: float) -> FloatArray:
    """Vectors (n, 3), turned about the vertical."""
    if not angle:
        return vectors
    sine, cosine = np.sin(angle), np.cos(angle)
    turn = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]], np.float32)
    return np.asarray(vectors @ turn.T, np.float32)


def _posed(body: TrainingBody, cast: Cast, motion: SMPLMotion, frames: int) -> list[tuple[FloatArray, FloatArray]]:
    """Points and normals of `frames` frames from the middle of the motion, standing on the ground, centred."""
    start = max(0, (motion.frame_count - frames) // 2)
    posed = []
    for frame in range(start, start + frames):
        transforms = skin_transforms(body.body, motion.poses[frame].astype(np.float32), cast.betas)
        points, normals = skin(cast.mesh, cast.mesh.rest + cast.offset, transforms)
        posed.append((points + motion.root[frame].astype(np.float32), normals))
    bare = np.concatenate([points[: len(body.mesh.rest)] for points, _ in posed])
    shift = np.array([-bare[:, 0].mean(), -bare[:, 1].min(), -bare[:, 2].mean()], np.float32)
    return [(points + shift, normals) for points, normals in posed]


def _cameras(points: FloatArray, rng: Generator, orbit: NDArray[np.float64]) -> list[Camera]:
    """The whole motion in view, from breast height, a little to the side: a camera a frame."""
    focal = SIZE / 2 / np.tan(np.radians(20.0))
    extent = max(float(np.ptp(points[:, 1])), float(np.ptp(points[:, 0])), 1.2)
    target = np.array([0, 0.5 * (points[:, 1].min() + points[:, 1].max()), 0], np.float32)
    side = float(rng.normal(0, 0.2))
    return [
        look_from(side + float(angle), 0.05, extent / 0.8 * focal / SIZE, target, float(focal), SIZE) for angle in orbit
    ]


def _passes(body: TrainingBody, vertices: FloatArray, cameras: Sequence[Camera]) -> ShotPasses:
    """Depth, part and chart position of the bare body, one sample a pixel centre, as Blender renders them."""
    model = body.body
    if model.part is None or model.chart_uv is None:
        raise BodyError(
            "body.no_parts", "The free body has no parts.", "Rebuild it with python -m backend.make.body.build."
        )
    charts = Charts(model.f, model.part, model.chart_uv)
    planes = [_planes(charts, points, camera) for points, camera in zip(vertices, cameras, strict=True)]
    depth, part, uv = (np.stack(plane) for plane in zip(*planes, strict=True))
    seen = depth[np.isfinite(depth)]
    frames, size = len(vertices), cameras[0].size
    joints = np.zeros((frames, 24, 3))
    shot = Shot(
        version=1,
        fps=SHOT_FPS,
        width=size,
        height=size,
        frames=tuple(range(1, frames + 1)),
        near_m=float(seen.min()),
        far_m=float(seen.max()),
        camera=_shot_camera(cameras),
        characters=(ShotCharacter("body", 0, vertices.shape[1], joints, joints[..., :2]),),
    )
    return ShotPasses(shot, vertices, charts, FramesInMemory(FramePasses(depth, part, uv)))


def _shot_camera(cameras: Sequence[Camera]) -> ShotCamera:
    world_to_camera, intrinsics = np.stack([np.eye(4)] * len(cameras)), np.zeros((len(cameras), 3, 3))
    for matrix, inner, camera in zip(world_to_camera, intrinsics, cameras, strict=True):
        matrix[:3, :3] = np.stack([camera.right, -camera.up, camera.forward])
        matrix[:3, 3] = -matrix[:3, :3] @ camera.position
        half = camera.size / 2
        inner[:] = [[camera.focal, 0, half], [0, camera.focal, half], [0, 0, 1]]
    return ShotCamera(world_to_camera, intrinsics)


def _planes(charts: Charts, points: FloatArray, camera: Camera) -> tuple[FloatArray, NDArray[np.uint8], FloatArray]:
    pixels, depth = project(camera, points)
    found = empty_fragments(camera.size)
    rasterise(found, pixels, depth, charts.f, 0)
    hit = found.face >= 0
    face = np.where(hit, found.face, 0)
    weights = np.concatenate([found.weights, 1 - found.weights.sum(-1, keepdims=True)], -1)
    uv = np.einsum("hwc,hwci->hwi", weights, charts.chart_uv[face])
    return (
        np.where(hit, found.depth_m, np.inf).astype(np.float32),
        np.where(hit, charts.part[face], 0).astype(np.uint8),
        np.clip(np.where(hit[..., None], uv, 0), 0, 1).astype(np.float32),
    )
