"""What the motion generator asks of a motion model: a text and what is known of the motion in, features out.

Features are HumanML3D's 263 a frame, 20 frames a second, normalised by the model's own statistics.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from torch import Generator

from shared.motion.humanml.statistics import Statistics

Features = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class MotionModelFacts:
    """What the generator plans with.

    `longest` frames fit into one call, `context` frames of what was made before are put in front of the next call. A
    model that is `paced` takes these and no more, and makes at most `longest - context` frames after them; other models
    may see more of what is known around.
    """

    label: str
    longest: int
    context: int
    paced: bool
    steps: int  # denoising steps of a call
    guidance_scale: float  # what the model was made for
    source: str = ""  # the files, for the record
    notes: tuple[str, ...] = ()  # sentences for the user about these files


@dataclass(frozen=True, slots=True)
class SpokenClause:
    """A part of a text with a time of its own, as a model reads it."""

    text: str
    seconds: float | None = None  # what the text says or the action takes; None: whatever there is
    note: str = ""  # how it was understood, for the user; empty where there is nothing to say


@dataclass(frozen=True, slots=True, eq=False)
class KnownFeatures:
    """Features that are given, bit for bit."""

    values: Features  # (frames, 263) normalised; anything where the mask is false
    mask: Mask  # (frames, 263)


@dataclass(frozen=True, slots=True, eq=False)
class MotionAsk:
    """One call."""

    text: str
    frames: int
    guidance_scale: float
    known: KnownFeatures | None = None


class MotionModel(Protocol):
    """A motion model, opened."""

    @property
    def facts(self) -> MotionModelFacts:
        """What the generator plans with."""
        ...

    @property
    def statistics(self) -> Statistics:
        """What its features are normalised by."""
        ...

    def read(self, text: str) -> tuple[SpokenClause, ...]:
        """The text's clauses, one after the other in time; one clause where the model reads texts whole.

        Raises InputError for a text that the model cannot make anything of.
        """
        ...

    def generate(self, ask: MotionAsk, noise: Generator, after_step: Callable[[int], None]) -> Features:
        """The motion's features (frames, 263), normalised.

        `noise` is a generator on the CPU. `after_step` hears after each step how many are done, and may raise to stop.
        Where the ask's mask is true, the result has the ask's values bit for bit. Raises JobError for values that are
        not finite.
        """
        ...
