"""What an action of the library is, and what may vary about it."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from backend.make.motion.puppet import Controls
from shared.errors import InputError

PoseKind = Literal["stand", "seated", "kneeling", "floor"]
Feet = Literal["planted", "stepping", "airborne"]

SPEEDS: Final = (0.7, 1.4)
AMPLITUDES: Final = (0.6, 1.4)

ALL_STYLES: Final = (
    "neutral", "happy", "sad", "tired", "proud", "angry", "old", "drunk", "sneaky", "elegant", "robot", "scared",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Variation:
    """One way to do an action. Raises InputError if the style is unknown or a number is out of its range."""

    style: str = "neutral"
    speed: float = 1.0  # 0.7 .. 1.4, of the action's own tempo
    amplitude: float = 1.0  # 0.6 .. 1.4: how far it reaches, strides or rises
    mirrored: bool = False  # left for right, in actions whose words stay true then
    seed: int = 0  # small differences of posture, timing and direction
    seconds: float | None = None  # a loop fills them, a single action waits out the rest; None: as long as it takes

    def __post_init__(self) -> None:
        if self.style not in ALL_STYLES:
            raise InputError(
                "training.style", f"There is no style {self.style!r}.", f"Choose one of {', '.join(ALL_STYLES)}."
            )
        for name, value, (low, high) in (("speed", self.speed, SPEEDS), ("amplitude", self.amplitude, AMPLITUDES)):
            if not low <= value <= high:
                raise InputError("training.variation", f"The {name} {value} is not in {low} to {high}.", "Change it.")
        if self.seconds is not None and not 0.5 <= self.seconds <= 60.0:
            raise InputError("training.variation", f"A clip of {self.seconds} s cannot be made.", "Use 0.5 to 60 s.")

    def random(self, salt: str) -> np.random.Generator:
        """The random numbers of this seed for one purpose, the same on every machine."""
        return np.random.default_rng((self.seed, zlib.crc32(salt.encode())))

    def length(self, own_s: float) -> float:
        """Seconds of the action's own time that a loop plays to fill the clip; `own_s` where no length is asked for."""
        return own_s if self.seconds is None else self.seconds * self.speed


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a person does: the words for it and its movement."""

    name: str
    phrases: tuple[str, ...]  # at least six, "a person ..."
    held_out: tuple[str, ...]  # at least two more, which no training sees
    controls: Callable[[Variation], Controls]  # from HOME's stance at the origin, facing +Z, at 20 frames a second
    loops: bool = False  # it fills the seconds that it is given; otherwise it happens once
    feet: Feet = "planted"
    start: PoseKind = "stand"
    end: PoseKind = "stand"
    mirrors: bool = True  # its phrases stay true left for right
    free_arms: bool = True  # the arms only hang or swing, so that a style may move them
    styles: tuple[str, ...] = ALL_STYLES
    close_hands: bool = False  # the hands are meant to touch the body or each other
