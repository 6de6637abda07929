"""`latentman bench surface`: texels and views of a shot, and our z-buffer beside the plain way of drawing."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, fields

import numpy as np

from backend.measure.bench.shot import FRAMING, View, bench_shot, render_boxes
from backend.measure.bench.timing import Report, thread_timed
from backend.passes.shot_passes import ShotPasses
from backend.surface.gbuffer import camera_frame, drawn
from backend.surface.texels import shot_texels
from backend.surface.views import FrameView, frame_view
from shared.errors import InputError

_WARM_UP_SIZE = 32


@dataclass(frozen=True, slots=True)
class SurfaceBench:
    """What is run: shots of `frames` frames, and drawings of one of them, `repeats` times each."""

    sizes: tuple[int, ...] = (256, 512)
    views: tuple[View, ...] = ("full body", "close-up")
    frames: int = 16
    repeats: int = 5

    def __post_init__(self) -> None:
        if not self.sizes or not self.views or min(self.sizes) < 8 or self.frames < 1 or self.repeats < 1:
            raise InputError("bench.settings", "The bench needs sizes of at least 8, a view, a frame and a repeat.")
        unknown = [view for view in self.views if view not in FRAMING]
        if unknown:
            raise InputError(
                "bench.views", f"There is no view {unknown[0]!r}.", f"The views are: {', '.join(FRAMING)}."
            )


@dataclass(frozen=True, slots=True)
class SurfaceRow:
    """A shot at one size, in processor time of one thread. Pixels, texels seen and bytes are a frame's mean."""

    view: str
    size: int
    texels: int
    spacing_mm: float
    pixels: int
    seen: int
    held_mb: float
    texels_s: float
    frame_ms: float
    shot_s: float
    draw_ms: float
    boxes_ms: float
    boxes_over_ours: float
    proof: str


def run_surface(bench: SurfaceBench, report: Report) -> tuple[SurfaceRow, ...]:
    """Run the bench on the sample motion."""
    _row(SurfaceBench(frames=1, repeats=1), bench.views[0], _WARM_UP_SIZE)
    rows = []
    for view in bench.views:
        for size in bench.sizes:
            report(f"{view} at {size}")
            rows.append(_row(bench, view, size))
    return tuple(rows)


def _row(bench: SurfaceBench, view: View, size: int) -> SurfaceRow:
    passes = bench_shot(bench.frames, size, view)
    texels_s, mesh = thread_timed(lambda: shot_texels(passes))
    seconds, pixels, seen, held = [], [], [], []
    for frame in passes.positions:
        one_s, found = thread_timed(lambda frame=frame: frame_view(passes, mesh, frame))  # type: ignore[misc]
        seconds.append(one_s)
        pixels.append(len(found.pixel))
        seen.append(len(found.seen))
        held.append(held_bytes(found))
    draw_s, boxes_s, proof = _drawings(passes, bench.repeats)
    return SurfaceRow(
        view=view,
        size=size,
        texels=len(mesh),
        spacing_mm=1000 * mesh.spacing_m,
        pixels=round(statistics.mean(pixels)),
        seen=round(statistics.mean(seen)),
        held_mb=statistics.mean(held) / 1e6,
        texels_s=texels_s,
        frame_ms=1000 * statistics.median(seconds),
        shot_s=texels_s + sum(seconds),
        draw_ms=1000 * draw_s,
        boxes_ms=1000 * boxes_s,
        boxes_over_ours=boxes_s / draw_s,
        proof=proof,
    )


def held_bytes(view: FrameView) -> int:
    """What the arrays of a view take."""
    values = (getattr(view, field.name) for field in fields(view))
    return sum(value.nbytes for value in values if isinstance(value, np.ndarray))


def _drawings(passes: ShotPasses, repeats: int) -> tuple[float, float, str]:
    """The least seconds of our drawing of frame 0 at pixel centres and of the plain way, and whether they are equal."""
    camera, size = camera_frame(passes, 0), passes.size[0]
    ours_s, boxes_s = [], []
    for turn in range(repeats):
        # In turn, so that what slows the machine slows both.
        for ours in (True, False) if turn % 2 == 0 else (False, True):
            if ours:
                seconds, fragments = thread_timed(lambda: drawn(passes, camera, 1))
                ours_s.append(seconds)
            else:
                seconds, boxes = thread_timed(
                    lambda: render_boxes(camera.vertices, passes.charts, camera.intrinsics, size)
                )
                boxes_s.append(seconds)
    part = np.zeros(size * size, np.uint8)
    part[fragments.pixel] = passes.charts.part[fragments.face]
    different = int((part != boxes[1].ravel()).sum())
    return min(ours_s), min(boxes_s), f"{different} DIFFER" if different else "equal"
