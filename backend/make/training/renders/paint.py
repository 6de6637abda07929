"""Paint on the body: colours by surface point in T-pose, so that a pattern sticks to the body in every pose."""

from __future__ import annotations

import colorsys

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from backend.make.training.renders.figure import FloatArray, IntArray, Landmarks

Mask = NDArray[np.bool_]
Rgb = tuple[float, float, float]

# Hue (turns), saturation, value, and how far each may wander.
COLOURS: dict[str, tuple[Rgb, Rgb]] = {
    "red": ((0.99, 0.88, 0.85), (0.018, 0.10, 0.10)),
    "orange": ((0.075, 0.90, 0.95), (0.014, 0.08, 0.05)),
    "yellow": ((0.145, 0.85, 0.97), (0.012, 0.12, 0.03)),
    "green": ((0.34, 0.78, 0.65), (0.035, 0.12, 0.14)),
    "turquoise": ((0.49, 0.75, 0.80), (0.015, 0.12, 0.10)),
    "blue": ((0.615, 0.82, 0.80), (0.025, 0.12, 0.14)),
    "purple": ((0.765, 0.70, 0.68), (0.020, 0.12, 0.12)),
    "pink": ((0.92, 0.48, 0.98), (0.015, 0.10, 0.02)),
    "brown": ((0.065, 0.65, 0.45), (0.012, 0.08, 0.07)),
    "white": ((0.60, 0.02, 0.96), (0.10, 0.015, 0.03)),
    "grey": ((0.60, 0.05, 0.50), (0.05, 0.03, 0.08)),
    "black": ((0.62, 0.15, 0.12), (0.05, 0.08, 0.03)),
    "silver": ((0.59, 0.07, 0.78), (0.03, 0.03, 0.06)),
    "gold": ((0.122, 0.78, 0.86), (0.008, 0.06, 0.05)),
}
BRIGHT = ("red", "orange", "yellow", "green", "turquoise", "blue", "purple", "pink")


def shade_of(rng: Generator, name: str) -> Rgb:
    """A random shade of a named colour, linear-ish RGB in 0..1."""
    (hue, sat, val), (dh, ds, dv) = COLOURS[name]
    return colorsys.hsv_to_rgb(
        (hue + rng.uniform(-dh, dh)) % 1.0,
        float(np.clip(sat + rng.uniform(-ds, ds), 0, 1)),
        float(np.clip(val + rng.uniform(-dv, dv), 0, 1)),
    )


def skin_tone(rng: Generator) -> Rgb:
    """A random human skin colour."""
    depth = rng.uniform(0, 1)
    return (0.95 - 0.45 * depth, 0.78 - 0.46 * depth, 0.66 - 0.44 * depth)


def darker(colour: Rgb, factor: float) -> Rgb:
    """The colour times `factor`."""
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)


class Painter:
    """Points of the body being painted, (n,) each, and their colour, gloss and glow."""

    def __init__(self, label: IntArray, rest: FloatArray, marks: Landmarks) -> None:
        self.label, self.marks = label, marks
        self.x, self.y, self.z = rest[:, 0], rest[:, 1], rest[:, 2]
        self.side = np.abs(self.x)
        self.colour = np.zeros((len(label), 3), np.float32)
        self.gloss = np.zeros(len(label), np.float32)
        self.glow = np.zeros(len(label), np.float32)
        self.body = label < 100
        self.head = np.isin(label, (23, 24))
        self.face = self.head & (self.z > marks.head_centre[2] + 0.25 * marks.head_radius)
        self.hands = np.isin(label, (3, 4))
        self.feet = np.isin(label, (5, 6))
        self.legs = (label >= 7) & (label <= 14)
        self.arms = (label >= 15) & (label <= 22)
        self.torso = np.isin(label, (1, 2))
        self.front = self.z > marks.joints[9, 2]

    def fill(self, where: Mask, colour: Rgb, gloss: float = 0.0, glow: float = 0.0) -> None:
        """Paint a region."""
        self.colour[where] = colour
        self.gloss[where] = gloss
        self.glow[where] = glow

    def cloth(self, label: int) -> Mask:
        """The points of a piece of clothes."""
        return np.asarray(self.label == label)

    def boots(self, height: float) -> Mask:
        """Feet and lower legs up to `height` (0 ankle, 1 knee)."""
        m = self.marks
        return self.feet | (self.legs & (self.y < m.ankle + height * (m.knee - m.ankle)))

    def gloves(self, length: float) -> Mask:
        """Hands and forearms up to `length` (0 wrist, 1 elbow)."""
        m = self.marks
        return np.asarray(self.hands | (self.arms & (self.side > m.wrist_x - length * (m.wrist_x - m.elbow_x))))

    def belt(self, height_m: float = 0.07, above_m: float = -0.02) -> Mask:
        """A band around the waist."""
        middle = self.marks.waist - 0.04 + above_m
        return np.asarray((self.torso | self.legs) & (np.abs(self.y - middle) < height_m / 2))

    def trunks(self) -> Mask:
        """From the waist to a short way down the thighs."""
        m = self.marks
        return (self.torso | self.legs) & (self.y < m.waist - 0.03) & (self.y > m.hip - 0.10)

    def trousers(self, to: float = 0.0) -> Mask:
        """From the waist down to `to` (0 ankle, 1 knee)."""
        m = self.marks
        return (
            (self.torso | self.legs) & (self.y < m.waist - 0.04) & (self.y > m.ankle + to * (m.knee - m.ankle) - 0.03)
        )

    def knees(self, half_m: float = 0.07) -> Mask:
        """Bands around the knees."""
        return np.asarray(self.legs & (np.abs(self.y - self.marks.knee) < half_m))

    def elbows(self, half_m: float = 0.06) -> Mask:
        """Bands around the elbows."""
        return np.asarray(self.arms & (np.abs(self.side - self.marks.elbow_x) < half_m))

    def shoulders(self) -> Mask:
        """Caps over the shoulders."""
        m = self.marks
        return np.asarray(
            (self.arms | self.torso) & (np.abs(self.side - m.shoulder_x) < 0.075) & (self.y > m.neck - 0.22)
        )

    def disc(self, x: float, y: float, radius: float) -> Mask:
        """A disc on the chest or belly, seen from the front."""
        return np.asarray(self.torso & self.front & ((self.x - x) ** 2 + (self.y - y) ** 2 < radius**2))

    def bands(self, values: FloatArray, period: float, phase: float, share: float = 0.5) -> Mask:
        """Stripes across a coordinate."""
        return np.asarray(((values / period + phase) % 1.0) < share)

    def dots(self, period: float, phase: float, radius: float = 0.33) -> Mask:
        """Large dots, spread over each side of the body."""
        along = np.where(self.arms | self.hands, self.side, self.y) / period + phase
        across = np.where(self.arms | self.hands, self.y, self.x) / period + phase * 1.7
        row = np.floor(along)
        across = across + 0.5 * (row % 2)
        return np.asarray((along - row - 0.5) ** 2 + (across - np.floor(across) - 0.5) ** 2 < radius**2)

    def human_face(self, skin: Rgb, hair: Rgb, eyes: bool = True) -> None:
        """Skin, hair on top and behind, big dark eyes and a mouth."""
        m = self.marks
        r = m.head_radius
        self.fill(self.head, skin)
        hair_line = (self.y > m.eyes + 0.42 * r) | ((self.z < m.head_centre[2] + 0.05 * r) & (self.y > m.chin + 0.02))
        self.fill(self.head & hair_line, hair, 0.1)
        if eyes:
            self.eyes((0.05, 0.04, 0.04), 0.028)
        mouth = self.face & (np.abs(self.y - (m.eyes - 0.62 * r)) < 0.011) & (self.side < 0.028)
        self.fill(mouth, (0.55, 0.12, 0.12))

    def eyes(self, colour: Rgb, radius: float, tilt: float = 0.0, apart: float = 0.036) -> None:
        """Two discs on the face."""
        dx, dy = self.side - apart, self.y - self.marks.eyes - tilt * (self.side - apart)
        self.fill(self.face & (dx**2 + (dy * 0.9) ** 2 < radius**2), colour, 0.5)
