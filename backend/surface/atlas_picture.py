"""The texture as a picture in the body's charts (`shared.body.atlas_layout`): `atlas.png`.

Colours are without light. Alpha says how they are known: 255 seen in the frames, 128 filled in from what lies around,
0 outside of all charts.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import distance_transform_edt
from scipy.sparse import csc_matrix, diags
from scipy.sparse.linalg import splu

from backend.surface.nodes import Nodes
from backend.surface.raster import rasterise
from backend.surface.shot_surface import ShotSurface
from backend.surface.texture import Texture
from shared.body.atlas_layout import atlas_size, atlas_uv

TILE = 256  # pixels of a part's tile, along each side
SEEN, FILLED = 255, 128
BLEED_PX = 4  # colours go on beyond a chart's edge, for filtering
SEEN_FROM = 0.02  # quality

Floats = NDArray[np.float32]


def atlas_png(surface: ShotSurface, texture: Texture, character: int = 0) -> bytes:
    """The picture of one character's texture: RGBA, as PNG bytes."""
    colour, seen = filled_texture(surface, texture)
    charts = surface.passes.charts
    faces = np.flatnonzero(surface.body[charts.f[:, 0]] == character)
    height, width = atlas_size(TILE)
    place = atlas_uv(np.repeat(charts.part[faces], 3), charts.chart_uv[faces].reshape(-1, 2)).astype(np.float64)
    corners = np.stack([place[:, 0] * width, (1 - place[:, 1]) * height], axis=1).reshape(-1, 3, 2)
    found = rasterise(corners, np.ones(corners.shape[:2]), height, width)
    index, weight = surface.mesh.lookup(faces[found.face], found.weights)
    picture = np.zeros((height * width, 4), np.float32)
    picture[found.pixel, :3] = (colour[index] * weight[..., None]).sum(axis=1) * 255
    known = (seen[index] * weight).sum(axis=1) > 0.5
    picture[found.pixel, 3] = np.where(known, SEEN, FILLED)
    levels = np.clip(picture + 0.5, 0, 255).astype(np.uint8).reshape(height, width, 4)
    buffer = io.BytesIO()
    Image.fromarray(_bled(levels)).save(buffer, "PNG")
    return buffer.getvalue()


def filled_texture(surface: ShotSurface, texture: Texture) -> tuple[Floats, NDArray[np.bool_]]:
    """Colours (K, 3) of all texels, those that nobody saw filled in, and which were seen (K,).

    The fill is harmonic: each node is the mean of those around it, so that colours go over into each other smoothly.
    """
    seen = texture.quality > SEEN_FROM
    values, mass = surface.fine.gathered(texture.colour, seen.astype(np.float32))
    filled, _ = surface.fine.spread(_harmonic(surface.fine, values, mass), np.ones_like(mass))
    return np.where(seen[:, None], texture.colour, filled), seen


def _harmonic(nodes: Nodes, values: Floats, mass: Floats) -> Floats:
    """The nodes' values (nodes, 3) with those without mass solved for; all the same where nothing is known."""
    known = mass > 1e-3
    if not known.any() or known.all():
        return values if known.any() else np.full_like(values, 0.5)
    ties = (nodes.splat @ nodes.read).tocsr()
    ties.setdiag(0)
    inside = ties[~known][:, ~known]
    outside = ties[~known][:, known]
    mean = values[known].mean(axis=0)
    pull = 1e-4 * np.maximum(np.asarray(ties[~known].sum(axis=1)).reshape(-1), 1e-6)  # towards the mean, where cut off
    degree = np.asarray(inside.sum(axis=1) + outside.sum(axis=1)).reshape(-1) + pull
    right = outside @ values[known] + pull[:, None] * mean
    system = csc_matrix(diags(degree) - inside)  # symmetric, so that its own order keeps the factors thin
    out = values.copy()
    out[~known] = splu(system, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}).solve(right)
    return out


def _bled(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with its colours going on `BLEED_PX` beyond the charts; alpha stays 0 there."""
    outside = levels[..., 3] == 0
    distance, (row, column) = distance_transform_edt(outside, return_indices=True)
    near = outside & (distance <= BLEED_PX)
    out = levels.copy()
    out[near, :3] = levels[row[near], column[near], :3]
    return out
