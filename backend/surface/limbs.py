"""How limbs move in the picture: a similarity from any frame to any other, for what is drawn beside the body.

A hat is no part of the mesh, but it goes with the head. The pixels beside the body go with the nearest limb as if they
were drawn on a card that is tied to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.passes.shot_passes import ShotPasses
from backend.surface.gbuffer import CameraFrame, camera_frame

# DensePose's parts 0..24 as limbs: the front and the back of one limb are two parts.
LIMB_OF_PART = np.array([0, 1, 1, 2, 3, 4, 5, 6, 7, 6, 7, 8, 9, 8, 9, 10, 11, 10, 11, 12, 13, 12, 13, 14, 14])
LIMBS = int(LIMB_OF_PART.max()) + 1

Complex = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, eq=False)
class LimbMotion:
    """Similarities of the picture between the frames of a segment, x + iy in pixels."""

    centre: Complex  # (limbs, frames)
    turn: Complex  # (limbs, frames, frames) from the first frame to the second: rotation and scale
    fit: NDArray[np.float64]  # (limbs, frames, frames) 0..1: how much of the limb's shape it explains

    def carried(self, limb: NDArray[np.int64], place: Complex, source: int, target: int) -> Complex:
        """Where places (n,) beside their `limb` (n,) in frame `source` of the segment lie in frame `target`."""
        away = place - self.centre[limb, source]
        return np.asarray(self.centre[limb, target] + self.turn[limb, source, target] * away)


def limb_motion(passes: ShotPasses, frames: range) -> LimbMotion:
    """Fit every pair of frames by least squares to the limb's projected vertices (Procrustes, in complex numbers).

    Limbs of all characters count as one where two have the same part: each character has limbs of its own, LIMBS of
    them, one character after the other.
    """
    places = np.stack([_complex(camera_frame(passes, frame)) for frame in frames])  # (frames, V)
    limb = limb_of_vertices(passes)
    count = LIMBS * len(passes.shot.characters)
    centre = np.zeros((count, len(frames)), np.complex128)
    turn = np.ones((count, len(frames), len(frames)), np.complex128)
    fit = np.zeros(turn.shape)
    for one in np.unique(limb[limb % LIMBS > 0]):
        shape = places[:, limb == one]
        centre[one] = shape.mean(axis=1)
        shape = shape - centre[one][:, None]
        products = shape.conj() @ shape.T
        size = np.maximum(np.real(np.diagonal(products)), 1e-9)
        turn[one] = products / size[:, None]
        fit[one] = np.abs(products) ** 2 / (size[:, None] * size[None])
    return LimbMotion(centre, turn, fit)


def limb_of_vertices(passes: ShotPasses) -> NDArray[np.int64]:
    """The limb (V,) of each vertex, by a face that has it."""
    charts = passes.charts
    limb = np.zeros(passes.vertices.shape[1], np.int64)
    limb[charts.f.reshape(-1)] = np.repeat(LIMB_OF_PART[charts.part], 3)
    for number, character in enumerate(passes.shot.characters):
        mine = slice(character.vertex_start, character.vertex_start + character.vertex_count)
        limb[mine] += number * LIMBS
    return limb


def _complex(camera: CameraFrame) -> Complex:
    place = camera.place(camera.vertices)
    return np.where(camera.vertices[:, 2] > 0.01, place[:, 0] + 1j * place[:, 1], 0)
