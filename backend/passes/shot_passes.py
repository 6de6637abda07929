"""The rendered passes of a shot: opened once, their frames read when they are asked for.

A frame of 512 x 512 takes 3.4 MB, so that a shot's frames are never held all at once: memory is that of the frames
asked for and of the last `KEPT_FRAMES`.
"""

from __future__ import annotations

import zipfile
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from backend.passes.exr import FramePasses, check_header, check_size, read_frame
from shared.errors import PassesError
from shared.shot import Shot, depth_levels, parse_shot

# Matching goes from frame to frame: the two at hand, the one before them, and the shot's frame 0 are asked for again.
KEPT_FRAMES = 4
# Vertices of so many frames are checked at once: 170 KB a frame of a 14,000-vertex body.
CHECKED_FRAMES = 16


@dataclass(frozen=True, slots=True)
class Charts:
    """The body's topology with its DensePose-style parts: (part, u, v) names one surface point."""

    f: NDArray[np.int32]  # (faces, 3) vertex indices
    part: NDArray[np.uint8]  # (faces,) 1..24
    chart_uv: NDArray[np.float32]  # (faces, 3, 2) 0..1
    rest: NDArray[np.float32] | None = None  # (vertices, 3) metres, the rest pose; None: the file does not hold it


class FrameSource(Protocol):
    """Where a shot's frames come from."""

    def frame(self, position: int) -> FramePasses:
        """The frame at a position in the shot. Raises PassesError for one that cannot be used."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class FrameFiles:
    """A shot's EXR files, in the order of its frames. The last frames read are kept, `KEPT_FRAMES` of them."""

    paths: tuple[Path, ...]
    height: int
    width: int
    _kept: OrderedDict[int, FramePasses] = field(default_factory=OrderedDict)

    def frame(self, position: int) -> FramePasses:
        """Read a frame, or take it from those that are kept. Raises PassesError."""
        kept = self._kept.get(position)
        if kept is None:
            path = self.paths[position]
            kept = read_frame(path)
            check_size(path, kept.part.shape, (self.height, self.width))
            if len(self._kept) >= KEPT_FRAMES:
                self._kept.popitem(last=False)
            self._kept[position] = kept
        self._kept.move_to_end(position)
        return kept


@dataclass(frozen=True, slots=True, eq=False)
class FramesInMemory:
    """Frames that were made here and not read from files: the passes of all of them, stacked."""

    stacked: FramePasses

    def frame(self, position: int) -> FramePasses:
        """A view of one frame."""
        return FramePasses(self.stacked.depth_m[position], self.stacked.part[position], self.stacked.uv[position])


@dataclass(frozen=True, slots=True, eq=False)
class ShotPasses:
    """All that the backend knows of a shot's geometry. A frame is named by its position in the shot, from 0."""

    shot: Shot
    vertices: NDArray[np.float32]  # (frames, vertices, 3) world metres; of a job, mapped from its file
    charts: Charts
    source: FrameSource

    @property
    def positions(self) -> range:
        """The positions of all frames."""
        return range(len(self.shot.frames))

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the passes, in pixels."""
        return self.shot.height, self.shot.width

    def frame(self, position: int) -> FramePasses:
        """One frame's passes. Raises PassesError for a frame that the shot does not have, or that cannot be used."""
        if position not in self.positions:
            raise PassesError(
                "passes.frame", f"The shot has {len(self.shot.frames)} frames; there is none at position {position}."
            )
        return self.source.frame(position)

    def read(self, frames: range) -> FramePasses:
        """The passes of these frames alone, stacked: 13 bytes a pixel. Raises PassesError as `frame` does."""
        height, width = self.size
        depth_m = np.empty((len(frames), height, width), np.float32)
        part, uv = np.empty(depth_m.shape, np.uint8), np.empty((*depth_m.shape, 2), np.float32)
        for row, position in enumerate(frames):
            one = self.frame(position)
            depth_m[row], part[row], uv[row] = one.depth_m, one.part, one.uv
        return FramePasses(depth_m, part, uv)

    def parts(self, frames: range) -> NDArray[np.uint8]:
        """The part labels (frames, height, width) of these frames alone: 1 byte a pixel. Raises PassesError."""
        parts = np.empty((len(frames), *self.size), np.uint8)
        for row, position in enumerate(frames):
            parts[row] = self.frame(position).part
        return parts


def depth_pictures(passes: ShotPasses, frames: range) -> NDArray[np.float32]:
    """ControlNet's depth pictures of these frames: (frames, height, width), background 0.

    On bodies they are `shared.shot.depth_levels` of the whole shot's range. Raises PassesError for a frame that cannot
    be used.
    """
    near, far = passes.shot.near_m, passes.shot.far_m
    pictures = np.empty((len(frames), *passes.size), np.float32)
    for row, position in enumerate(frames):
        one = passes.frame(position)
        body = one.part > 0
        pictures[row] = np.where(body, depth_levels(np.where(body, one.depth_m, far), near, far), 0)
    return pictures


def read_charts(path: Path) -> Charts:
    """Read `charts.npz`; its key `rest` may be absent. Raises PassesError naming the key at fault."""
    try:
        with np.load(path, allow_pickle=False) as data:
            f, part, chart_uv = data["f"], data["part"], data["chart_uv"]
            rest = data["rest"] if "rest" in data else None
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise PassesError("passes.charts", f"The body's charts ({path.name}) cannot be read: {error}.") from error
    if f.ndim != 2 or f.shape[1] != 3 or part.shape != f.shape[:1] or chart_uv.shape != (*f.shape, 2):
        raise PassesError(
            "passes.charts",
            f"The body's charts ({path.name}) do not fit together: "
            f"f {f.shape}, part {part.shape}, chart_uv {chart_uv.shape}.",
        )
    return Charts(f.astype(np.int32), part.astype(np.uint8), chart_uv.astype(np.float32), _checked_rest(rest, f, path))


def _checked_rest(rest: NDArray[Any] | None, f: NDArray[Any], path: Path) -> NDArray[np.float32] | None:
    if rest is None:
        return None
    numbers = rest.dtype.kind in "fiu" and rest.ndim == 2 and rest.shape[1] == 3
    if not numbers or len(rest) <= f.max(initial=-1) or not np.isfinite(rest).all():
        raise PassesError(
            "passes.charts",
            f"The bodies' rest pose ({path.name}, rest) is {rest.dtype} {rest.shape} or not finite; it needs three "
            "finite numbers a vertex.",
            "Render the passes again.",
        )
    return rest.astype(np.float32)


def map_vertices(path: Path, frames: int, count: int) -> NDArray[np.float32]:
    """Map `vertices.npy` into memory: (frames, count, 3) float32, world metres, read-only.

    Every value is checked, a few frames at a time. Raises PassesError.
    """
    try:
        vertices: NDArray[np.float32] = open_memmap(path, mode="r")  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise PassesError("passes.vertices", f"The body's vertices ({path.name}) cannot be read: {error}.") from error
    pieces = range(0, frames, CHECKED_FRAMES)
    fits = vertices.dtype == np.float32 and vertices.shape == (frames, count, 3)
    if not fits or not all(np.isfinite(vertices[start : start + CHECKED_FRAMES]).all() for start in pieces):
        raise PassesError(
            "passes.vertices",
            f"The body's vertices ({path.name}) are {vertices.dtype} {vertices.shape} or not finite; "
            f"the shot needs float32 {(frames, count, 3)}.",
        )
    return vertices


def open_passes(frame_files: Sequence[Path], shot_file: Path, vertices_file: Path, charts_file: Path) -> ShotPasses:
    """Open a shot's passes; `frame_files` in the order of the shot's frames.

    Everything but the frames' pixels is read and checked here: shot, charts, vertices, and of every frame that its
    header can be read, has each layer once and is of the shot's size. What its pixels hold is checked when the frame
    is read: a file cut short, labels that are no part, a depth that is no distance. Raises PassesError.
    """
    try:
        shot = parse_shot(shot_file.read_bytes())
    except OSError as error:
        raise PassesError("passes.shot", f"{shot_file} cannot be read.", "Render the passes again.") from error
    if len(frame_files) != len(shot.frames):
        raise PassesError(
            "passes.count",
            f"The shot has {len(shot.frames)} frames, but {len(frame_files)} passes are given.",
            "A job must have all frames of its shot.json. Add them, or render passes of only the job's frames.",
        )
    for path in frame_files:
        check_header(path, shot.height, shot.width)
    count = max(character.vertex_start + character.vertex_count for character in shot.characters)
    vertices = map_vertices(vertices_file, len(shot.frames), count)
    charts = read_charts(charts_file)
    if charts.rest is not None and len(charts.rest) != count:
        raise PassesError(
            "passes.charts",
            f"The rest pose ({charts_file.name}, rest) has {len(charts.rest)} vertices; the shot has {count}.",
            "Render the passes again.",
        )
    source = FrameFiles(tuple(frame_files), shot.height, shot.width)
    return ShotPasses(shot, vertices, charts, source)
