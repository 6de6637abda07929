"""The background plate: what a camera that stands still sees without the body, agreed on by all frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter
from torch import Tensor

ROBUST = 0.1
ROUNDS = 2
SHADOW = 0.03  # of the picture's height: what is softer than this is a frame's own
NEAR, NEAR_TRUST = 0.10, 0.02  # of the picture's height, and of a pixel's weight beyond it
SHADED = 0.15  # of the picture's height from the body: its shadow fades out there
FROM_PX, OVER_PX = 3.0, 5.0  # full weight eight pixels from the body: autoencoders draw a halo round it
FAINT = 1e-3
POOR = 0.001  # less weight than this is a halo seen once
FILL_PX = 1.5
KEPT_WEIGHT = 8.0

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Plate:
    """The background, and how often each pixel of it was seen; 0 = never."""

    colour: Floats  # (height, width, 3) 0..1
    weight: Floats  # (height, width)

    def under(self, picture: Floats, share: Floats, distance_px: Floats) -> Floats:
        """A frame's background (height, width, 3): the plate, with the frame's own soft shadows on it near the body,
        and the frame itself where the plate has nothing.

        `share` (height, width) says which of the frame's pixels show the background (`share_of`).
        """
        near = np.clip(1 - distance_px / (SHADED * picture.shape[0]), 0, 1)[..., None]
        shadow = near * _soft(picture - self.colour, share)[0]
        return np.where(self.weight[..., None] > 0, np.clip(self.colour + shadow, 0, 1), picture)

    def arrays(self, prefix: str = "") -> dict[str, Tensor]:
        """The plate for the job's folder."""
        return {
            f"{prefix}colour": torch.from_numpy(self.colour.astype(np.float16)),
            f"{prefix}weight": torch.from_numpy(self.weight.astype(np.float16)),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Tensor], prefix: str = "") -> Plate:
        """What `arrays` gave."""
        return cls(*(arrays[f"{prefix}{name}"].numpy().astype(np.float32) for name in ("colour", "weight")))


def background_plate(pictures: Floats, shares: Sequence[Floats], before: Plate | None) -> Plate:
    """The background that `pictures` (frames, height, width, 3), and the plate of those before, agree on.

    `shares` (height, width) are the weights of each picture's pixels. What is soft, shadows too, is a mean; what is
    finer is a robust mean of what each picture adds to its own softness (iteratively reweighted least squares), so that
    a shadow's frames leave no edge where the body hid the ground in the others.
    """
    views = list(zip(pictures, shares, strict=True))
    if before is not None:
        views.append((before.colour, KEPT_WEIGHT * before.weight))
    soft = [_soft(picture, share) for picture, share in views]
    weights = np.stack([weight for _, weight in soft])[..., None]
    base = (np.stack([own for own, _ in soft]) * weights).sum(axis=0) / weights.sum(axis=0)
    mean = np.zeros(pictures.shape[1:], np.float32)
    for round_ in range(1 + ROUNDS):
        total, weight = np.zeros_like(mean), np.zeros(mean.shape[:2], np.float32)
        for (picture, share), (own, _) in zip(views, soft, strict=True):
            if round_:
                share = share / (1 + ((picture - own - mean) ** 2).sum(axis=2) / ROBUST**2)
            total += share[..., None] * (picture - own)
            weight += share
        mean = total / np.maximum(weight, 1e-12)[..., None]
    seen = np.sum(shares, axis=0) + (0 if before is None else before.weight)
    return _filled(np.clip(base + mean, 0, 1).astype(np.float32), seen.astype(np.float32))


def _soft(picture: Floats, share: Floats) -> tuple[Floats, Floats]:
    """What of a picture is softer than `SHADOW` (height, width, 3), by the pixels that count, and how much they do."""
    sigma = SHADOW * picture.shape[0]
    weight = np.maximum(gaussian_filter(share, sigma), 1e-6)
    return gaussian_filter(share[..., None] * picture, (sigma, sigma, 0)) / weight[..., None], weight


def blended_plate(before: Plate, after: Plate, share: float) -> Plate:
    """Some way from one plate to the next; what was not known before is the next one's."""
    step = np.where(before.weight > 0, np.float32(share), np.float32(1))[..., None]
    return Plate(before.colour + step * (after.colour - before.colour), after.weight)


def _filled(mean: Floats, weight: Floats) -> Plate:
    """The plate with a colour where the background was seen only beside a body, or never: that of what lies around."""
    poor = weight < POOR
    if poor.all() or not poor.any():
        return Plate(mean, weight)
    row, column = distance_transform_edt(poor, return_distances=False, return_indices=True)
    around = gaussian_filter(mean[row, column], (FILL_PX, FILL_PX, 0))
    return Plate(np.where(poor[..., None], around, mean), np.where(poor, np.maximum(weight, FAINT), weight))


def trust_of(distance_px: Floats) -> Floats:
    """How much a pixel tells of the background (height, width), by its distance from the body.

    Near it things may stand that go with it: a place that other frames see farther off is theirs to tell.
    """
    reach = NEAR * distance_px.shape[0]
    far = np.clip(2 * distance_px / reach - 1, 0, 1)
    return np.asarray(share_of(distance_px) * (NEAR_TRUST + (1 - NEAR_TRUST) * far), np.float32)


def share_of(distance_px: Floats) -> Floats:
    """How much a pixel's background counts (height, width), by its distance from the body."""
    return np.maximum(np.clip((distance_px - FROM_PX) / OVER_PX, 0, 1), np.where(distance_px >= 1, FAINT, 0)).astype(
        np.float32
    )
