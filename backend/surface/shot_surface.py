"""The surface of one shot, and what a segment's frames see of it: made once, read at every step and by the lock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from backend.passes.shot_passes import ShotPasses
from backend.surface.best_view import feathered, view_labels
from backend.surface.nodes import Nodes, surface_nodes
from backend.surface.texels import TexelMesh, shot_texels
from backend.surface.views import FrameView, frame_view

# Widths of the low-pass and of the labels' feather in texel spacings; one spacing is a pixel.
LOW_PASS = 3.75
FEATHER = 1.25
# A place that no frame sees better than this keeps its mean colour: fingers, grazing views.
DETAIL_FROM, DETAIL_OVER = 0.05, 0.25

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One frame's view as matrices between its picture (pixels, row by row) and the texels."""

    view: FrameView
    sample: csr_matrix  # (v, pixels) the picture at the v seen texels
    read: csr_matrix  # (n, K) the texels at the n pixels that show the body

    @classmethod
    def of(cls, view: FrameView, pixels: int, texels: int) -> Seen:
        """The matrices of a view."""
        sample = _rows(view.tap_pixel, view.tap_weight, pixels)
        return cls(view, sample, _rows(view.read_index, view.read_weight, texels))


@dataclass(frozen=True, slots=True, eq=False)
class SegmentSurface:
    """What the frames of one segment see."""

    frames: tuple[Seen, ...]
    fine: Floats  # (frames, nodes) how well each frame sees each feathering node


@dataclass(eq=False)
class ShotSurface:
    """A shot's texels and nodes, and its last segment's views: what is asked for again and again, made when it is first
    asked for. Raises PassesError for frames that cannot be used."""

    passes: ShotPasses
    _last: tuple[range, SegmentSurface] | None = None

    @cached_property
    def mesh(self) -> TexelMesh:
        """The texels, on the rest pose of the bodies, or on frame 0 where the passes have none."""
        return shot_texels(self.passes)

    @property
    def body(self) -> NDArray[np.int32]:
        """Which character each vertex (V,) belongs to."""
        counts = [character.vertex_count for character in self.passes.shot.characters]
        return np.repeat(np.arange(len(counts), dtype=np.int32), counts)

    @cached_property
    def low(self) -> Nodes:
        """The nodes of the low-pass that tells colour from detail."""
        return surface_nodes(self.mesh, LOW_PASS * self.mesh.spacing_m)

    @cached_property
    def fine(self) -> Nodes:
        """The nodes on which best views are chosen."""
        return surface_nodes(self.mesh, FEATHER * self.mesh.spacing_m)

    @cached_property
    def extent(self) -> Floats:
        """How much of the surface each fine node stands for: (nodes,)."""
        return np.asarray(self.fine.splat.sum(axis=1), np.float32).reshape(-1)

    @property
    def texels(self) -> int:
        """How many texels there are."""
        return len(self.mesh)

    def segment(self, frames: range, on_frame: Callable[[int], None] = lambda frame: None) -> SegmentSurface:
        """What these frames see; the last segment asked for is kept. Raises PassesError."""
        if self._last is None or self._last[0] != frames:
            self._last = None  # let go of it before the next is made
            height, width = self.passes.size
            seen, fine = [], []
            for frame in frames:
                on_frame(frame)
                view = frame_view(self.passes, self.mesh, frame)
                seen.append(Seen.of(view, height * width, self.texels))
                fine.append(self._on_nodes(view))
            self._last = frames, SegmentSurface(tuple(seen), np.stack(fine))
        return self._last[1]

    def shares(self, segment: SegmentSurface, kept: Floats | None) -> list[Floats]:
        """How much of each texel's detail (K,) comes from each frame, and last from the frames before.

        `kept` (K,) is how well those saw it, None if there are none.
        """
        on_nodes = None if kept is None else self.fine.gathered(kept[:, None], np.ones_like(kept))[0][:, 0]
        labels = view_labels(segment.fine, self.extent, kept=on_nodes)
        return feathered(self.fine, labels, [one.view.seen for one in segment.frames], kept)

    def _on_nodes(self, view: FrameView) -> Floats:
        """How well a frame sees each feathering node (nodes,): the mean over all the node's texels."""
        quality = np.zeros(self.texels, np.float32)
        quality[view.seen] = view.quality
        return self.fine.gathered(quality[:, None], np.ones_like(quality))[0][:, 0]


def detail_confidence(best: Floats) -> Floats:
    """How much detail (K,) a texel is given, by how well its best view sees it."""
    return np.clip((best - DETAIL_FROM) / DETAIL_OVER, 0, 1).astype(np.float32)


def _rows(index: NDArray[np.integer], weight: Floats, columns: int) -> csr_matrix:  # type: ignore[type-arg]
    starts = np.arange(0, index.size + 1, index.shape[1])
    return csr_matrix((weight.reshape(-1), index.reshape(-1), starts), shape=(len(index), columns))
