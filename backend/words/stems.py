"""Words of a text and their stems, so that "waves", "waved" and "waving" are one word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+(?:[.,]\d+)?", re.UNICODE)
_VOWELS = "aeiouy"
_IRREGULAR = {
    "ran": "run", "sat": "sit", "stood": "stand", "threw": "throw", "thrown": "throw", "caught": "catch",
    "fell": "fall", "fallen": "fall", "went": "go", "goes": "go", "gone": "go", "knelt": "kneel", "crept": "creep",
    "swung": "swing", "swam": "swim", "drank": "drink", "ate": "eat", "lay": "lie", "lying": "lie", "lies": "lie",
    "spun": "spin", "leapt": "leap", "bent": "bend", "took": "take", "held": "hold", "shook": "shake",
    "struck": "strike",
    "does": "do", "did": "do", "done": "do", "rose": "rise", "fought": "fight", "rode": "ride", "slept": "sleep",
    "dying": "die", "got": "get", "put": "put", "hit": "hit", "wept": "weep", "flung": "fling", "sprang": "spring",
}  # fmt: skip


def words_of(text: str) -> list[str]:
    """The words and numbers of a text in lower case."""
    return _WORD.findall(text.lower().replace("\u2019", "'"))


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """A word without its English ending. Words of other languages may lose an ending too: so do those of the tables."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    for ending, least in (("ingly", 4), ("ing", 3), ("ied", 2), ("ies", 2), ("ed", 3), ("es", 3), ("s", 3)):
        if word.endswith(ending) and len(word) - len(ending) >= least and not word.endswith(("ss", "us", "is")):
            base = word[: -len(ending)]
            if ending in ("ied", "ies"):
                return base + "y"
            return _without_e(base)
    return _without_e(word)


def stems_of(text: str) -> list[str]:
    """The stems of a text's words in order."""
    return [stem(word) for word in words_of(text)]


def _without_e(base: str) -> str:
    """`stepp` is `step`, `wave` is `wav` as `waving` is: an ending e and a doubled last letter go."""
    if len(base) > 3 and base.endswith("e"):
        base = base[:-1]
    if len(base) > 3 and base[-1] == base[-2] and base[-1] not in _VOWELS + "sl":
        return base[:-1]
    return base


def place_of(pattern: Sequence[str], stems: Sequence[str], gap: int = 2) -> int | None:
    """Where a pattern's stems stand in order, at most `gap` other words between two; None where they do not."""
    for start, first in enumerate(stems):
        if first != pattern[0]:
            continue
        at = start
        for wanted in pattern[1:]:
            following = stems[at + 1 : at + 2 + gap]
            if wanted not in following:
                break
            at += 1 + following.index(wanted)
        else:
            return start
    return None
