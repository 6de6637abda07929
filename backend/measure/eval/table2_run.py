"""Run the cells of the paper's Table 2 that are not there yet, on shots rendered without Blender."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from backend.contract.values import NOTHING_CARRIED, Callbacks, SampleSettings, Segment
from backend.loop.engine import FrameEngine
from backend.loop.method import FrameMethod
from backend.loop.model import pictures_of
from backend.make.training.judging.trial_shot import TrialShot, render_trial_shot
from backend.make.training.renders.figure import TrainingBody, load_training_body
from backend.measure.eval.cell_store import Cell, CellKey, CellStore
from backend.measure.eval.table2_plan import BASELINES, ROWS, SCENES, Row, Table2Plan
from backend.measure.metrics.consistency import ConsistencyMatches, consistency, consistency_matches
from backend.methods.latentman.matches import LatentManMatches
from backend.methods.latentman.method import BASELINES as BASELINE_METHODS
from backend.methods.latentman.method import LatentMan
from backend.methods.latentman.shot_matcher import latentman_matches
from backend.models.sd15.components import Components
from backend.models.sd15.decode import decode_frames
from backend.models.sd15.model import StableDiffusion
from backend.models.sd15.text import encode_prompt
from backend.passes.shot_passes import depth_pictures
from shared.methods.latentman import Baseline

LAGS = (1, 4)

Advance = Callable[[CellKey, int], None]
"""Called with the cell at hand and the steps done since the last call."""

_ROWS: Mapping[str, Row] = MappingProxyType({row.name: row for row in ROWS})
_BASELINES: Mapping[str, Baseline] = MappingProxyType({name: name for name in BASELINES})


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """A scene's shot, its matches for every baseline, and what its clips are measured with."""

    shot: TrialShot
    matches: Mapping[Baseline, LatentManMatches]
    measure: ConsistencyMatches


def missing_steps(plan: Table2Plan, store: CellStore[Cell]) -> int:
    """Denoising steps of all cells that are not there yet."""
    keys = (key for scene in range(plan.prompts) for key in plan.keys(scene))
    return sum(plan.steps_of(_BASELINES[key.baseline]) for key in keys if key not in store.cells)


def run_cells(plan: Table2Plan, components: Components, store: CellStore[Cell], advance: Advance) -> None:
    """Compute every missing cell and store each as it ends, the first seed's pictures too.

    Raises what stopped it; what was stored stays.
    """
    body = load_training_body()
    for scene in range(plan.prompts):
        missing = [key for key in plan.keys(scene) if key not in store.cells]
        if missing:
            measured = _measured(plan, components, body, scene)
            for key in missing:
                cell, pictures = _cell(plan, components, measured, key, advance)
                if key.seed == 0:
                    store.keep_strip(key, pictures)
                store.add(cell)


def _measured(plan: Table2Plan, components: Components, body: TrainingBody, scene: int) -> _Measured:
    motion, shown = SCENES[scene]
    shot = render_trial_shot(body, motion, shown, plan.frames, scene)
    height, width = shot.passes.size
    matches = {}
    for baseline in BASELINES:
        settings = plan.settings(baseline, _ROWS["+SLA +PWG"])
        found = latentman_matches(shot.passes, settings, components.latent_factor)
        matches[baseline] = LatentManMatches(list(found.latent), list(found.guidance))
    measure = consistency_matches(shot.passes, height, width, lags=LAGS, assignment_lags=(1,))
    return _Measured(shot, matches, measure)


def _cell(
    plan: Table2Plan, components: Components, measured: _Measured, key: CellKey, advance: Advance
) -> tuple[Cell, NDArray[np.uint8]]:
    """One clip, measured, and its pictures."""
    baseline, row = _BASELINES[key.baseline], _ROWS[key.row]
    if row.align or row.guide:
        settings, parts = plan.settings(baseline, row), measured.shot.passes.parts
        method: FrameMethod = LatentMan.with_matches(settings, measured.matches[baseline], parts)
    else:
        method = BASELINE_METHODS[baseline]
    since = time.monotonic()
    pictures = _sample(plan, components, method, measured.shot, key, advance)
    seconds = time.monotonic() - since
    found = consistency(pictures, measured.shot.passes, measured.measure)
    lags = {part.lag: part.mean for part in found.surface}
    cell = Cell(
        key=key,
        prompt=measured.shot.prompt,
        h_mse=found.h_mse.mean,
        surface_1=lags[1],
        surface_4=lags.get(4),
        surface_variance=found.surface_variance.mean,
        warp_error=found.warp_error.mean,
        body_variance=found.body_variance.mean,
        background=found.background_mean,
        h_mse_released=found.h_mse_released,
        sharpness=found.sharpness.mean,
        seconds=seconds,
    )
    return cell, pictures


def _sample(
    plan: Table2Plan, components: Components, method: FrameMethod, shot: TrialShot, key: CellKey, advance: Advance
) -> NDArray[np.uint8]:
    """The clip's pictures, (frames, height, width, 3)."""
    depth = depth_pictures(shot.passes, shot.passes.positions)
    steps = plan.steps_of(_BASELINES[key.baseline])
    settings = SampleSettings(steps, plan.guidance_scale, 1.0, key.seed, *depth.shape[1:])
    prompt = encode_prompt(components, shot.prompt, "")
    watch = Callbacks(lambda step, of, x0: advance(key, 1))
    engine = FrameEngine(StableDiffusion(components, prompt), method, pictures_of(depth), settings)
    result = engine.sample(Segment(0, len(depth)), NOTHING_CARRIED, callbacks=watch)
    return decode_frames(components, result.latents)
