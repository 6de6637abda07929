"""Two pictures of one character in one place: the unit of the training data."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from backend.make.training.prompts import Scene, random_scene
from backend.make.training.renders.characters import CHARACTERS, Look, random_look
from backend.make.training.renders.clothes import Cloth
from backend.make.training.renders.figure import FloatArray, Mesh, TrainingBody, merge, skin, skin_transforms
from backend.make.training.renders.paint import COLOURS, Painter
from backend.make.training.renders.places import PLACES, Canvas, Light, random_light
from backend.make.training.renders.poses import Pose, random_action, random_pose
from backend.make.training.renders.raster import Camera, Fragments, empty_fragments, look_from, project, rasterise

SIZE = 256
OVERSAMPLING = 2  # _halved averages 2 x 2
CELL = 8  # pixels a side of a latent's cell
STRAY_COLOUR_SHARE = 0.5  # of the stray pictures are of any colour, the others of those that the prompt allows
SURFACE_LABELS = 25 + len(Cloth)  # background, 24 parts of the body, pieces of clothes


@dataclass(frozen=True, slots=True)
class Pair:
    """Two frames of one character: 8-bit pictures, planar depth of the bare body, and one depth range of the shot."""

    scene: Scene
    rgb: NDArray[np.uint8]  # (2, SIZE, SIZE, 3)
    depth_m: FloatArray  # (2, SIZE, SIZE), inf = background
    near_m: float
    far_m: float
    label: NDArray[np.uint8]  # (2, SIZE / CELL, SIZE / CELL): 0 background, 1..24 body, 25.. clothes
    rest: FloatArray  # (2, SIZE / CELL, SIZE / CELL, 3) metres, the surface point in T-pose
    bare_part: NDArray[np.uint8]  # (2, SIZE, SIZE): 0 background, 1..24 body, clothes taken off
    bare_rest: FloatArray  # (2, SIZE, SIZE, 3) metres, where on the T-posed body that is
    figure: NDArray[np.bool_]  # (2, SIZE, SIZE): body or clothes
    stray: NDArray[np.uint8] | None = None  # (SIZE, SIZE, 3): frame 1 in another look of the character


@dataclass(frozen=True, slots=True)
class Drawn:
    """One drawn frame; `label` and `rest` say what the middle of each latent cell sees."""

    picture: FloatArray  # (SIZE, SIZE, 3) in 0..1
    bare: Bare
    figure: NDArray[np.bool_]  # (SIZE, SIZE)
    label: NDArray[np.uint8]
    rest: FloatArray


@dataclass(frozen=True, slots=True)
class Bare:
    """The body without clothes, a value a pixel (SIZE, SIZE)."""

    depth_m: FloatArray  # inf = background
    part: NDArray[np.uint8]
    rest: FloatArray  # (SIZE, SIZE, 3) metres


@dataclass(frozen=True, slots=True)
class Cast:
    """One instance of a character."""

    look: Look
    scene: Scene
    mesh: Mesh  # body, then clothes
    offset: FloatArray  # (V, 3) betas' displacement
    betas: FloatArray  # (10,)
    body_faces: int


@dataclass(frozen=True, slots=True)
class Stance:
    """How and where an instance stands in one frame."""

    pose: Pose
    facing: float  # radians about the vertical
    nudge_m: NDArray[np.float64]  # (2,) x and z, off the middle


def render_pair(body: TrainingBody, rng: Generator, stray: bool = False) -> Pair:
    """Render the pair that `rng` describes, and `Pair.stray` if asked, which changes nothing else."""
    scene = random_scene(rng, random_action(rng))
    cast = cast_character(body, scene, rng)
    place = PLACES[scene.place]
    light = random_light(rng, place)
    place_seed = int(rng.integers(2**31))
    facing = rng.normal(0, 0.5) if rng.random() < 0.62 else rng.uniform(-np.pi, np.pi)
    poses = [random_pose(rng, scene.action) for _ in range(2)]
    turns = (facing, facing + rng.normal(0, 0.4))
    stances = [Stance(pose, turn, rng.normal(0, 0.12, 2)) for pose, turn in zip(poses, turns, strict=True)]
    posed = [_posed(cast, body, stance) for stance in stances]
    camera = _camera(posed[0][0][: len(body.mesh.rest)], rng)
    moved = _moved(camera, rng) if rng.random() < 0.3 else camera

    def drawn(cast: Cast, posed: tuple[FloatArray, FloatArray], view: Camera, light: Light) -> Drawn:
        canvas = Canvas(view)
        place.draw(canvas, np.random.default_rng(place_seed))
        return draw(body, cast, *posed, view, light, canvas, place.ground)

    frames = [drawn(cast, place_of, view, light) for place_of, view in zip(posed, (camera, moved), strict=True)]
    depth = np.stack([frame.bare.depth_m for frame in frames])
    seen = depth[np.isfinite(depth)]
    near, far = (float(seen.min()), float(seen.max())) if seen.size else (1.0, 2.0)
    other = None
    if stray:
        colour = str(rng.choice(list(COLOURS))) if rng.random() < STRAY_COLOUR_SHARE else scene.colour
        double = cast_character(body, replace(scene, colour=colour), rng, cast.betas)
        other = _bytes(drawn(double, _posed(double, body, stances[1]), moved, random_light(rng, place)).picture)
    return Pair(
        scene,
        np.stack([_bytes(frame.picture) for frame in frames]),
        depth,
        near,
        far,
        label=np.stack([frame.label for frame in frames]),
        rest=np.stack([frame.rest for frame in frames]),
        bare_part=np.stack([frame.bare.part for frame in frames]),
        bare_rest=np.stack([frame.bare.rest for frame in frames]),
        figure=np.stack([frame.figure for frame in frames]),
        stray=other,
    )


def _bytes(picture: FloatArray) -> NDArray[np.uint8]:
    return np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)


def cast_character(body: TrainingBody, scene: Scene, rng: Generator, betas: FloatArray | None = None) -> Cast:
    """A random instance of the scene's character, of a random build unless `betas` (10,) says which."""
    character = CHARACTERS[scene.character]
    look = random_look(rng, character, scene.colour)
    if betas is None:
        betas = np.clip(rng.normal(0, 0.8, 10), -2, 2).astype(np.float32)
    displacement = body.body.shapedirs @ betas
    mesh = merge([body.mesh, *character.dress(body.marks, look)])
    joint_shift = body.body.joint_regressor @ displacement
    extra = mesh.weights[len(body.mesh.rest) :] @ joint_shift
    offset = np.concatenate([displacement, extra]).astype(np.float32)
    return Cast(look, scene, mesh, offset, betas, len(body.mesh.faces))


def _posed(cast: Cast, body: TrainingBody, stance: Stance) -> tuple[FloatArray, FloatArray]:
    rotations = stance.pose.rotations.copy()
    rotations[0] = (0, stance.facing, 0)
    points, normals = skin(cast.mesh, cast.mesh.rest + cast.offset, skin_transforms(body.body, rotations, cast.betas))
    bare = points[: len(body.mesh.rest)]
    x_m, z_m = stance.nudge_m
    shift = np.array([x_m, stance.pose.lift_m - bare[:, 1].min(), z_m], np.float32)
    shift[[0, 2]] -= bare[:, [0, 2]].mean(0)
    return points + shift, normals


def _camera(points: FloatArray, rng: Generator) -> Camera:
    """Mostly the whole body at 55 to 90 % of the picture's height from breast height; some half-body, low and high."""
    fov = np.radians(rng.uniform(28, 52))
    focal = SIZE / 2 / np.tan(fov / 2)
    low, high = points[:, 1].min(), points[:, 1].max()
    half = rng.random() < 0.1
    share = rng.uniform(1.1, 1.7) if half else rng.uniform(0.6, 0.9)
    extent = max(high - low, 0.8 * float(np.ptp(points[:, 0])), 1.2)
    distance = extent / share * focal / SIZE
    middle = high - 0.33 * extent if half else 0.5 * (low + high) + rng.normal(0, 0.05) * extent
    pitch = rng.normal(0.04, 0.06) if rng.random() < 0.8 else rng.uniform(-0.15, 0.5)
    target = np.array([rng.normal(0, 0.07) * distance, middle, 0], np.float32)
    camera = look_from(0.0, float(pitch), float(distance), target, float(focal), SIZE)
    if camera.position[1] < 0.15:
        camera = look_from(
            0.0,
            float(np.arcsin(np.clip((0.15 - middle) / distance, -1, 1))),
            float(distance),
            target,
            float(focal),
            SIZE,
        )
    return camera


def _moved(camera: Camera, rng: Generator) -> Camera:
    position = camera.position + np.array([rng.normal(0, 0.25), rng.normal(0, 0.05), rng.normal(0, 0.2)], np.float32)
    yaw = rng.normal(0, 0.05)
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]], np.float32)
    position[1] = max(float(position[1]), 0.15)
    return Camera(position, turn @ camera.forward, turn @ camera.right, turn @ camera.up, camera.focal, camera.size)


def draw(
    body: TrainingBody,
    cast: Cast,
    points: FloatArray,
    normals: FloatArray,
    camera: Camera,
    light: Light,
    canvas: Canvas,
    ground: bool,
) -> Drawn:
    """One frame of the cast before a backdrop that `canvas` holds already."""
    fine = Camera(
        camera.position, camera.forward, camera.right, camera.up, camera.focal * OVERSAMPLING, SIZE * OVERSAMPLING
    )
    pixels, depth = project(fine, points)
    buffers = empty_fragments(fine.size)
    rasterise(buffers, pixels, depth, cast.mesh.faces[: cast.body_faces], 0)
    bare = Bare(buffers.depth_m[::OVERSAMPLING, ::OVERSAMPLING].copy(), *_surface(cast, buffers, OVERSAMPLING, 0))
    rasterise(buffers, pixels, depth, cast.mesh.faces[cast.body_faces :], cast.body_faces)
    if ground:
        _shadow(canvas, points[: len(body.mesh.rest)])
    colour, coverage = _shade(body, cast, points, normals, buffers, camera, light)
    picture = canvas.picture * (1 - coverage[..., None]) + colour
    step = CELL * OVERSAMPLING
    return Drawn(picture, bare, coverage >= 0.5, *_surface(cast, buffers, step, step // 2))


def _surface(cast: Cast, buffers: Fragments, step: int, first: int) -> tuple[NDArray[np.uint8], FloatArray]:
    """Label and T-posed place of what every `step`th pixel sees, from the `first` on."""
    face, weights = (part[first::step, first::step] for part in (buffers.face, buffers.weights))
    row, column = np.nonzero(face >= 0)
    seen, share = face[row, column], weights[row, column]
    share = np.concatenate([share, 1 - share[:, :1] - share[:, 1:]], 1)
    label, rest = np.zeros(face.shape, np.uint8), np.zeros((*face.shape, 3), np.float32)
    found = cast.mesh.label[seen]
    label[row, column] = np.where(found >= Cloth.HEADGEAR, found - Cloth.HEADGEAR + 25, found)
    rest[row, column] = _blend(cast.mesh.rest, cast.mesh.faces[seen], share)
    return label, rest


def _shadow(canvas: Canvas, points: FloatArray) -> None:
    """A soft blob on the ground, paler as the body leaves it."""
    centre, spread = points[:, [0, 2]].mean(0), points[:, [0, 2]].std(0)
    lift = float(points[:, 1].min())
    dx, dz = (
        (canvas.ground_x - centre[0]) / (1.7 * spread[0] + 0.12),
        (canvas.ground_z - centre[1]) / (1.7 * spread[1] + 0.12),
    )
    strength = 0.55 * np.exp(-(dx**2 + dz**2)) * np.exp(-1.5 * lift)
    canvas.over((canvas.ground * strength).astype(np.float32), (0.03, 0.03, 0.05))


def _shade(
    body: TrainingBody,
    cast: Cast,
    points: FloatArray,
    normals: FloatArray,
    buffers: Fragments,
    camera: Camera,
    light: Light,
) -> tuple[FloatArray, FloatArray]:
    """Colour times coverage, and coverage, averaged down to SIZE."""
    row, column = np.nonzero(buffers.face >= 0)
    face = buffers.face[row, column]
    corners = cast.mesh.faces[face]
    weights = buffers.weights[row, column]
    weights = np.concatenate([weights, 1 - weights[:, :1] - weights[:, 1:]], 1)
    painter = Painter(cast.mesh.label[face], _blend(cast.mesh.rest, corners, weights), body.marks)
    CHARACTERS[cast.scene.character].paint(painter, cast.look)
    normal = _unit(_blend(normals, corners, weights))
    view = _unit(camera.position - _blend(points, corners, weights))
    normal *= np.where((np.einsum("na,na->n", normal, view) < 0) & (painter.label >= Cloth.HEADGEAR), -1.0, 1.0)[
        :, None
    ].astype(np.float32)
    lit = _lit(painter, normal, view, light)
    size = buffers.face.shape[0]
    picture, alpha = np.zeros((size, size, 3), np.float32), np.zeros((size, size), np.float32)
    picture[row, column], alpha[row, column] = lit, 1
    return _halved(picture), _halved(alpha)


def _halved(fine: FloatArray) -> FloatArray:
    return np.asarray((fine[::2, ::2] + fine[1::2, ::2] + fine[::2, 1::2] + fine[1::2, 1::2]) * np.float32(0.25))


def _blend(values: FloatArray, corners: NDArray[np.int32], weights: FloatArray) -> FloatArray:
    """Values at vertices (V, 3), interpolated: (n, 3)."""
    return np.asarray(sum(values[corners[:, i]] * weights[:, i : i + 1] for i in range(3)))


def _unit(vectors: FloatArray) -> FloatArray:
    length = np.sqrt(np.einsum("na,na->n", vectors, vectors))
    return np.asarray(vectors / np.maximum(length, 1e-6)[:, None], np.float32)


def _lit(painter: Painter, normal: FloatArray, view: FloatArray, light: Light) -> FloatArray:
    """Lambert, a Blinn highlight, a rim, and glow (n, 3)."""
    facing = np.clip(normal @ light.direction, 0, 1)[:, None]
    half = _unit(light.direction + view)
    shine = painter.gloss * np.clip(np.einsum("na,na->n", normal, half), 0, 1) ** 24
    rim = np.clip(1 - np.einsum("na,na->n", normal, view), 0, 1) ** 3
    energy = np.asarray(light.ambient, np.float32) + np.asarray(light.key, np.float32) * facing
    glow = painter.glow[:, None]
    colour = painter.colour * (energy * (1 - glow) + glow * 1.05)
    colour += 0.55 * shine[:, None] + 0.12 * rim[:, None] * np.asarray(light.ambient, np.float32)
    return np.asarray(np.clip(colour, 0, 1), np.float32)
