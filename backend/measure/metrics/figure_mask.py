"""Which pixels of a picture show the figure: a segmentation that knows where the body should be, and no trained net.

The depth of the trunk is taken for figure and what is far from the body for background. All between is decided by
colours, counted in a grid over colour and place (Maerki et al., 2016, "Bilateral space video segmentation"), and by the
picture's edges (Grady, 2005, "Multilabel random walker image segmentation using prior models"). Where colours say
nothing the body's own outline decides, weakly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates
from scipy.sparse import coo_array, csr_array, diags_array
from scipy.sparse.linalg import cg

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Fractions of the body's height: how far around the body a figure may reach, to what distance background is looked at,
# how deep inside the body all is figure, and how deep inside colours are the figure's at first.
BAND = 0.12
SURROUNDINGS = 0.3
SURE_DEPTH = 0.05
COLOUR_DEPTH = 0.01
FEWEST_SEEDS = 3  # pixels of either side; with less there is nothing to learn from

CELL_LAB = np.array((10.0, 8.0, 8.0))  # of the grid, along L*, a*, b*
CELL_PLACE = 0.05  # of the grid, along y and x, in heights of the body
BLUR_LAB, BLUR_PLACE = 0.8, 1.5  # standard deviations, in cells
LEAST_SHARE = 0.05  # of a seed a cell: where the grid is empty, the colours of the whole picture count

# Against an edge's weight of 1 between pixels of one colour.
COLOUR_WEIGHT, OUTLINE_WEIGHT, EDGE_CONTRAST = 0.1, 0.04, 2.5
LEAST_EDGE = 1e-4
ELSEWHERE = 0.7  # what the figure's colours anywhere count, against those near by: a limb must not vouch for itself
LEAST_DENSITY = 1e-5
ROUNDS = 2  # colours are learnt again from what the round before decided

# CIE 1976 L*a*b* of sRGB with its white point D65 (IEC 61966-2-1).
_TO_XYZ = np.array(((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505)))
_KNEE = 6 / 29


@dataclass(frozen=True, slots=True, eq=False)
class Seeds:
    """What is known of a picture's pixels, each (H, W), before its colours are looked at."""

    figure: Mask
    background: Mask  # all that is beyond the band
    unknown: Mask
    first_figure: Mask  # where the figure's colours are learnt in the first round
    first_background: Mask


def lab_colours(picture: NDArray[np.float32]) -> Floats:
    """CIE L*a*b* of an sRGB picture (H, W, 3) of 0..255."""
    shown = picture.astype(np.float64) / 255
    linear = np.where(shown <= 0.04045, shown / 12.92, ((shown + 0.055) / 1.055) ** 2.4)
    relative = linear @ _TO_XYZ.T / _TO_XYZ.sum(axis=1)
    bent = np.where(relative > _KNEE**3, np.cbrt(relative), relative / (3 * _KNEE**2) + 4 / 29)
    x, y, z = np.moveaxis(bent, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def figure_mask(picture: NDArray[np.float32], body: Mask) -> Mask | None:
    """Where `picture` (H, W, 3) of 0..255 shows the figure, `body` (H, W) being where it should; None = no telling."""
    rows = np.flatnonzero(body.any(axis=1))
    if not rows.size:
        return None
    height = float(rows[-1] - rows[0] + 1)
    seeds = _seeds(body, height)
    if min(np.count_nonzero(seeds.figure), np.count_nonzero(seeds.first_background)) < FEWEST_SEEDS:
        return None
    colours = lab_colours(picture)
    edges = _laplacian(colours)
    figure, background = seeds.first_figure.astype(np.float64), seeds.first_background.astype(np.float64)
    likely = seeds.figure.astype(np.float64)
    for _ in range(ROUNDS):
        evidence = _evidence(colours, height, seeds.unknown, figure, background)
        likely[seeds.unknown] = _walked(edges, seeds, evidence, body)
        sure = 2 * likely - 1
        figure = np.where(seeds.unknown, np.maximum(sure, 0), seeds.figure)
        background = np.where(seeds.unknown, np.maximum(-sure, 0), seeds.first_background)
    return np.asarray(likely >= 0.5)


def _seeds(body: Mask, height: float) -> Seeds:
    outside, inside = (np.asarray(distance_transform_edt(mask), np.float64) for mask in (~body, body))
    figure, background = inside > max(1.5, SURE_DEPTH * height), outside > BAND * height
    return Seeds(
        figure,
        background,
        ~(figure | background),
        inside > max(1.0, COLOUR_DEPTH * height),
        background & (outside <= SURROUNDINGS * height),
    )


def _evidence(colours: Floats, height: float, asked: Mask, figure: Floats, background: Floats) -> Floats:
    """The share (n,) that the figure has in colours like those of the `asked` pixels, near them."""
    place = np.moveaxis(np.indices(asked.shape, np.float64), 0, -1) / (CELL_PLACE * height)
    shade = (colours - colours.min(axis=(0, 1))) / CELL_LAB
    cells = np.concatenate([shade, place], axis=-1)
    drawn, behind = _density(cells, asked, figure, ELSEWHERE), _density(cells, asked, background, 0.0)
    return np.asarray((drawn + LEAST_DENSITY) / (drawn + behind + 2 * LEAST_DENSITY))


def _density(cells: Floats, asked: Mask, weights: Floats, elsewhere: float) -> Floats:
    """How much of the seeds near each asked pixel has its colour: a share of all seeds there, whatever their number.

    The share in the whole picture counts by `elsewhere`, 0 to 1, the one near by for the rest.
    """
    counted = weights > 0
    seeds, share, queries = cells[counted], weights[counted], cells[asked]
    near = _blurred(seeds, share, queries, (BLUR_LAB,) * 3 + (BLUR_PLACE,) * 2)
    all_near = _blurred(seeds[:, 3:], share, queries[:, 3:], (BLUR_PLACE,) * 2)
    anywhere = _blurred(seeds[:, :3], share, queries[:, :3], (BLUR_LAB,) * 3) / share.sum()
    least = LEAST_SHARE * share.sum() / np.prod(np.floor(cells[..., 3:].max(axis=(0, 1))) + 1)
    return np.asarray((1 - elsewhere) * (near + least * anywhere) / (all_near + least) + elsewhere * anywhere)


def _blurred(seeds: Floats, share: Floats, queries: Floats, blur: tuple[float, ...]) -> Floats:
    """The seeds, counted in the cells of a grid, blurred, and read between the cells' centres at the queries."""
    shape = np.floor(np.maximum(seeds.max(axis=0), queries.max(axis=0))).astype(np.int64) + 1
    flat = np.ravel_multi_index(tuple(np.floor(seeds).astype(np.int64).T), tuple(shape))
    grid = np.bincount(flat, share, int(np.prod(shape))).reshape(shape)
    smooth = gaussian_filter(grid, blur, mode="constant", truncate=2.5)
    return np.asarray(map_coordinates(smooth, queries.T - 0.5, order=1, mode="nearest"), np.float64)


def _laplacian(colours: Floats) -> csr_array:
    """Of the picture's grid of pixels: neighbours of one colour are joined by 1, those across an edge by less."""
    number = np.arange(colours.shape[0] * colours.shape[1]).reshape(colours.shape[:2])
    pairs = [(number[:, :-1].ravel(), number[:, 1:].ravel()), (number[:-1].ravel(), number[1:].ravel())]
    first, second = (np.concatenate(side) for side in zip(*pairs, strict=True))
    flat = colours.reshape(-1, 3)
    apart = ((flat[first] - flat[second]) ** 2).sum(axis=1)
    weight = np.exp(-EDGE_CONTRAST * apart / max(float(apart.mean()), 1e-3)) + LEAST_EDGE
    joined = coo_array((weight, (first, second)), shape=(number.size, number.size)).tocsr()
    joined = joined + joined.T
    return csr_array(diags_array(joined.sum(axis=1)) - joined)


def _walked(edges: csr_array, seeds: Seeds, evidence: Floats, body: Mask) -> Floats:
    """How likely a random walk from each unknown pixel ends in the figure, by seeds, colours and outline: (n,)."""
    unknown, figure = (np.flatnonzero(mask) for mask in (seeds.unknown, seeds.figure))
    rows = edges[unknown]
    trust = COLOUR_WEIGHT * np.abs(2 * evidence - 1)
    system = rows[:, unknown] + diags_array(trust + OUTLINE_WEIGHT)
    target = trust * evidence + OUTLINE_WEIGHT * body.reshape(-1)[unknown] - rows[:, figure].sum(axis=1)
    found, _ = cg(system, target, x0=evidence, rtol=1e-4, maxiter=300)
    return np.asarray(found, np.float64)
