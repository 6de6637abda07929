"""A motion from clauses: window after window, around what is known, and back to the place of the keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from backend.contract.motion_model import Features, KnownFeatures, MotionAsk, MotionModel
from backend.motion.edits import EditedClip
from backend.motion.path import Bend, bend_to_keys, place_by_first_key
from backend.motion.windows import Clause, plan_windows
from shared.errors import CancelledError
from shared.motion.humanml.decode import decode
from shared.motion.humanml.encode import Placement
from shared.motion.humanml.layout import FEATURE_COUNT, STEP, TURN

Array = npt.NDArray[np.float64]
_TELLING_SHIFT_M = 0.005
_TELLING_TURN_DEG = 0.5


@dataclass(frozen=True, slots=True)
class Watch:
    """Who looks on: hears of steps done out of all, and says whether to stop."""

    progress: Callable[[int, int], None] = lambda _done, _steps: None
    cancelled: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A motion that a model made."""

    features: Features  # (frames, 263) normalised; where something was known, bit for bit that
    positions: Array  # (frames, 22, 3) metres, Y up, where the clip stands
    placement: Placement
    notes: tuple[str, ...]


def make_motion(
    model: MotionModel,
    clauses: Sequence[Clause],
    *,
    seed: int = 0,
    guidance_scale: float | None = None,
    known: KnownFeatures | None = None,
    source: EditedClip | None = None,
    watch: Watch = Watch(),
) -> Made:
    """The motion of clauses that follow each other. Equal inputs give equal motions on equal machines.

    `known` is what stays of the clip `source`. Raises CancelledError soon after the watch says so, JobError where the
    model fails.
    """
    frames = clauses[-1].stop
    features = np.zeros((frames, FEATURE_COUNT), dtype=np.float32)
    mask = np.zeros(features.shape, dtype=bool)
    if known is not None:
        features[known.mask], mask = known.values[known.mask], known.mask.copy()
    windows = plan_windows(~mask.all(axis=1), clauses, model.facts)
    noise = torch.Generator().manual_seed(seed)
    scale = model.facts.guidance_scale if guidance_scale is None else guidance_scale
    for number, window in enumerate(windows):
        part = slice(window.start, window.stop)
        given = KnownFeatures(features[part].copy(), mask[part].copy())
        ask = MotionAsk(window.text, window.stop - window.start, scale, given if given.mask.any() else None)
        made = model.generate(ask, noise, _stepped(watch, number, len(windows), model.facts.steps))
        features[part] = np.where(mask[part], features[part], made)
        mask[part] = True  # and given to the windows after it
    return _finished(model, features, known, source)


def _stepped(watch: Watch, number: int, windows: int, steps: int) -> Callable[[int], None]:
    def after_step(done: int) -> None:
        if watch.cancelled():
            raise CancelledError("motion.cancelled", "The motion was cancelled.")
        watch.progress(number * steps + done, windows * steps)

    return after_step


def _finished(model: MotionModel, features: Features, known: KnownFeatures | None, source: EditedClip | None) -> Made:
    placement = Placement() if source is None else source.placement
    notes: tuple[str, ...] = ()
    whole = model.statistics.restored(features)
    if known is not None and source is not None:
        kept = known.mask[:, TURN] & known.mask[:, STEP].all(axis=1)
        reference = whole.copy()
        count = min(len(source.features), len(whole))
        reference[:count] = model.statistics.restored(source.features[:count])
        whole, bends = bend_to_keys(whole, reference, kept)
        for bend in bends:
            part = slice(bend.start, bend.stop)
            features[part] = np.where(known.mask[part], features[part], model.statistics.normalised(whole[part]))
        notes = tuple(filter(None, map(_told, bends)))
        placement = place_by_first_key(whole, reference, kept, placement)
    positions = placement.back(decode(model.statistics.restored(features)))
    return Made(features, positions, placement, notes)


def _told(bend: Bend) -> str:
    """What an animator is told of a bent path; empty where it cannot be seen."""
    if bend.shift_m < _TELLING_SHIFT_M and abs(bend.turn_deg) < _TELLING_TURN_DEG:
        return ""
    return (
        f"Frames {bend.start} to {bend.stop - 1} were moved by up to {100.0 * bend.shift_m:.0f} cm and turned by up to "
        f"{abs(bend.turn_deg):.0f} degrees to meet the keys after them, so feet may slide there."
    )
