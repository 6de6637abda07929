"""How an action is done: style, speed, side, seconds and count, by the words that say so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from backend.words.encoder import Encoder
from backend.words.stems import place_of, words_of

# Words of each style, each once; the encoder knows others by their likeness to these.
STYLE_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "happy": (
            "elatedly", "in high spirits",
            "happy", "happily", "joyful", "joyfully", "cheerfully", "cheerful", "merrily", "gladly",
            "excitedly", "glücklich",
            "fröhlich", "joyeusement", "joyeux", "heureux", "嬉しそうに", "楽しそうに",
        ),
        "sad": (
            "despondently", "dejectedly",
            "sad", "sadly", "gloomy", "gloomily", "depressed", "unhappily", "miserably", "traurig",
            "tristement", "triste",
            "悲しそうに", "悲しく",
        ),
        "angry": (
            "irately", "grumpily", "crossly", "in a rage",
            "angry", "angrily", "furious", "furiously", "aggressively", "aggressive", "wütend", "zornig", "en colère",
            "furieusement", "怒って",
        ),
        "tired": (
            "tired", "tiredly", "exhausted", "wearily", "weary", "sleepily", "limply", "müde", "erschöpft", "fatigué",
            "avec fatigue", "疲れて", "疲れた",
        ),
        "old": (
            "old", "elderly", "frail", "like an old man", "like an old woman", "alt", "wie ein alter Mann",
            "comme un vieillard",
            "老人のように",
        ),
        "proud": (
            "haughtily", "majestically",
            "proud", "proudly", "confident", "confidently", "boldly", "heroically", "stolz", "fièrement",
            "誇らしげに", "堂々と",
        ),
        "sneaky": (
            "sneaky", "sneakily", "stealthily", "secretly", "cautiously", "carefully", "vorsichtig",
            "heimlich", "prudemment",
            "furtivement", "こっそり", "慎重に",
        ),
        "drunk": ("drunk", "drunken", "drunkenly", "tipsy", "staggering", "betrunken", "ivre", "酔って"),
        "elegant": (
            "elegant", "elegantly", "graceful", "gracefully", "daintily", "politely", "elegant", "anmutig",
            "avec élégance",
            "優雅に",
        ),
        "robot": (
            "robotic", "robotically", "like a robot", "stiff", "stiffly", "mechanically", "steif", "wie ein Roboter",
            "comme un robot", "ロボットのように",
        ),
        "scared": (
            "shakily", "tremblingly",
            "scared", "afraid", "fearful", "fearfully", "nervously", "anxiously", "timidly", "in fear",
            "in panic", "ängstlich",
            "peureusement", "怖がって", "怯えて",
        ),
    }
)  # fmt: skip

SPEED_WORDS: Mapping[float, tuple[str, ...]] = MappingProxyType(
    {
        0.7: ("slow", "slowly", "leisurely", "gently", "langsam", "lentement", "doucement", "ゆっくり"),
        0.55: (
            "very slow", "very slowly", "in slow motion", "in Zeitlupe", "sehr langsam", "très lentement",
            "とてもゆっくり",
        ),
        1.35: (
            "fast", "quick", "quickly", "swiftly", "rapidly", "briskly", "hastily", "schnell", "vite",
            "rapidement", "速く", "素早く",
        ),
        1.6: (
            "very fast", "very quickly", "as fast as possible", "at full speed", "sehr schnell", "très vite",
            "とても速く",
        ),
    }
)  # fmt: skip

_SIDES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "left": ("left", "linken", "linke", "links", "linkem", "gauche", "左手", "左足", "左"),
        "right": ("right", "rechten", "rechte", "rechts", "rechtem", "droite", "droit", "右手", "右足", "右"),
        "both": ("both", "beiden", "beide", "deux mains", "両手", "両足"),
    }
)

_NUMBERS = {
    name: value
    for value, names in enumerate(
        (
            "zero", "one a an ein eine einen une un", "two zwei deux", "three drei trois", "four vier quatre",
            "five fünf cinq",
            "six sechs", "seven sieben sept", "eight acht huit", "nine neun neuf", "ten zehn dix",
        )
    )
    for name in names.split()
}  # fmt: skip
_NUMBER = rf"(?P<number>\d+(?:[.,]\d+)?|half a|half|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})"
_SECONDS = re.compile(
    rf"(?:\b(?:for|lasting|during|für|pendant|about|lang)\s+)*(?<![\w]){_NUMBER}[\s-]*"
    r"(?:seconds?|secs?|sekunden?|secondes?|s|秒間|秒)(?:\s+lang)?(?![a-z])",
    re.IGNORECASE,
)
_TIMES = re.compile(
    rf"(?<![\w]){_NUMBER}\s*(?:times|mal|fois|回)(?!\w)|\b{_NUMBER.replace('number', 'german')}mal\b", re.IGNORECASE
)
_ONCE = re.compile(r"\b(?:(?P<once>once|einmal)|(?P<twice>twice|zweimal)|(?P<thrice>thrice|dreimal))\b", re.IGNORECASE)
_OFTEN = 20  # the most that a count may say

Entry = TypeVar("Entry")

STYLE_FLOOR = 0.66  # of the likeness of a free word to a style's words
_STYLE_LEAD = 0.015  # by which a style must be nearer than any other
# Words of that form that say nothing of a mood.
_PLAIN = (
    "hardly", "nearly", "barely", "suddenly", "deeply", "loudly", "approvingly", "really", "simply", "directly",
    "finally", "repeatedly", "immediately", "highly", "only", "early", "possibly", "widely", "slightly", "closely",
    "partly", "exactly",
)  # fmt: skip
_ADVERBS = ("ly", "lich", "ment", "voll")  # English, German and French words that may say how something is done


@dataclass(frozen=True, slots=True)
class Manner:
    """How an action is done; what the text leaves open is None, and speed 1."""

    style: str | None = None
    speed: float = 1.0
    side: str | None = None  # left, right or both, where the text says so
    seconds: float | None = None
    count: int | None = None


def read_manner(text: str, styles: Sequence[str], encoder: Encoder | None) -> tuple[Manner, str]:
    """How the clause `text` says that it is done, and the clause without the words that say so.

    `styles` are those that can be chosen. Words beyond the tables go through the encoder.
    """
    seconds, text = _taken(_SECONDS, text)
    times, text = _taken(_TIMES, text)
    count = _count(times) if times else None
    if count is None and (once := _ONCE.search(text)):
        count = next(number for number, name in enumerate(("once", "twice", "thrice"), 1) if once.group(name))
        text = _ONCE.sub(" ", text)
    speed, text = _of_table(SPEED_WORDS.items(), text)
    style, text = _of_table([(name, STYLE_WORDS[name]) for name in styles if name in STYLE_WORDS], text)
    if style is None and encoder is not None:
        style, text = _alike(text, styles, encoder)
    side = next((name for name, words in _SIDES.items() if any(_says(text, word) for word in words)), None)
    length = None if seconds is None else _value(seconds.group("number"))
    return Manner(style, 1.0 if speed is None else speed, side, length or None, count), " ".join(text.split())


def _taken(pattern: re.Pattern[str], text: str) -> tuple[re.Match[str] | None, str]:
    found = pattern.search(text)
    return found, text if found is None else f"{text[: found.start()]} {text[found.end() :]}"


def _count(times: re.Match[str]) -> int | None:
    number = int(_value(times.group("number") or times.group("german")))
    return min(number, _OFTEN) if number > 0 else None


def _value(number: str) -> float:
    number = number.lower()
    if number.startswith("half"):
        return 0.5
    return float(_NUMBERS[number]) if number in _NUMBERS else float(number.replace(",", "."))


def _of_table(rows: Iterable[tuple[Entry, tuple[str, ...]]], text: str) -> tuple[Entry | None, str]:
    """The entry with the longest of the words that the text holds, and the text without them."""
    held = [(len(word), key, word) for key, words in rows for word in words if _says(text, word)]
    if not held:
        return None, text
    _, key, word = max(held, key=lambda one: one[0])
    return key, _without(text, word)


def _says(text: str, word: str) -> bool:
    """Whether a text holds a word: as a whole word, or anywhere where a language does not part its words."""
    if _unparted(word):
        return word in text
    return place_of(words_of(word), words_of(text), gap=0) is not None


def _unparted(word: str) -> bool:
    return any("\u3040" <= letter <= "\u9fff" for letter in word)


def _without(text: str, word: str) -> str:
    if _unparted(word):
        return text.replace(word, " ")
    return re.sub(
        rf"(?<!\w)(?:in an?\s+|en\s+)?{re.escape(word)}(?!\w)(?:\s+(?:way|manner|mood))?",
        " ",
        text,
        flags=re.IGNORECASE,
    )


def _alike(text: str, styles: Sequence[str], encoder: Encoder) -> tuple[str | None, str]:
    """The style that one word of the text is most alike, above the floor."""
    words = [word for word in words_of(text) if word.endswith(_ADVERBS)]
    table = [(style, word) for style in styles for word in STYLE_WORDS.get(style, ())]
    table += [("", word) for word in _PLAIN]
    if not words or len(table) == len(_PLAIN):
        return None, text
    likeness = encoder.likeness(words, [word for _, word in table])
    at, best = divmod(int(likeness.argmax()), len(table))
    style = table[best][0]
    others = max(float(value) for value, (name, _) in zip(likeness[at], table, strict=True) if name != style)
    if not style or likeness[at, best] < STYLE_FLOOR or likeness[at, best] - others < _STYLE_LEAD:
        return None, text
    return style, _without(text, words[at])
