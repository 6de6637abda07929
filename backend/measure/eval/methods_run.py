"""Run the clips of the comparison of methods that are not there yet, each as a job of the product is run."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from backend.contract.engine import Engine
from backend.contract.values import NOTHING_CARRIED, Callbacks, Segment
from backend.correspondence.chart_index import chart_index
from backend.correspondence.surface import match_surface
from backend.correspondence.types import Matches
from backend.jobs.engines import open_engine, prepare_engine
from backend.make.training.judging.trial_shot import TrialShot, render_trial_shot
from backend.make.training.renders.figure import TrainingBody, load_training_body
from backend.measure.eval.cell_store import CellKey, CellStore, KeyedCell
from backend.measure.eval.methods_plan import ROWS, MethodRow, MethodsPlan, shot_of
from backend.measure.metrics.background import background_change
from backend.measure.metrics.followed import FollowedPoints, follow_points, points_to_follow
from backend.measure.metrics.h_mse import HMse, h_mse
from backend.measure.metrics.mask_iou import mask_iou
from backend.measure.metrics.seam import seam_ratio
from backend.measure.metrics.shading import lambert_light, shading
from backend.measure.metrics.sharpness import sharpness
from backend.measure.metrics.textured_render import textured_render
from shared.jobs.job import Job
from shared.jobs.reuse import segment_spans
from shared.models.files import ModelFiles

LAGS = (1, 4, 8)

Advance = Callable[[CellKey, int], None]
"""Called with the cell at hand and the steps done since the last call."""

Pictures = NDArray[np.uint8]
_ROWS: Mapping[str, MethodRow] = MappingProxyType({row.label: row for row in ROWS})


class MethodCell(KeyedCell, frozen=True):
    """One clip's figures, on 0..255 squared where they are differences; None = nothing to measure."""

    made_by: str  # `MethodsPlan.made_by` of the row when it was made
    surface_1: float | None  # exact correspondence, lag 1
    surface_4: float | None
    surface_8: float | None
    floor_1: float | None  # of a steady texture of the clip's own sharpness, lag 1
    across_seams: float | None  # lag 1, of pairs in two segments
    inside_segments: float | None
    sharpness: float | None
    slope: float | None  # of shading
    mask_iou: float | None
    background: float | None  # None = the camera moves
    seconds: float | None  # from passes to pictures, the model in memory; None = no method


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """A shot, and what its clips are measured with."""

    shot: TrialShot
    surface: Mapping[int, tuple[Matches, ...]]  # by lag
    part: NDArray[np.uint8]
    followed: FollowedPoints
    lambert: NDArray[np.float32]
    floor: float | None  # of a steady texture, lag 1, over its sharpness


def missing_keys(plan: MethodsPlan, store: CellStore[MethodCell]) -> list[CellKey]:
    """The cells that are not there, or were made with other settings."""
    current = {row.label: plan.made_by(row) for row in plan.rows}
    keys = (key for shot in plan.shots for key in plan.keys(shot))
    return [key for key in keys if key not in store.cells or store.cells[key].made_by != current[key.row]]


def missing_steps(plan: MethodsPlan, store: CellStore[MethodCell]) -> int:
    """Denoising steps of all cells that are missing."""
    steps = {row.label: plan.steps_of(row) for row in plan.rows}
    return sum(steps[key.row] for key in missing_keys(plan, store))


def run_cells(plan: MethodsPlan, store: CellStore[MethodCell], advance: Advance) -> None:
    """Compute every missing cell and store each as it ends, the first seed's pictures too.

    Raises what stopped it; what was stored stays.
    """
    body, missing = load_training_body(), missing_keys(plan, store)
    if any(_ROWS[key.row].method is not None for key in missing):
        prepare_engine(plan.model, ModelFiles())  # so that no clip's seconds have it
    for shot in plan.shots:
        keys = [key for key in missing if key.scene == shot]
        if keys:
            measured = _measured(plan, body, shot)
            for key in keys:
                cell, pictures = _cell(plan, measured, key, advance)
                if key.seed == 0:
                    store.keep_strip(key, pictures)
                store.add(cell)


def _measured(plan: MethodsPlan, body: TrainingBody, number: int) -> _Measured:
    motion, scene = shot_of(number)
    shot = render_trial_shot(body, motion.sample, scene, plan.frames, number, motion.staging)
    passes, index = shot.passes, chart_index(shot.passes.charts)
    surface = {
        lag: tuple(match_surface(passes, index, k, k - lag, *passes.size) for k in range(lag, plan.frames))
        for lag in LAGS
        if lag < plan.frames
    }
    chosen, part = points_to_follow(passes, index), passes.parts(passes.positions)
    texture = textured_render(passes, index)
    steady, sharp = h_mse(texture, surface[1]).mean, sharpness(texture, part).mean
    return _Measured(
        shot,
        surface,
        part,
        follow_points(passes, index, chosen),
        lambert_light(passes, index, chosen.points),
        steady / sharp if steady is not None and sharp else None,
    )


def _cell(plan: MethodsPlan, measured: _Measured, key: CellKey, advance: Advance) -> tuple[MethodCell, Pictures]:
    """One clip, measured, and its pictures."""
    row, shot = _ROWS[key.row], measured.shot
    if row.method is None:
        pictures, seconds, segment_frames = shot.renders, None, plan.frames
    else:
        job = plan.job(row, shot.prompt, key.seed)
        segment_frames = job.segment_frames
        since = time.monotonic()
        pictures = _clip(job, shot, Callbacks(lambda step, of, x0: advance(key, 1)))
        seconds = time.monotonic() - since
    lags = {lag: h_mse(pictures, matches, lag=lag) for lag, matches in measured.surface.items()}
    sharp = sharpness(pictures, measured.part).mean
    seam, behind = seam_ratio(lags[1], segment_frames), background_change(pictures, shot.passes)
    cell = MethodCell(
        key=key,
        prompt=shot.prompt,
        made_by=plan.made_by(row),
        surface_1=lags[1].mean,
        surface_4=_mean(lags.get(4)),
        surface_8=_mean(lags.get(8)),
        floor_1=None if measured.floor is None or sharp is None else measured.floor * sharp,
        across_seams=None if seam is None else seam.across,
        inside_segments=None if seam is None else seam.inside,
        sharpness=sharp,
        slope=shading(pictures, measured.part, measured.followed, measured.lambert).slope,
        mask_iou=mask_iou(pictures, measured.part).mean,
        background=None if behind is None else behind.mean,
        seconds=seconds,
    )
    return cell, pictures


def _mean(found: HMse | None) -> float | None:
    return None if found is None else found.mean


def _clip(job: Job, shot: TrialShot, watch: Callbacks) -> Pictures:
    """The job's pictures (frames, height, width, 3), segment after segment."""
    engine: Engine = open_engine(job, shot.passes)
    batches, carried = engine.plan(), NOTHING_CARRIED
    pictures: list[NDArray[np.uint8]] = []
    for start, stop in segment_spans(len(job.frames), job.segment_frames):
        segment = Segment(start, stop)
        result = engine.sample(segment, carried, batches, watch)
        pictures += engine.decode(segment, result.latents, range(start, stop), result.memory)
        carried = result.carried
    return np.stack(pictures)
