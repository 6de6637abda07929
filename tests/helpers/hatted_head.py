"""A head that moves over a torso in the picture, and the hat that is drawn on it."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.passes.shot_passes import ShotPasses
from backend.surface.beside import Ring, rings
from backend.surface.composite import covered
from backend.surface.shot_surface import ShotSurface
from tests.helpers.surface_bodies import DISTANCE, joined, sheet, shown

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

SIZE = (96, 96)
FOCAL = 120.0
PIXELS_A_METRE = FOCAL / DISTANCE
FRAMES = 7
HEAD, TORSO = 23, 1
HEAD_SIZE = (0.5, 0.3)  # metres, 30 x 18 pixels
HAT_M = 0.11  # how far it stands above the head: 6.6 pixels of the 9.6 that something can reach
SKIN, HAT = np.array([[0.8, 0.6, 0.5], [0.1, 0.15, 0.7]], np.float32)


def turn(frame: int) -> complex:
    """How the head is turned and scaled in a frame."""
    return complex((1 + 0.01 * frame) * np.exp(0.05j * (frame - 3)))


def shift(frame: int) -> complex:
    """Where the head is, in metres, x to the right and y down."""
    return complex(-0.15 + 0.045 * frame, -0.25)


@cache
def surface() -> ShotSurface:
    """The head goes to the right and nods over a torso that stands still; the camera does, too."""
    head, torso = sheet(4, 3, *HEAD_SIZE), sheet(3, 4, 0.4, 0.5)
    frames = []
    for frame in range(FRAMES):
        place = (head[0][:, 0] - 1j * head[0][:, 2]) * turn(frame) + shift(frame)
        moved = np.stack([place.real, head[0][:, 1], -place.imag], axis=1)
        frames.append(np.concatenate([moved, torso[0] + (0, 0.01, -0.25)]))
    part = np.repeat([HEAD, TORSO], [len(head[1]), len(torso[1])])
    return ShotSurface(shown(frames, joined(head, torso)[1], part=part, size=SIZE, focal_px=FOCAL))


def passes() -> ShotPasses:
    """The passes of all frames."""
    return surface().passes


@cache
def masks() -> tuple[Mask, ...]:
    """The pixels that show the body, a frame each."""
    return tuple(covered(one, SIZE) for one in surface().segment(range(FRAMES)).frames)


@cache
def around() -> tuple[Ring, ...]:
    """The ring of each frame."""
    return tuple(rings(passes(), range(FRAMES), masks()))


def background() -> Floats:
    """What is behind (height, width, 3): grey, a little lighter to the right."""
    grey = np.linspace(0.45, 0.55, SIZE[1])
    picture: Floats = np.tile(grey[None, :, None], (SIZE[0], 1, 3)).astype(np.float32)
    return picture


def on_head(frame: int) -> NDArray[Any]:
    """Each pixel's place (height, width) on the head's own card, metres, x + iy."""
    row, column = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    place = ((column - SIZE[1] / 2) + 1j * (row - SIZE[0] / 2)) / PIXELS_A_METRE
    return np.asarray((place - shift(frame)) / turn(frame))


def hat(frame: int) -> Mask:
    """The pixels of a hat that sits on the head and is a little narrower."""
    place = on_head(frame)
    top = -HEAD_SIZE[1] / 2
    return np.asarray((abs(place.real) < 0.18) & (place.imag < top) & (place.imag > top - HAT_M) & ~masks()[frame])


def painted(frame: int, *, hatted: bool = False) -> Floats:
    """One frame (height, width, 3) without noise."""
    picture = background()
    if hatted:
        stripes = 0.2 * np.sin(2 * np.pi * on_head(frame).real / 0.12)
        picture[hat(frame)] = (HAT + stripes[..., None])[hat(frame)]
    picture[masks()[frame]] = SKIN
    return picture


def pictures(noise: float = 0.0, *, hatted: bool = False) -> Floats:
    """All frames (frames, height, width, 3), each with noise of its own."""
    clean = np.stack([painted(frame, hatted=hatted) for frame in range(FRAMES)])
    return (clean + np.random.default_rng(0).normal(0, noise, clean.shape)).astype(np.float32)
