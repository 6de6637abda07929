"""Backgrounds of the training pictures, anchored in the world, so that a moved camera sees the same place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from backend.make.training.renders.figure import FloatArray
from backend.make.training.renders.paint import Rgb
from backend.make.training.renders.raster import Camera


@dataclass(frozen=True, slots=True)
class Light:
    """Key light towards `direction` (unit, world), with colours of key and ambient light."""

    direction: FloatArray
    key: Rgb
    ambient: Rgb


@dataclass(frozen=True, slots=True)
class Place:
    """A place: how to draw it, its light, and whether there is ground to cast a shadow on."""

    draw: Callable[[Canvas, Generator], None]
    key: Rgb = (0.85, 0.82, 0.78)
    ambient: Rgb = (0.42, 0.44, 0.48)
    ground: bool = True


class Canvas:
    """A picture in the making, with each pixel's viewing direction and the ground point under it."""

    def __init__(self, camera: Camera) -> None:
        size = camera.size
        across = (np.arange(size, dtype=np.float32) + 0.5 - size / 2) / camera.focal
        u, v = np.meshgrid(across, across)
        ray = camera.forward + u[..., None] * camera.right - v[..., None] * camera.up
        flat = np.sqrt(ray[..., 0] ** 2 + ray[..., 2] ** 2)
        zoom = np.float32(0.5 / np.arctan(size / 2 / camera.focal))  # so that +-0.5 spans every lens
        self.sharp = np.float32(camera.focal) / zoom
        self.elevation = np.arctan2(ray[..., 1], flat) * zoom
        self.azimuth = np.arctan2(ray[..., 0], -ray[..., 2]) * zoom
        reach = camera.position[1] / np.maximum(-ray[..., 1], 0.02)
        self.ground_x = camera.position[0] + ray[..., 0] * reach
        self.ground_z = camera.position[2] + ray[..., 2] * reach
        self.distance = flat * reach
        self.ground = np.clip(0.5 - self.elevation * self.sharp, 0, 1)
        self.picture = np.zeros((size, size, 3), np.float32)

    def over(self, alpha: FloatArray, colour: Rgb | FloatArray) -> None:
        """Lay a colour over the picture."""
        self.picture += (np.asarray(colour, np.float32) - self.picture) * np.asarray(alpha, np.float32)[..., None]

    def below(self, edge: FloatArray | float) -> FloatArray:
        """Coverage of what lies below an elevation (radians)."""
        return np.asarray(np.clip((edge - self.elevation) * self.sharp + 0.5, 0, 1), np.float32)

    def near(self, value: FloatArray, limit: float) -> FloatArray:
        """Coverage of |value| < limit, both radians."""
        return np.asarray(np.clip((limit - np.abs(value)) * self.sharp + 0.5, 0, 1), np.float32)

    def disc(self, azimuth: float, elevation: float, radius: float) -> FloatArray:
        """Coverage of a disc in the sky, radians."""
        distance = np.hypot(self.azimuth - azimuth, self.elevation - elevation)
        return np.asarray(np.clip((radius - distance) * self.sharp + 0.5, 0, 1), np.float32)

    def sky(self, low: Rgb, high: Rgb) -> None:
        """Vertical gradient over the whole picture."""
        t = np.clip(self.elevation / 0.55, 0, 1)[..., None]
        self.picture = np.asarray(low, np.float32) * (1 - t) + np.asarray(high, np.float32) * t

    def floor(self, near: Rgb, far: Rgb) -> None:
        """Ground that changes from `near` to `far` colour with distance."""
        t = np.clip(self.distance / 14, 0, 1)[..., None]
        self.over(self.ground, np.asarray(near, np.float32) * (1 - t) + np.asarray(far, np.float32) * t)


def scaled(colour: Rgb, factor: float) -> Rgb:
    """The colour times `factor`, at most white."""
    red, green, blue = (min(1.0, factor * v) for v in colour)
    return (red, green, blue)


def vary(rng: Generator, colour: Rgb, amount: float = 0.05) -> Rgb:
    """The colour, brighter or darker and slightly tinted."""
    gain = 1 + rng.uniform(-2, 2) * amount
    red, green, blue = (float(np.clip(c * gain + rng.uniform(-amount, amount) * 0.6, 0, 1)) for c in colour)
    return (red, green, blue)


def _clouds(c: Canvas, rng: Generator, count: int) -> None:
    for _ in range(count):
        azimuth, elevation, size = rng.uniform(-0.6, 0.6), rng.uniform(0.12, 0.42), rng.uniform(0.03, 0.055)
        for k in range(4):
            c.over(
                0.9 * c.disc(azimuth + (k - 1.5) * size * 1.1, elevation + (k % 2) * size * 0.4, size),
                (0.97, 0.97, 0.98),
            )


def _stars(c: Canvas, rng: Generator, count: int) -> None:
    for _ in range(count):
        c.over(
            0.9 * c.disc(rng.uniform(-0.7, 0.7), rng.uniform(-0.02, 0.6), rng.uniform(0.0035, 0.007)), (0.95, 0.95, 1.0)
        )


# Metres to the right of the middle, towards the camera, and of radius: the same field of craters, moved a little.
_CRATERS = np.array(
    [(-2.6, -1.2, 0.6), (2.4, -2.4, 0.7), (-1.2, -5.5, 0.8), (3.6, -6.5, 0.8), (-4.5, -4, 0.7), (1.3, 1, 0.4)]
)


def _moon(c: Canvas, rng: Generator) -> None:
    c.sky((0.02, 0.02, 0.05), (0.01, 0.01, 0.03))
    _stars(c, rng, 16)
    azimuth, elevation, radius = (
        rng.choice([-1, 1]) * rng.uniform(0.16, 0.38),
        rng.uniform(0.18, 0.36),
        rng.uniform(0.06, 0.09),
    )
    c.over(c.disc(azimuth, elevation, radius), (0.15, 0.38, 0.85))
    land = c.disc(azimuth - radius * 0.3, elevation + radius * 0.15, radius * 0.5) * c.disc(azimuth, elevation, radius)
    c.over(land, (0.25, 0.62, 0.30))
    tone = rng.uniform(0.48, 0.66)
    c.floor((tone, tone, tone * 1.02), (tone * 0.72, tone * 0.72, tone * 0.75))
    for x, z, r in _CRATERS + rng.uniform(-0.4, 0.4, (len(_CRATERS), 3)) * (1, 1, 0.2):
        distance = np.hypot(c.ground_x - x, c.ground_z - z) / r
        c.over(c.ground * np.clip((1 - distance) * 5, 0, 1), (tone * 0.62, tone * 0.62, tone * 0.65))
        c.over(c.ground * np.clip((0.2 - np.abs(distance - 1.1)) * 6, 0, 0.7), (tone * 1.25, tone * 1.25, tone * 1.25))


def _space(c: Canvas, rng: Generator) -> None:
    c.sky((0.03, 0.02, 0.10), (0.02, 0.02, 0.06))
    tint = [(0.35, 0.10, 0.45), (0.10, 0.20, 0.50), (0.45, 0.12, 0.25)][rng.integers(3)]
    for _ in range(3):
        d = np.hypot(c.azimuth - rng.uniform(-0.5, 0.5), c.elevation - rng.uniform(-0.3, 0.4))
        c.over(0.7 * np.exp(-((d / 0.22) ** 2)), tint)
    for _ in range(22):
        c.over(c.disc(rng.uniform(-0.7, 0.7), rng.uniform(-0.5, 0.5), rng.uniform(0.0035, 0.008)), (0.95, 0.95, 1.0))
    colour = [(0.90, 0.60, 0.30), (0.75, 0.35, 0.25), (0.45, 0.70, 0.85)][rng.integers(3)]
    azimuth, elevation, radius = (
        rng.choice([-1, 1]) * rng.uniform(0.2, 0.36),
        rng.uniform(0.05, 0.3),
        rng.uniform(0.08, 0.13),
    )
    ball = c.disc(azimuth, elevation, radius)
    c.over(ball, colour)
    c.over(ball * (1 - c.disc(azimuth - 0.35 * radius, elevation + 0.3 * radius, radius)), scaled(colour, 0.45))
    ring = np.hypot(c.azimuth - azimuth, (c.elevation - elevation) * 4 - (c.azimuth - azimuth)) / radius
    c.over(
        np.clip((0.22 - np.abs(ring - 1.6)) * 8, 0, 0.9)
        * np.clip(1 - ball + (c.elevation < elevation + 0.25 * (c.azimuth - azimuth)), 0, 1),
        (0.92, 0.85, 0.65),
    )


def _beach(c: Canvas, rng: Generator) -> None:
    c.sky(vary(rng, (0.70, 0.87, 0.98)), vary(rng, (0.25, 0.58, 0.95)))
    c.over(c.disc(rng.choice([-1, 1]) * rng.uniform(0.2, 0.42), rng.uniform(0.22, 0.38), 0.06), (1.0, 0.93, 0.55))
    _clouds(c, rng, int(rng.integers(0, 3)))
    c.over(c.below(0.0), vary(rng, (0.08, 0.42, 0.72)))
    shore = -rng.uniform(0.07, 0.12)
    c.over(c.below(shore + 0.012), (0.90, 0.96, 0.98))
    c.over(c.below(shore), vary(rng, (0.93, 0.83, 0.58)))
    if rng.random() < 0.5:
        azimuth = rng.choice([-1, 1]) * rng.uniform(0.3, 0.42)
        trunk = (
            c.near(c.azimuth - azimuth - 0.15 * (c.elevation - 0.1) ** 2, 0.012) * c.below(0.27) * (1 - c.below(-0.14))
        )
        c.over(trunk, (0.45, 0.30, 0.15))
        for k in range(5):
            angle = np.pi * (k + 0.5) / 5
            c.over(
                c.disc(azimuth + 0.09 * np.cos(angle), 0.27 + 0.05 * np.sin(angle) - 0.015, 0.04), (0.12, 0.50, 0.18)
            )


def _desert(c: Canvas, rng: Generator) -> None:
    c.sky(
        vary(rng, (0.99, 0.80, 0.45)),
        vary(rng, (0.95, 0.55, 0.28)) if rng.random() < 0.5 else vary(rng, (0.40, 0.65, 0.90)),
    )
    c.over(c.disc(rng.uniform(-0.4, 0.4), rng.uniform(0.15, 0.35), 0.07), (1.0, 0.96, 0.75))
    sand = vary(rng, (0.88, 0.62, 0.32))
    for k in range(2):
        edge = 0.05 - 0.035 * k + 0.03 * np.sin(c.azimuth * rng.uniform(4, 7) + rng.uniform(0, 6))
        c.over(c.below(edge), scaled(sand, 0.78 + 0.1 * k))
    c.floor(sand, scaled(sand, 0.93))
    for _ in range(int(rng.integers(1, 3))):
        azimuth = rng.choice([-1, 1]) * rng.uniform(0.2, 0.45)
        green = (0.20, 0.45, 0.22)
        c.over(c.near(c.azimuth - azimuth, 0.022) * c.below(0.18) * (1 - c.below(-0.06)), green)
        c.over(c.near(c.azimuth - azimuth, 0.07) * c.near(c.elevation - 0.06, 0.016), green)
        for side in (-1, 1):
            c.over(c.near(c.azimuth - azimuth - side * 0.065, 0.015) * c.near(c.elevation - 0.09, 0.045), green)


def _mountains(c: Canvas, rng: Generator) -> None:
    c.sky(vary(rng, (0.80, 0.90, 0.98)), vary(rng, (0.40, 0.65, 0.95)))
    shift = rng.uniform(-0.2, 0.2)
    for k, (height, slope) in enumerate(((0.22, 1.2), (0.34, 0.9), (0.20, 1.1), (0.30, 1.0), (0.24, 1.2))):
        azimuth = 0.3 * (k - 2) + shift + rng.uniform(-0.03, 0.03)
        edge = height - slope * np.abs(c.azimuth - azimuth)
        tone = 0.55 - 0.12 * (k % 2)
        c.over(c.below(edge), (tone, tone * 1.08, tone * 1.25))
        cap = height * 0.62 + 0.018 * np.sin(c.azimuth * 60)
        c.over(c.below(edge) * (1 - c.below(cap)), (0.97, 0.98, 1.0))
    c.floor((0.95, 0.97, 1.0), (0.82, 0.88, 0.96))


def _forest(c: Canvas, rng: Generator) -> None:
    c.sky(vary(rng, (0.55, 0.75, 0.45)), vary(rng, (0.16, 0.38, 0.18)))
    c.floor(vary(rng, (0.28, 0.42, 0.16)), vary(rng, (0.22, 0.36, 0.16)))
    shift = rng.uniform(0, 0.16)
    for k in range(8):
        azimuth, half = -0.64 + 0.16 * k + shift + rng.uniform(-0.015, 0.015), 0.022 + 0.01 * (k % 2)
        tone = 0.8 + 0.25 * (k % 2)
        c.over(c.near(c.azimuth - azimuth, half) * (1 - c.below(-0.05 - half)), (0.32 * tone, 0.21 * tone, 0.12 * tone))
    for k in range(8):
        tone = 1.1 - 0.3 * (k % 2)
        c.over(
            c.disc(-0.64 + 0.16 * k + shift + rng.uniform(-0.02, 0.02), 0.34 + 0.06 * (k % 2), 0.12),
            (0.12 * tone, 0.42 * tone, 0.15 * tone),
        )


_TOWERS = ((0.24, 0.42), (0.38, 0.32), (0.20, 0.50), (0.32, 0.38), (0.42, 0.46))  # height, tone of the wall
_WALLS: tuple[Rgb, ...] = ((0.85, 0.45, 0.35), (0.95, 0.80, 0.50), (0.55, 0.70, 0.80))


def _city(c: Canvas, rng: Generator) -> None:
    night = rng.random() < 0.3
    c.sky(
        *(
            ((0.20, 0.18, 0.36), (0.07, 0.08, 0.20))
            if night
            else (vary(rng, (0.85, 0.88, 0.92)), vary(rng, (0.50, 0.68, 0.90)))
        )
    )
    first = int(rng.integers(len(_TOWERS)))
    left, width = -0.65 - rng.uniform(0, 0.2), 0.2
    while left < 0.65:
        height, tone = _TOWERS[first % len(_TOWERS)]
        first += 1
        tone *= 0.6 if night else 1.0
        wall = (tone, tone, tone * 1.15)
        body = c.near(c.azimuth - left - width / 2, width / 2 - 0.004) * c.below(height)
        c.over(body, wall)
        u, v = (c.azimuth - left) / width * 2, (height - c.elevation) / 0.12
        pane = (np.abs(u % 1 - 0.5) < 0.28) & (np.abs(v % 1 - 0.5) < 0.3)
        c.over(body * pane, (0.85, 0.72, 0.36) if night else (0.62, 0.73, 0.82))
        left += width
    road = rng.uniform(0.26, 0.40)
    c.floor((road, road, road * 1.05), (road * 0.9, road * 0.9, road))
    c.over(c.below(0.0) * (1 - c.below(-0.05)), (0.62, 0.62, 0.62))


def _street(c: Canvas, rng: Generator) -> None:
    c.sky(vary(rng, (0.80, 0.90, 0.98)), vary(rng, (0.45, 0.70, 0.95)))
    first = int(rng.integers(len(_WALLS)))
    left, width, height = -0.7 - rng.uniform(0, 0.25), 0.25, 0.25
    while left < 0.7:
        middle = left + width / 2
        wall = vary(rng, _WALLS[first % len(_WALLS)], 0.03)
        first += 1
        c.over(c.near(c.azimuth - middle, width / 2) * c.below(height), wall)
        c.over(c.below(height + 0.10 - np.abs(c.azimuth - middle) * 0.8) * (1 - c.below(height)), (0.55, 0.25, 0.18))
        for side in (-1, 1):
            c.over(
                c.near(c.azimuth - middle - side * width * 0.24, 0.028) * c.near(c.elevation - height * 0.65, 0.033),
                (0.30, 0.42, 0.55),
            )
        c.over(c.near(c.azimuth - middle, 0.028) * c.below(0.085), (0.40, 0.24, 0.14))
        left += width
    c.floor((0.36, 0.36, 0.38), (0.33, 0.33, 0.36))
    c.over(c.below(0.0) * (1 - c.below(-0.06)), (0.72, 0.70, 0.66))
    stripe = c.ground * (np.abs(c.ground_z - 0.9) < 0.1) * (np.abs((c.ground_x / 1.6) % 1 - 0.5) < 0.3)
    c.over(stripe, (0.95, 0.95, 0.92))


def _stage(c: Canvas, rng: Generator) -> None:
    tone = 0.55 + 0.4 * (0.5 + 0.5 * np.sin(c.azimuth * 36 + rng.uniform(0, 6)))
    red = np.stack([0.72 * tone, 0.05 * tone, 0.07 * tone], -1).astype(np.float32)
    c.picture = red
    wood = vary(rng, (0.58, 0.36, 0.18))
    c.floor(wood, scaled(wood, 0.75))
    seam = c.ground * np.clip((0.05 - np.abs((c.ground_x / 0.55) % 1 - 0.5)) * 20, 0, 0.6)
    c.over(seam, scaled(wood, 0.55))
    spot = np.exp(-(((c.ground_x / 1.5) ** 2 + (c.ground_z / 1.3) ** 2) ** 2))
    c.over(c.ground * spot * 0.35, (1.0, 0.90, 0.65))


def _field(c: Canvas, rng: Generator) -> None:
    c.sky(vary(rng, (0.75, 0.90, 1.0)), vary(rng, (0.30, 0.60, 0.95)))
    _clouds(c, rng, int(rng.integers(1, 4)))
    grass = vary(rng, (0.28, 0.62, 0.18))
    if rng.random() < 0.5:
        c.over(
            c.below(0.05 + 0.03 * np.sin(c.azimuth * rng.uniform(4, 8) + rng.uniform(0, 6))),
            scaled(grass, 0.75),
        )
    c.floor(grass, scaled(grass, 0.85))


def _studio(c: Canvas, rng: Generator) -> None:
    colour = [(0.72, 0.74, 0.78), (0.60, 0.65, 0.72), (0.82, 0.78, 0.72), (0.55, 0.60, 0.60)][rng.integers(4)]
    colour = vary(rng, colour)
    c.sky(scaled(colour, 1.08), scaled(colour, 0.72))
    c.floor(scaled(colour, 1.12), scaled(colour, 0.92))


def _disco(c: Canvas, rng: Generator) -> None:
    c.sky((0.22, 0.06, 0.32), (0.08, 0.03, 0.16))
    hues = [(0.95, 0.15, 0.60), (0.15, 0.75, 0.95), (0.98, 0.85, 0.20), (0.35, 0.95, 0.35)]
    for k in range(4):
        origin, lean = -0.42 + 0.28 * k + rng.uniform(-0.05, 0.05), 0.4 * (-1) ** k
        across = c.azimuth - origin - lean * (0.6 - c.elevation)
        beam = np.clip(1 - np.abs(across) / (0.02 + 0.12 * (0.6 - c.elevation)), 0, 1)
        c.over((0.5 * beam * (1 - c.ground)).astype(np.float32), hues[k])
    ball = (rng.uniform(-0.3, 0.3), 0.40)
    c.over(c.disc(*ball, 0.06), (0.80, 0.82, 0.90))
    c.over(c.disc(ball[0] - 0.02, ball[1] + 0.02, 0.02), (1.0, 1.0, 1.0))
    tile = 1.0
    column, row = np.floor(c.ground_x / tile), np.floor(c.ground_z / tile)
    chosen = ((column * 3 + row * 5) % 4).astype(int)
    c.over(c.ground, np.asarray(hues, np.float32)[chosen] * 0.75)
    c.over(c.ground * np.clip((c.distance - 4) / 5, 0, 1), (0.42, 0.36, 0.42))


PLACES: dict[str, Place] = {
    "moon": Place(_moon, (1.0, 0.98, 0.95), (0.30, 0.30, 0.34)),
    "space": Place(_space, (0.95, 0.92, 1.0), (0.34, 0.32, 0.42), ground=False),
    "beach": Place(_beach, (0.92, 0.88, 0.78), (0.44, 0.46, 0.50)),
    "desert": Place(_desert, (0.95, 0.82, 0.62), (0.44, 0.40, 0.36)),
    "mountains": Place(_mountains, (0.85, 0.86, 0.90), (0.48, 0.52, 0.58)),
    "forest": Place(_forest, (0.72, 0.78, 0.62), (0.38, 0.44, 0.36)),
    "city": Place(_city),
    "street": Place(_street),
    "stage": Place(_stage, (0.98, 0.88, 0.72), (0.38, 0.34, 0.34)),
    "field": Place(_field),
    "studio": Place(_studio, (0.80, 0.80, 0.80), (0.46, 0.46, 0.46)),
    "disco": Place(_disco, (0.85, 0.70, 0.95), (0.44, 0.36, 0.50)),
}


def random_light(rng: Generator, place: Place) -> Light:
    """Key light from above, in front, on the left or on the right."""
    direction = np.array(
        [rng.choice([-1, 1]) * rng.uniform(0.3, 0.9), rng.uniform(0.6, 1.2), rng.uniform(0.4, 1.0)], np.float32
    )
    return Light(direction / np.linalg.norm(direction), place.key, place.ambient)
