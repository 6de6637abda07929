"""A clause into one of the actions that a motion model knows, or a sentence that says that it does not know it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from backend.words.action_row import DOUBTFUL
from backend.words.action_words import ACTION_WORDS
from backend.words.encoder import INSTALL, Encoder
from backend.words.other_words import OTHERS
from backend.words.stems import place_of, stem, words_of
from shared.errors import InputError

# Set on texts of `tests/data` that are not in the tables: unknown verbs stay below it.
ACTION_FLOOR = 0.6
_OUTDONE = 0.8  # a phrase so near counts more than a doubtful word
_NEAREST = 3  # actions that a refusal names as near

_DETERMINERS = frozenset(
    "a an the this that some two three one my his her our their ein eine einen der die das dieser un une "
    "le la les l".split()
)
_PRONOUNS = frozenset(
    "he she they it i we you someone somebody person man woman er sie es man wir ich il elle "
    "ils elles on nous je".split()
)
_HELPERS = frozenset(
    "is are was be being begins begin starts start to keeps keep goes on does a will quickly now also again himself "
    "herself themselves beginnt fängt an zu commence continue à se s".split()
)
# What comes behind these is where, to whom or with what, and seldom the action.
_TAIL = frozenset(
    "to in on at across through from toward towards into onto over under around behind beside near past along against "
    "with for by like nach auf im in zum zur durch über mit wie dans sur vers avec à au par comme".split()
)
_LONGEST_SUBJECT = 5  # words
_PARTICLES = "がは"  # behind a Japanese subject


# What each action that a model knows is called in the texts that it was trained with.
Known = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Named:
    """An action, and how sure it is: 1 for a word of the table, else the likeness to the nearest phrase."""

    action: str
    likeness: float
    phrase: str


def name_action(clause: str, known: Known, encoder: Encoder | None) -> Named | None:
    """The action that a clause is most alike, of all rows of the table; None below the floor or without a known word.

    Words that leave no doubt come first, so that a text with one is read alike with and without the encoder.
    """
    found = _by_rules(clause)
    if found is not None and (encoder is None or not found.phrase.startswith(DOUBTFUL)):
        return replace(found, phrase=found.phrase.removeprefix(DOUBTFUL))
    if encoder is None:
        return None
    best = nearest_actions(clause, known, encoder)[0]
    if found is not None and best.likeness < _OUTDONE:
        return replace(found, phrase=found.phrase.removeprefix(DOUBTFUL))
    return best if best.likeness >= ACTION_FLOOR else None


def choose_action(clause: str, side: str | None, known: Known, encoder: Encoder | None) -> Named:
    """The action of a clause among those that a model knows. Raises InputError where it knows none for it."""
    named = name_action(clause, known, encoder)
    if named is not None and (action := _of_model(named.action, side, known)) is not None:
        return replace(named, action=action)
    near = [one.action for one in nearest_actions(clause, known, encoder) if one.action in known] if encoder else []
    nearest = f" Nearest are {_listed(near[:_NEAREST])}." if near else ""
    hint = f"It knows: {_listed(sorted(known))}." + ("" if encoder else f" For more words run: {INSTALL}")
    raise InputError(
        "motion.unknown_action", f'The embedded motion model knows no action for "{clause}".{nearest}', hint
    )


def _of_model(action: str, side: str | None, known: Known) -> str | None:
    """A model's own name for an action: it may have one for each side, such as `turn_left` and `turn_right`."""
    if action in known:
        return action
    sided = f"{action}_{side if side in ('left', 'right') else 'left'}"
    return sided if sided in known else None


def nearest_actions(clause: str, known: Known, encoder: Encoder) -> list[Named]:
    """All actions of the table by likeness, the most alike first."""
    candidates = list(dict.fromkeys(_candidates(clause)))
    rows = [(name, phrase) for name in (*ACTION_WORDS, *OTHERS) for phrase in _examples(name, known)]
    likeness = encoder.likeness(candidates, [phrase for _, phrase in rows]).max(axis=0)
    best: dict[str, Named] = {}
    for (name, phrase), value in zip(rows, likeness, strict=True):
        if name not in best or value > best[name].likeness:
            best[name] = Named(name, float(value), phrase)
    return sorted(best.values(), key=lambda named: (-named.likeness, named.action))


def _examples(name: str, known: Known) -> Iterator[str]:
    """What the encoder compares with."""
    if name in OTHERS:
        yield from OTHERS[name]
        return
    row = ACTION_WORDS[name]
    yield from (rule.removeprefix(DOUBTFUL) for rule in row.rules)
    yield from row.phrases
    for action in (name, f"{name}_left", f"{name}_right"):
        yield from map(without_subject, known.get(action, ()))


def spans_words(piece: str, following: str) -> bool:
    """Whether two pieces say together what neither says alone, as "walks up and down" does."""
    both = _by_rules(f"{piece} and {following}")
    alone = [len(one.phrase.split()) for one in map(_by_rules, (piece, following)) if one is not None]
    return both is not None and len(both.phrase.split()) > max(alone, default=1)


def _by_rules(clause: str) -> Named | None:
    """The action with the longest rule that the clause holds; of equally long ones the surer, then the first."""
    stems = [stem(word) for word in _verb_and_after(words_of(clause))]
    found = [
        (-len(pattern), rule.startswith(DOUBTFUL), place, name, rule)
        for name, row in ACTION_WORDS.items()
        for rule, pattern in zip(row.rules, row.patterns, strict=True)
        if (place := place_of(pattern, stems)) is not None
    ]
    if not found:
        return None
    _, _, _, name, rule = min(found)
    return Named(name, 1.0, rule)


def _verb_and_after(words: list[str]) -> list[str]:
    """The words without the noun of a subject: "a guard" is not somebody who guards."""
    return words[2:] if len(words) > 2 and words[0] in _DETERMINERS else words


def without_subject(phrase: str) -> str:
    """An English phrase without "a person", "someone" and the like."""
    words = words_of(phrase)
    start = 2 if len(words) > 2 and words[0] in _DETERMINERS else int(len(words) > 1 and words[0] in _PRONOUNS)
    return " ".join(_acting(words[start:]))


def _acting(words: list[str]) -> list[str]:
    while len(words) > 1 and words[0] in _HELPERS:
        words = words[1:]
    return words


def _candidates(clause: str) -> Iterator[str]:
    """The clause without the words that may be its subject, whole and without where and with what it is done."""
    for particle in _PARTICLES:
        if particle in clause:
            yield clause.split(particle, 1)[1]
    words = words_of(clause)
    yield " ".join(words)
    for start in _starts(words):
        rest = _acting(words[start:])
        if rest:
            yield " ".join(rest)
            cut = next((at for at, word in enumerate(rest) if at and word in _TAIL), len(rest))
            yield " ".join(rest[:cut])


def _starts(words: Sequence[str]) -> Iterator[int]:
    """Where the verb may stand."""
    yield 0
    if words and words[0] in _DETERMINERS:
        yield from range(2, min(_LONGEST_SUBJECT, len(words) - 1) + 1)
    elif words and words[0] in _PRONOUNS:
        yield 1


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)
