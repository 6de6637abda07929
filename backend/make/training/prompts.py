"""The prompt grammar: `[article] [colour] character [action] [place] [filler]`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from backend.make.training.renders.characters import CHARACTERS
from backend.make.training.renders.paint import COLOURS
from backend.make.training.renders.places import PLACES
from backend.words.picture_grammar import ACTION_WORDS, CHARACTER_WORDS, COLOUR_SYNONYMS, PLACE_WORDS

EMPTY_SHARE = 0.10
COLOUR_SHARE = 0.5

COLOUR_WORDS: dict[str, tuple[str, ...]] = {name: (name,) for name in COLOURS} | COLOUR_SYNONYMS
OPENINGS = ("a photo of", "a picture of", "an image of", "a video of")
FILLERS = ("high quality", "best quality", "detailed", "sharp", "beautiful", "cinematic", "realistic")
# Words that occur in a user's prompt beside the grammar; they are single tokens that mean nothing to the model.
OTHER_WORDS = (
    "a an the of and with at to from his her its on in by is are very big small old young tall happy sad cool "
    "man woman person boy girl character figure wearing suit costume color colour background style blurry low bad ugly"
).split()


@dataclass(frozen=True, slots=True)
class Scene:
    """What a picture shows, by name; `colour` is None where the prompt leaves it open."""

    character: str
    colour: str | None
    action: str
    place: str


def random_scene(rng: Generator, action: str) -> Scene:
    """A random scene; the robot and the moon come half as often again as the others."""
    names, places = [*CHARACTERS, "robot"], [*PLACES, "moon"]
    character = names[rng.integers(len(names) - int(rng.random() < 0.5))]
    place = places[rng.integers(len(places) - int(rng.random() < 0.5))]
    colour = str(rng.choice(list(COLOURS))) if rng.random() < COLOUR_SHARE else None
    return Scene(character, colour, action, place)


@dataclass(frozen=True, slots=True)
class Mention:
    """What a prompt says of a scene; None where it is silent."""

    character: str | None
    colour: str | None
    action: str | None
    place: str | None


SILENCE = Mention(None, None, None, None)


def choose_mention(rng: Generator, scene: Scene) -> Mention:
    """It may leave out the action or the place, and says nothing at all in a tenth of the cases."""
    if rng.random() < EMPTY_SHARE:
        return SILENCE
    action = scene.action if rng.random() < 0.75 else None
    return Mention(scene.character, scene.colour, action, scene.place if rng.random() < 0.93 else None)


def describe(rng: Generator, scene: Scene) -> str:
    """A prompt for a scene."""
    return phrase(rng, choose_mention(rng, scene))


def phrase(rng: Generator, mention: Mention) -> str:
    """A mention in words, now and then among words that mean nothing to the model."""
    if mention == SILENCE:
        return ""
    words: list[str] = []
    if mention.colour is not None:
        words.append(str(rng.choice(COLOUR_WORDS[mention.colour])))
    if mention.character is not None:
        words.append(str(rng.choice(CHARACTER_WORDS[mention.character])))
    if words and rng.random() < 0.85:
        words.insert(0, str(rng.choice(["the", _article(words[0]), _article(words[0])])))
    if rng.random() < 0.12:
        words.insert(0, str(rng.choice(OPENINGS)))
    if mention.action is not None:
        words.append(str(rng.choice(ACTION_WORDS[mention.action])))
    if mention.place is not None:
        words.append(str(rng.choice(PLACE_WORDS[mention.place])))
    for _ in range(int(rng.integers(1, 4)) if rng.random() < 0.15 else 0):
        words.insert(int(rng.integers(len(words) + 1)), str(rng.choice(OTHER_WORDS)))
    prompt = " ".join(words)
    for filler in rng.permutation(FILLERS)[: int(rng.integers(1, 4)) if rng.random() < 0.12 else 0]:
        prompt += f", {filler}"
    return prompt


def all_words() -> tuple[str, ...]:
    """Every word of the grammar, sorted, each once."""
    groups = (CHARACTER_WORDS, ACTION_WORDS, PLACE_WORDS, COLOUR_WORDS)
    phrases = [phrase for group in groups for entries in group.values() for phrase in entries]
    phrases += [*OPENINGS, *FILLERS, *OTHER_WORDS]
    return tuple(sorted({word for phrase in phrases for word in phrase.split()} | {","}))


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def rng_for(seed: int, index: int) -> Generator:
    """The random stream of item `index`, independent of how work is shared out."""
    return np.random.default_rng([seed, index])
