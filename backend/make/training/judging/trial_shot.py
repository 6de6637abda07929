"""Shots for measuring consistency: a character of the training moves as a sample motion does, before a fixed camera.

The sample motions take no part in the training; its poses are drawn at random (`poses.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from backend.make.training.prompts import COLOUR_WORDS, PLACE_WORDS, Scene
from backend.make.training.renders.figure import FloatArray, TrainingBody, skin, skin_transforms
from backend.make.training.renders.places import PLACES, Canvas, random_light
from backend.make.training.renders.raster import Camera, empty_fragments, look_from, project, rasterise
from backend.make.training.renders.render import SIZE, Cast, cast_character, draw
from backend.passes.exr import FramePasses
from backend.passes.shot_passes import Charts, FramesInMemory, ShotPasses
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


def render_trial_shot(body: TrainingBody, motion: str, scene: Scene, frames: int, seed: int) -> TrialShot:
    """`frames` frames of the sample motion `motion` (a name of SAMPLE_NAMES) at 10 fps, as the scene says."""
    rng = np.random.default_rng([seed, 77])
    cast = cast_character(body, scene, rng)
    place, light, place_seed = PLACES[scene.place], random_light(rng, PLACES[scene.place]), int(rng.integers(2**31))
    posed = _posed(body, cast, resample(read_motion(sample_path(motion)), SHOT_FPS), frames)
    count = len(body.mesh.rest)
    camera = _camera(np.concatenate([points[:count] for points, _ in posed]), rng)
    canvas = Canvas(camera)
    place.draw(canvas, np.random.default_rng(place_seed))
    backdrop = canvas.picture.copy()
    drawn = []
    for points, normals in posed:
        canvas.picture[:] = backdrop
        drawn.append(draw(body, cast, points, normals, camera, light, canvas, place.ground))
    pictures = [np.clip(frame.picture * 255 + 0.5, 0, 255).astype(np.uint8) for frame in drawn]
    words = f"a {COLOUR_WORDS[scene.colour][0]} " if scene.colour else "a "
    prompt = f"{words}{scene.character} {scene.action} {PLACE_WORDS[scene.place][0]}"
    vertices = np.stack([points[:count] for points, _ in posed])
    return TrialShot(
        prompt, _passes(body, vertices, camera), np.stack(pictures), np.stack([frame.figure for frame in drawn])
    )


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


def _camera(points: FloatArray, rng: Generator) -> Camera:
    """The whole motion in view, from breast height, a little to the side."""
    focal = SIZE / 2 / np.tan(np.radians(20.0))
    extent = max(float(np.ptp(points[:, 1])), float(np.ptp(points[:, 0])), 1.2)
    target = np.array([0, 0.5 * (points[:, 1].min() + points[:, 1].max()), 0], np.float32)
    return look_from(float(rng.normal(0, 0.2)), 0.05, extent / 0.8 * focal / SIZE, target, float(focal), SIZE)


def _passes(body: TrainingBody, vertices: FloatArray, camera: Camera) -> ShotPasses:
    """Depth, part and chart position of the bare body, one sample a pixel centre, as Blender renders them."""
    model = body.body
    if model.part is None or model.chart_uv is None:
        raise BodyError(
            "body.no_parts", "The free body has no parts.", "Rebuild it with python -m backend.make.body.build."
        )
    charts = Charts(model.f, model.part, model.chart_uv)
    planes = [_planes(charts, points, camera) for points in vertices]
    depth, part, uv = (np.stack(plane) for plane in zip(*planes, strict=True))
    seen = depth[np.isfinite(depth)]
    frames = len(vertices)
    world_to_camera = np.eye(4)
    world_to_camera[:3, :3] = np.stack([camera.right, -camera.up, camera.forward])
    world_to_camera[:3, 3] = -world_to_camera[:3, :3] @ camera.position
    half = camera.size / 2
    intrinsics = np.array([[camera.focal, 0, half], [0, camera.focal, half], [0, 0, 1.0]])
    joints = np.zeros((frames, 24, 3))
    shot = Shot(
        version=1,
        fps=SHOT_FPS,
        width=camera.size,
        height=camera.size,
        frames=tuple(range(1, frames + 1)),
        near_m=float(seen.min()),
        far_m=float(seen.max()),
        camera=ShotCamera(np.stack([world_to_camera] * frames), np.stack([intrinsics] * frames)),
        characters=(ShotCharacter("body", 0, vertices.shape[1], joints, joints[..., :2]),),
    )
    return ShotPasses(shot, vertices, charts, FramesInMemory(FramePasses(depth, part, uv)))


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
