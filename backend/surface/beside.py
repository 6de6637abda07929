"""What is drawn beside the body and goes with it: hats, hair, skirts. It is kept, steadied, in front of the plate.

Each pixel near the body is followed through the segment as if it were tied to the nearest limb (`limbs`), and what the
frames agree on there is shown. What of that differs from the plate, hangs together with the body and reaches out far
enough to be more than the halo that an autoencoder draws round everything stays; the rest is background.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, distance_transform_edt, gaussian_filter, label, map_coordinates

from backend.passes.shot_passes import ShotPasses
from backend.surface.limbs import LIMB_OF_PART, LimbMotion, limb_motion
from backend.surface.plate import Plate

# Parts of the picture's height: how far from the body something can go with it, and how far it has to reach.
REACH = 0.10
LEAST_REACH = 0.025
# Colours, 0..1, that differ from the plate by less are background, by more are not; between them they are mixed. To
# both so many times the frame's own noise is added: how much it differs from the plate where nothing goes with a body.
DIFFERENT = (0.04, 0.10)
NOISES = (1.5, 3.0)
ROBUST = 0.12
ROUNDS = 2
OWN_WEIGHT = 2.0
NEIGHBOURS = 4  # frames on either side
LOOSE = 0.02  # of a limb's shape that a similarity may leave unexplained, before the frame counts half

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Ring:
    """The pixels beside the body in one frame."""

    pixel: NDArray[np.int64]  # (r,) flat
    limb: NDArray[np.int64]  # (r,) the nearest
    distance_px: Floats  # (height, width) from the body, everywhere
    limbs: NDArray[np.int64]  # (height, width) the nearest limb, everywhere


def rings(passes: ShotPasses, frames: range, covered: Sequence[Mask]) -> list[Ring]:
    """The ring of each frame; `covered` (height, width) are the pixels that show the body at all."""
    out = []
    for frame, mask in zip(frames, covered, strict=True):
        part = passes.frame(frame).part
        limb = np.where(part > 0, LIMB_OF_PART[part], 0)
        labelled = limb > 0
        if not labelled.any():
            nothing = np.empty(0, np.int64)
            out.append(Ring(nothing, nothing, distance_px(mask), np.zeros(mask.shape, np.int64)))
            continue
        row, column = distance_transform_edt(~labelled, return_distances=False, return_indices=True)
        limbs = limb[row, column].astype(np.int64)
        distance = distance_px(mask)
        pixel = np.flatnonzero((distance > 0) & (distance <= REACH * mask.shape[0]))
        out.append(Ring(pixel, limbs.reshape(-1)[pixel], distance, limbs))
    return out


def distance_px(covered: Mask) -> Floats:
    """How far each pixel (height, width) lies from the nearest that shows the body, in pixels; 0 on it."""
    if not covered.any():
        return np.full(covered.shape, float(sum(covered.shape)), np.float32)
    return np.asarray(distance_transform_edt(~covered), np.float32)


def steadied(passes: ShotPasses, frames: range, pictures: Floats, around: Sequence[Ring]) -> list[Floats]:
    """What the frames agree on beside the body: the pictures (frames, height, width, 3) with their rings replaced.

    Only for shots of one character are limbs told apart; others' pictures come back as they are.
    """
    if len(passes.shot.characters) > 1:
        return list(pictures)
    motion = limb_motion(passes, frames)
    out = []
    for one, ring in enumerate(around):
        first, stop = max(one - NEIGHBOURS, 0), min(one + NEIGHBOURS + 1, len(pictures))
        samples, weights = [], []
        for other in range(first, stop):
            colour, valid = _seen_from(pictures, around, motion, one, other)
            loose = 1 - motion.fit[ring.limb, one, other]
            own = OWN_WEIGHT if other == one else 1.0
            samples.append(colour)
            weights.append(valid * (own / (1 + (loose / LOOSE) ** 2)).astype(np.float32))
        picture = pictures[one].copy()
        if ring.pixel.size:
            picture.reshape(-1, 3)[ring.pixel] = _robust_mean(np.stack(samples), np.stack(weights))
        out.append(picture)
    return out


def matte(picture: Floats, plate: Plate, ring: Ring) -> Floats:
    """How much (height, width) of a steadied picture stands before the plate: 0 far from the body and where there is
    only a halo."""
    height = picture.shape[0]
    off = np.sqrt(((gaussian_filter(picture, (0.7, 0.7, 0)) - plate.colour) ** 2).mean(axis=2))
    far = (ring.distance_px > REACH * height) & (plate.weight > 0)
    noise = float(np.median(off[far])) if far.any() else 0.0
    low, high = (least + times * noise for least, times in zip(DIFFERENT, NOISES, strict=True))
    share = np.clip((off - low) / (high - low), 0, 1)
    near = (ring.distance_px > 0) & (ring.distance_px <= REACH * height)
    share = np.where(near & (plate.weight > 0), share, 0).astype(np.float32)
    pieces, count = label(share > 0.25, np.ones((3, 3)))
    if not count:
        return np.zeros_like(share)
    reach = np.zeros(count + 1)
    np.maximum.at(reach, pieces.reshape(-1), ring.distance_px.reshape(-1))
    touching = np.unique(pieces[(ring.distance_px > 0) & (ring.distance_px < 2.5)])
    kept = np.zeros(count + 1, bool)
    kept[touching] = reach[touching] >= LEAST_REACH * height
    kept[0] = False
    whole = binary_dilation(kept[pieces], np.ones((3, 3)))
    return np.where(whole, share, 0).astype(np.float32)


def _seen_from(
    pictures: Floats, around: Sequence[Ring], motion: LimbMotion, one: int, other: int
) -> tuple[Floats, Floats]:
    """Another frame's colours (r, 3) at the places that belong to a frame's ring, and whether (r,) they are its ring's
    too, beside the same limb."""
    ring, theirs = around[one], around[other]
    height, width = ring.distance_px.shape
    if one == other:
        return pictures[one].reshape(-1, 3)[ring.pixel], np.ones(len(ring.pixel), np.float32)
    row, column = np.divmod(ring.pixel, width)
    place = motion.carried(ring.limb, column + 0.5 + 1j * (row + 0.5), one, other)
    x, y = place.real - 0.5, place.imag - 0.5
    inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
    x, y = np.where(inside, x, 0), np.where(inside, y, 0)
    near = np.rint(y).astype(np.int64) * width + np.rint(x).astype(np.int64)
    same = (theirs.limbs.reshape(-1)[near] == ring.limb) & (theirs.distance_px.reshape(-1)[near] >= 1)
    colour = np.stack([map_coordinates(pictures[other][..., c], (y, x), order=1) for c in range(3)], axis=1)
    return colour, (inside & same).astype(np.float32)


def _robust_mean(samples: Floats, weights: Floats) -> Floats:
    """The mean (r, 3) of samples (frames, r, 3), by iteratively reweighted least squares."""
    share = weights
    mean = np.zeros(samples.shape[1:], np.float32)
    for _ in range(1 + ROUNDS):
        mean = (share[..., None] * samples).sum(axis=0) / np.maximum(share.sum(axis=0), 1e-9)[:, None]
        share = weights / (1 + ((samples - mean) ** 2).sum(axis=2) / ROBUST**2)
    return mean
