"""Free words of a prompt into words that the embedded picture model knows: "a paladin" is drawn as a knight.

Words beside the grammar's come from the table; the encoder, where it is installed, extends it. Other models read
prompts themselves: this is for the embedded one alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from backend.words.encoder import Encoder
from backend.words.picture_grammar import ACTION_WORDS, CHARACTER_WORDS, COLOUR_SYNONYMS, PLACE_WORDS

# By the grammar's own word, further words for it.
_CHARACTERS: Mapping[str, str] = MappingProxyType(
    {
        "robot": "cyborg droid automaton mech humanoid bot",
        "astronaut": "spacewoman taikonaut spacefarer",
        "superhero": "superheroine superman batman superwoman heroine avenger",
        "ninja": "samurai shinobi assassin ronin fighter",
        "skeleton": "skull zombie undead skeletons mummy ghoul",
        "clown": "harlequin joker buffoon mime",
        "firefighter": "firewoman builder miner",
        "knight": "paladin templar gladiator viking cavalier squire ritter chevalier caballero centurion king",
        "wizard": "magician sorceress witch warlock druid merlin enchanter necromancer monk",
        "ballerina": "queen mermaid bride fairy acrobat gymnast",
        "alien": "extraterrestrial monster goblin creature mutant",
        "pirate": "buccaneer corsair sailor privateer",
        "trooper": "policeman marine guard stormtroopers paratrooper commando",
        "cowboy": "cowgirl gunslinger outlaw farmer",
        "footballer": "goalkeeper striker runner soccer quarterback boxer",
        "santa": "nicholas",
    }
)
_PLACES: Mapping[str, str] = MappingProxyType(
    {
        "moon": "mars asteroid saturn",
        "space": "orbit cosmos nebula",
        "beach": "seaside shore coast island waterfront plage strand",
        "desert": "sahara wasteland",
        "mountains": "alps glacier himalaya volcano mountain arctic",
        "forest": "rainforest grove wald bois",
        "city": "metropolis skyscrapers tokyo london paris manhattan",
        "street": "highway avenue alley lane pavement",
        "stage": "theatre opera catwalk",
        "field": "lawn garden pasture stadium prairie",
        "studio": "backdrop room",
        "disco": "club ballroom party",
    }
)
_COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "red": "crimson scarlet ruby maroon rot rouge",
        "orange": "amber tangerine",
        "yellow": "lemon gelb jaune",
        "green": "emerald lime olive vert",
        "turquoise": "teal aquamarine",
        "blue": "navy azure cobalt blau bleu",
        "purple": "lilac lavender magenta lila",
        "pink": "rose fuchsia rosa",
        "brown": "chestnut bronze copper braun",
        "white": "ivory weiss blanc",
        "grey": "ashen slate grau",
        "black": "ebony jet schwarz noir",
        "silver": "chrome steel",
        "gold": "gilded goldener",
    }
)
_ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "standing": "stands idling waits",
        "walking": "walks hiking strolls marches sneaking tiptoeing limping",
        "running": "runs racing sprints jogs",
        "jumping": "jumps bouncing leaps skipping",
        "squatting": "squats kneeling sits crouches",
        "dancing": "dances twirling",
        "waving": "waves saluting waved",
        "kicking": "kicks punching boxing fights",
    }
)
_GRAMMAR = {
    "character": (CHARACTER_WORDS, _CHARACTERS),
    "colour": (COLOUR_SYNONYMS, _COLOURS),
    "action": (ACTION_WORDS, _ACTIONS),
    "place": (PLACE_WORDS, _PLACES),
}
# Likeness to the nearest word of a kind, for a word that no table has; and how much nearer it must be than the next.
_FLOOR, _LEAD = 0.62, 0.04
_LEAST_LETTERS = 4
_WORD = re.compile(r"[^\W\d_]+")
_BEFORE_PLACE = (
    r"(?:\b(?:in|on|at|by|near|inside|through|across|along|am|im|sur|dans|à)\s+(?:(?:the|a|an|der|dem|la|le|l')\s*)?)?"
)


@dataclass(frozen=True, slots=True)
class DrawnPrompt:
    """A prompt in the model's words, and what was changed, one sentence each."""

    prompt: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Meaning:
    kind: str
    name: str  # the grammar's own word


def drawn_prompt(prompt: str, grammar: frozenset[str], encoder: Encoder | None) -> DrawnPrompt:
    """The prompt with words that are not of the `grammar` replaced by those that are, where they mean such a one.

    A prompt that has a character, a place, ... of the grammar already keeps its other words: they describe it.
    """
    words = [found.group().lower() for found in _WORD.finditer(prompt)]
    taken = {meaning.kind for word in words if word in grammar and (meaning := _of_grammar(word)) is not None}
    notes = []
    for word in dict.fromkeys(words):
        if word in grammar or len(word) < _LEAST_LETTERS:
            continue
        meaning = _TABLE.get(word) or (None if encoder is None else _nearest(word, encoder))
        if meaning is None or meaning.kind in taken:
            continue
        taken.add(meaning.kind)
        prompt = _replaced(prompt, word, meaning)
        notes.append(f"{word.capitalize()} is drawn as {meaning.name}.")
    return DrawnPrompt(prompt, tuple(notes))


def _tables() -> tuple[dict[str, _Meaning], dict[str, _Meaning]]:
    """The meanings of the words beside the grammar, and of the grammar's own."""
    beside: dict[str, _Meaning] = {}
    own: dict[str, _Meaning] = {}
    for kind, (grammar, extra) in _GRAMMAR.items():
        for name, words in extra.items():
            beside |= {word: _Meaning(kind, name) for word in words.split()}
            own[name] = _Meaning(kind, name)
        for name, phrases in grammar.items():
            last = [phrase.split()[-1] for phrase in (name, *phrases)]
            own |= {word: _Meaning(kind, name) for word in last}
    return {word: meaning for word, meaning in beside.items() if word not in own}, own


_TABLE, _OWN = _tables()


def _of_grammar(word: str) -> _Meaning | None:
    return _OWN.get(word)


def _nearest(word: str, encoder: Encoder) -> _Meaning | None:
    """What a free word is most alike, above the floor and ahead of every other meaning."""
    examples = [*_OWN.items(), *_TABLE.items()]
    likeness = encoder.likeness([word], [example for example, _ in examples])[0]
    best: dict[_Meaning, float] = {}
    for (_, meaning), value in zip(examples, likeness, strict=True):
        best[meaning] = max(best.get(meaning, 0.0), float(value))
    first, second = sorted(best, key=lambda meaning: -best[meaning])[:2]
    return first if best[first] >= _FLOOR and best[first] - best[second] >= _LEAD else None


def _replaced(prompt: str, word: str, meaning: _Meaning) -> str:
    """The prompt with the word's first place given to the grammar's own words."""
    if meaning.kind == "place":
        phrase, before = PLACE_WORDS[meaning.name][0], _BEFORE_PLACE
    else:
        phrase, before = meaning.name, ""
    return re.sub(rf"{before}(?<!\w){re.escape(word)}(?!\w)", phrase, prompt, count=1, flags=re.IGNORECASE)
