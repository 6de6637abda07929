"""LatentMan's correspondence: inside each body part, the one-to-one pairing of smallest total feature distance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backend.correspondence.features import Features, part_features
from backend.correspondence.lap import assign_points
from backend.correspondence.types import IUV, LAST_PART, Matches, empty_matches
from shared.errors import PassesError


def match_assignment(current: IUV, reference: IUV, *, features: Features = "paper") -> Matches:
    """Join the pixels of two frames part by part (LatentMan, equations 3 to 5).

    A part that either frame lacks gets no match; of a part with n pixels here and m there, min(n, m) are joined and
    the rest keep what they have. The result depends on nothing but the arguments. Raises PassesError if the frames
    differ in size.
    """
    if current.part.shape != reference.part.shape:
        raise PassesError(
            "correspondence.size",
            f"Frames of different size cannot be matched: {current.part.shape} and {reference.part.shape}.",
        )
    joined: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    for part in range(1, LAST_PART + 1):
        here, there = np.flatnonzero(current.part == part), np.flatnonzero(reference.part == part)
        if here.size and there.size:
            row, column = assign_points(
                part_features(current, here, features), part_features(reference, there, features)
            )
            joined.append((here[row], there[column]))
    height, width = current.part.shape
    if not joined:
        return empty_matches(height, width)
    pixel, source = (np.concatenate(side) for side in zip(*joined, strict=True))
    order = np.argsort(pixel)
    return Matches(pixel[order], source[order], height, width)
