"""What one instance of a character wears, and what a character is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from numpy.random import Generator

from backend.make.training.renders.figure import Landmarks, Mesh
from backend.make.training.renders.paint import BRIGHT, Painter, Rgb, shade_of, skin_tone

WHITE: Rgb = (0.95, 0.95, 0.95)
BLACK: Rgb = (0.06, 0.06, 0.08)
STEEL: Rgb = (0.62, 0.65, 0.70)
GOLD: Rgb = (0.90, 0.68, 0.15)


@dataclass(frozen=True, slots=True)
class Look:
    """What one instance of a character wears. Numbers in `dice` are uniform in 0..1 and belong to the character."""

    main: Rgb
    second: Rgb
    accent: Rgb
    skin: Rgb
    hair: Rgb
    dice: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Character:
    """How a character is painted, dressed, and coloured when the prompt names no colour."""

    paint: Callable[[Painter, Look], None]
    dress: Callable[[Landmarks, Look], list[Mesh]]
    usual: tuple[str, ...]
    seconds: tuple[str, ...] = BRIGHT
    accents: tuple[str, ...] = ("yellow", "turquoise", "red", "green", "orange")


def random_look(rng: Generator, character: Character, colour: str | None) -> Look:
    """A look whose main colour is `colour`, or one of the character's usual ones."""
    main = colour or str(rng.choice(character.usual))
    second = str(rng.choice([c for c in character.seconds if c != main]))
    accent = str(rng.choice([c for c in character.accents if c not in (main, second)]))
    hair = shade_of(rng, str(rng.choice(["black", "brown", "brown", "orange", "gold", "grey"])))
    dice = tuple(float(v) for v in rng.random(6))
    return Look(shade_of(rng, main), shade_of(rng, second), shade_of(rng, accent), skin_tone(rng), hair, dice)


def bare(marks: Landmarks, look: Look) -> list[Mesh]:
    """No clothes but paint."""
    return []
