"""Held-out texts made by the model: what the words were read as, what a judge sees, and how the feet behave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.make.motion.library.table import ACTIONS
from backend.make.motion.training.clips import ClipStore
from backend.make.motion.training.judge import Judge
from backend.measure.motion.free_texts import FREE_TEXTS
from backend.measure.motion.physics import Physics, physics_of
from backend.motion.embedded.model import EmbeddedMotionModel
from backend.motion.generate import make_motion
from backend.motion.timing import timed
from backend.words.reading import read_clause
from shared.errors import InputError
from shared.motion.humanml.decode import decode


@dataclass(frozen=True, slots=True)
class TextResult:
    """One text: the action that it means, the one that was read, and the one that the judge sees."""

    text: str
    wanted: str
    read: str  # empty where the words were refused
    seen: str
    physics: Physics | None


def held_out_texts(model: EmbeddedMotionModel) -> list[tuple[str, str]]:
    """Texts and the actions that they mean: the library's held-out phrases and free ones, of actions of the model."""
    known = model.config.by_name
    phrases = [(text, action.name) for action in ACTIONS for text in action.held_out]
    return [(text, action) for text, action in (*phrases, *FREE_TEXTS) if action in known]


def result_of(
    model: EmbeddedMotionModel, judge: Judge, text: str, wanted: str, seed: int, guidance_scale: float | None = None
) -> TextResult:
    """What the model makes of a text."""
    phrases = {action.name: action.phrases for action in model.config.actions}
    try:
        read = read_clause(text, phrases, model.config.styles).action
        made = make_motion(model, timed(model, [text]).clauses, seed=seed, guidance_scale=guidance_scale)
    except InputError:
        return TextResult(text, wanted, "", "", None)
    features = model.statistics.restored(made.features)
    (seen,) = judge.name([features.astype(np.float32)])
    return TextResult(text, wanted, read, seen, physics_of(decode(features)))


def physics_of_store(store: ClipStore) -> list[Physics]:
    """The library's own figures, on the skeleton of the features."""
    return [physics_of(decode(features)) for features in store.features]
