"""What one frame shows of the texels: which of them it reads at every pixel, and where in the picture it sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from scipy.sparse import csr_array

from backend.passes.exr import FramePasses
from backend.passes.shot_passes import ShotPasses
from backend.surface.gbuffer import SAMPLES, CameraFrame, GBuffer, camera_frame, g_buffer
from backend.surface.texels import TexelMesh, dot, unit, vertex_normals

# A texel counts as seen up to so far behind the nearest surface: the texel and the sample are not the same point, and
# the more a surface is turned away the more their depths differ.
BEHIND_M = 0.02
BEHIND_SLOPE_M = 0.012
LEAST_COSINE = 0.05
# A pixel shows a texel's own surface if their depths differ by less; a step that is larger is a silhouette.
SAME_SURFACE_M = 0.05
# Quality rises from `LEAST_QUALITY` at half a pixel from a silhouette to 1 at 3.5 pixels.
EDGE_PX = 0.5
INNER_PX = 3.0
LEAST_QUALITY = 0.02
# So many samples are looked up at once: about 50 MB.
BAND_SAMPLES = 1 << 16

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Singles = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class FrameView:
    """One frame before the texels. n pixels have coverage, v texels are seen; normals are in the camera's axes.

    8 m + 24 bytes a pixel and 76 a texel: 12 to 21 MB in the bench; m, the most that a pixel reads, is at most 24.
    """

    height: int
    width: int
    pixel: Ints  # (n,) flat, rising: those of coverage above 0
    alpha: Singles  # (n,) coverage in quarters
    read_index: NDArray[np.int32]  # (n, m) texels; the mean over the covered samples of a pixel
    read_weight: Singles  # (n, m), rows sum to 1, padded with 0
    normal: Singles  # (n, 3) unit, towards the camera: x right, y down, z forward
    seen: NDArray[np.int32]  # (v,) texels, rising
    place: Singles  # (v, 2) x, y in pixels, centres at +0.5
    tap_pixel: Ints  # (v, 4) flat; the pixels around the place that show the same surface
    tap_weight: Singles  # (v, 4), rows sum to 1
    texel_normal: Singles  # (v, 3)
    quality: Singles  # (v,) 0..1: how squarely, and how far from a silhouette

    def texel_cells(self, factor: int) -> NDArray[np.int32]:
        """The flat cell (v,) that each seen texel lies in, of cells of factor x factor pixels."""
        rows, columns = self.height // factor, self.width // factor
        column = np.clip((self.place[:, 0] / factor).astype(np.int32), 0, columns - 1)
        row = np.clip((self.place[:, 1] / factor).astype(np.int32), 0, rows - 1)
        return np.asarray(row * columns + column, np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """Texels that face the camera, lie in the picture and have nothing before them."""

    texel: Ints  # (v,)
    place: Floats  # (v, 2)
    depth: Floats  # (v,)
    normal: Floats  # (v, 3)
    cosine: Floats  # (v,)

    def only(self, kept: NDArray[Any]) -> _Seen:
        return _Seen(self.texel[kept], self.place[kept], self.depth[kept], self.normal[kept], self.cosine[kept])


@dataclass(frozen=True, slots=True, eq=False)
class _Band:
    """The samples of some rows of the picture."""

    row: Ints  # (s,) the pixel of each, counted from the band's first
    count: int  # pixels
    face: Ints  # (s,)
    weights: Floats  # (s, 3)


def frame_view(passes: ShotPasses, mesh: TexelMesh, frame: int) -> FrameView:
    """Set a frame's picture against the texels of `mesh`, which has the triangles of the passes' charts.

    Raises PassesError for a frame that cannot be used.
    """
    camera = camera_frame(passes, frame)
    buffer, rendered = g_buffer(passes, frame, camera), passes.frame(frame)
    normals = vertex_normals(mesh.faces, camera.vertices)
    pixel = np.flatnonzero(buffer.alpha)
    read_index, read_weight, pixel_normal = _pixels(mesh, camera, normals, buffer, pixel)
    seen = _seen(mesh, camera, normals, buffer)
    tap_pixel, shares = _neighbours(seen.place, passes.size)
    weight = shares * _same_surface(tap_pixel, seen.depth, rendered)
    total = weight.sum(axis=1)
    kept = np.flatnonzero(total > 0)
    seen, tap_pixel, shares = seen.only(kept), tap_pixel[kept], shares[kept]
    tap_weight = weight[kept] / total[kept, None]
    distance = (shares * _edge_distance(rendered).ravel()[tap_pixel]).sum(axis=1)
    quality = seen.cosine**2 * np.clip((distance - EDGE_PX) / INNER_PX, LEAST_QUALITY, 1)
    return FrameView(
        height=passes.size[0],
        width=passes.size[1],
        pixel=pixel,
        alpha=buffer.alpha.ravel()[pixel],
        read_index=read_index,
        read_weight=read_weight,
        normal=pixel_normal,
        seen=seen.texel.astype(np.int32),
        place=seen.place.astype(np.float32),
        tap_pixel=np.where(tap_weight > 0, tap_pixel, tap_pixel[np.arange(len(kept)), tap_weight.argmax(1)][:, None]),
        tap_weight=tap_weight.astype(np.float32),
        texel_normal=seen.normal.astype(np.float32),
        quality=quality.astype(np.float32),
    )


def _pixels(
    mesh: TexelMesh, camera: CameraFrame, normals: Floats, buffer: GBuffer, pixel: Ints
) -> tuple[NDArray[np.int32], Singles, Singles]:
    """What the pixels (n,) read, index and weight (n, m), and their normals (n, 3); a few rows at a time."""
    bands = _bands(buffer, pixel)
    reads = [_reads(mesh, band) for band in bands]
    normal = [_pixel_normals(mesh, camera, normals, band) for band in bands]
    width = max((read.shape[1] for _, read in reads), default=1)
    index, weight = np.zeros((len(pixel), width), np.int32), np.zeros((len(pixel), width), np.float32)
    start = 0
    for band_index, band_weight in reads:
        rows = slice(start, start + len(band_index))
        index[rows, : band_index.shape[1]], weight[rows, : band_weight.shape[1]] = band_index, band_weight
        start = rows.stop
    return index, weight, np.concatenate([np.zeros((0, 3), np.float32), *normal])


def _bands(buffer: GBuffer, pixel: Ints) -> list[_Band]:
    """The samples of a frame, cut between rows of the picture into pieces of about `BAND_SAMPLES`."""
    line = buffer.pixel // buffer.alpha.shape[1]
    starts = np.flatnonzero(np.diff(line, prepend=-1))
    starts = starts[np.flatnonzero(np.diff(starts // BAND_SAMPLES, prepend=-1))]
    row = np.searchsorted(pixel, buffer.pixel)
    bands = []
    for low, high in zip(starts, np.append(starts[1:], len(line))[: len(starts)], strict=True):
        rows = row[low:high] - row[low:high].min()
        bands.append(_Band(rows, int(rows.max()) + 1, buffer.face[low:high], buffer.weights[low:high]))
    return bands


def _reads(mesh: TexelMesh, band: _Band) -> tuple[NDArray[np.int32], Singles]:
    """The texels (n, m) that each pixel of a band reads, rising, and their weights."""
    index, weight = mesh.lookup(band.face, band.weights)
    used = weight > 0
    rows = np.broadcast_to(band.row[:, None], index.shape)[used]
    summed = csr_array((weight[used].astype(np.float64), (rows, index[used])), shape=(band.count, len(mesh)))
    summed.sum_duplicates()
    lengths = np.diff(summed.indptr)
    of_row = np.arange(band.count).repeat(lengths)
    column = np.arange(len(of_row)) - summed.indptr[of_row]
    read_index = np.zeros((band.count, int(lengths.max())), np.int32)
    read_weight = np.zeros(read_index.shape)
    read_index[of_row, column], read_weight[of_row, column] = summed.indices, summed.data
    return read_index, (read_weight / read_weight.sum(axis=1, keepdims=True)).astype(np.float32)


def _pixel_normals(mesh: TexelMesh, camera: CameraFrame, normals: Floats, band: _Band) -> Singles:
    """The mean normal (n, 3) of a pixel's samples, each turned to the camera if its triangle shows its back.

    Near silhouettes a smooth normal can lean away from the camera all the same: it is bent back until it stands at a
    right angle to the line of sight.
    """
    corner = mesh.faces[band.face]
    normal = np.einsum("sk,ski->si", band.weights, normals[corner])
    points = camera.vertices[corner]
    sight = -unit(np.einsum("sk,ski->si", band.weights, points))
    across = np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])
    normal = unit(np.where(dot(across, sight)[:, None] < 0, -normal, normal))
    summed, towards = _summed(band, normal), unit(_summed(band, sight))
    summed -= np.minimum(dot(summed, towards), 0)[:, None] * towards
    length = np.linalg.norm(summed, axis=1, keepdims=True)
    return np.where(length > 1e-6, summed / np.maximum(length, 1e-6), towards).astype(np.float32)


def _summed(band: _Band, vectors: Floats) -> Floats:
    """Sums (n, 3) of the vectors (s, 3) of each pixel's samples."""
    sums = [np.bincount(band.row, vectors[:, axis], band.count) for axis in range(3)]
    return np.stack(sums, axis=1).astype(np.float64)


def _seen(mesh: TexelMesh, camera: CameraFrame, normals: Floats, buffer: GBuffer) -> _Seen:
    """The texels that a camera sees, by their side and by the depth of the sample that they lie in."""
    points, normal = mesh.at_vertices @ camera.vertices, mesh.at_vertices @ normals
    towards = -dot(normal, points)
    length = np.sqrt(dot(normal, normal) * dot(points, points))
    facing = np.flatnonzero((towards > LEAST_COSINE * length) & (points[:, 2] > 0))
    points = points[facing]
    place = camera.place(points)
    height, width = (side // SAMPLES for side in buffer.depth.shape)
    x, y = place[:, 0], place[:, 1]
    inside = np.flatnonzero((x >= 0) & (x < width) & (y >= 0) & (y < height))
    facing, place, depth = facing[inside], place[inside], points[inside, 2]
    cosine = towards[facing] / length[facing]
    column, row = (place * SAMPLES).astype(np.int64).T
    before = np.where(buffer.hidden[row // SAMPLES, column // SAMPLES], 0, buffer.depth[row, column])
    clear = np.flatnonzero(depth < before + BEHIND_M + BEHIND_SLOPE_M / np.maximum(cosine, 0.1))
    facing = facing[clear]
    return _Seen(facing, place[clear], depth[clear], unit(normal[facing]), cosine[clear])


def _neighbours(place: Floats, size: tuple[int, int]) -> tuple[Ints, Floats]:
    """The four pixels (v, 4) whose centres lie around places x, y (v, 2), and their bilinear shares.

    Those outside of the picture have a share of 0 and the number of a pixel that is inside.
    """
    height, width = size
    pixels, shares = [], []
    along = [np.floor(place[:, axis] - 0.5) for axis in range(2)]
    part = [place[:, axis] - 0.5 - along[axis] for axis in range(2)]
    for down in range(2):
        row = along[1] + down
        y_share = np.where((row >= 0) & (row < height), part[1] if down else 1 - part[1], 0)
        row = np.clip(row, 0, height - 1)
        for right in range(2):
            column = along[0] + right
            x_share = np.where((column >= 0) & (column < width), part[0] if right else 1 - part[0], 0)
            pixels.append(row * width + np.clip(column, 0, width - 1))
            shares.append(x_share * y_share)
    return np.stack(pixels, axis=1).astype(np.int64), np.stack(shares, axis=1)


def _same_surface(pixel: Ints, depth: Floats, rendered: FramePasses) -> NDArray[np.bool_]:
    """Which pixels (v, 4) show a body at the depth (v,) of their texel."""
    body = rendered.part.ravel()[pixel] > 0
    return np.asarray(body & (np.abs(rendered.depth_m.ravel()[pixel] - depth[:, None]) < SAME_SURFACE_M))


def _edge_distance(rendered: FramePasses) -> Floats:
    """Pixels (height, width) to the nearest silhouette or step in depth; 0 off the bodies, 1 beside either."""
    body = rendered.part > 0
    rows, columns = np.flatnonzero(body.any(axis=1)), np.flatnonzero(body.any(axis=0))
    distance = np.zeros(body.shape)
    if not rows.size:
        return distance
    # Beyond a margin of the distance at which quality is full nothing changes.
    margin = int(np.ceil(EDGE_PX + INNER_PX)) + 1
    box = (
        slice(max(int(rows[0]) - margin, 0), int(rows[-1]) + margin + 1),
        slice(max(int(columns[0]) - margin, 0), int(columns[-1]) + margin + 1),
    )
    inner, depth = body[box], np.where(body[box], rendered.depth_m[box], np.nan)
    step = np.zeros(inner.shape, bool)
    for axis in range(2):
        jump = np.abs(np.diff(depth, axis=axis)) > SAME_SURFACE_M
        before, behind = [slice(None)] * 2, [slice(None)] * 2
        before[axis], behind[axis] = slice(None, -1), slice(1, None)
        step[tuple(before)] |= jump
        step[tuple(behind)] |= jump
    distance[box] = _distance(~inner)
    if step.any():
        distance[box] = np.minimum(distance[box], np.where(inner, 1 + _distance(step), 0))
    return distance


def _distance(marked: NDArray[np.bool_]) -> Floats:
    """Pixels to the nearest marked one; both sides of the picture together where none is."""
    if not marked.any():
        return np.full(marked.shape, float(sum(marked.shape)))
    return np.asarray(distance_transform_edt(~marked), np.float64)
