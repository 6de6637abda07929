"""Bone names brought to one form: without namespaces and prefixes, with the side first, in lower case.

`mixamorig:LeftUpLeg`, `upleg_L` and `L UpLeg` all become `l:upleg`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

_NAMESPACE: Final = re.compile(r"^.*[:|]")
# What programs put before every bone's name, where it is not set off as a namespace.
_PREFIX: Final = re.compile(
    r"^(mixamorig\d*[_ ]?|cc_base_|bip0*1?[ _]|j_bip_(c_)?|character\d*_|valvebiped[._]bip01[_ ])", re.IGNORECASE
)
_TOKEN: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_A-Za-z]+")
_SERIAL: Final = re.compile(r"_\d+$")  # that glTF exporters number all nodes with
_SIDES: Final = {"left": "l", "l": "l", "right": "r", "r": "r"}
_SHARED: Final = 0.8  # of the names


def keys_of(names: Sequence[str], *, bare_start: bool = True) -> list[str]:
    """The form of each name, in order: `SIDE:NAME`, where the side is l, r or nothing.

    A number that ends nearly all names is left out, and with `bare_start` a word that begins nearly all of them.
    """
    bare = [_PREFIX.sub("", _NAMESPACE.sub("", name)) for name in names]
    if _mostly(_SERIAL.search(name) is not None for name in bare):
        bare = [_SERIAL.sub("", name) for name in bare]
    words = [_words(name) for name in bare]
    while bare_start and (first := _shared_start(words)) is not None:
        words = [row[1:] if row[:1] == [first] and len(row) > 1 else row for row in words]
    return [_key(row) for row in words]


def key_of(name: str) -> str:
    """The form of a single name."""
    return keys_of([name])[0]


def side_of(key: str) -> str:
    """l, r, or nothing for bones on the body's axis."""
    return key.split(":", 1)[0]


def mirrored(key: str) -> str:
    """The key of the other side's bone; the same for bones on the body's axis."""
    side, name = key.split(":", 1)
    return f"{ {'l': 'r', 'r': 'l'}.get(side, '') }:{name}"


def _words(name: str) -> list[str]:
    return [str(int(word)) if word.isdecimal() else word.lower() for word in _TOKEN.findall(name)]


def _key(words: list[str]) -> str:
    side, rest = "", []
    for word in words:
        if not side and word in _SIDES:
            side = _SIDES[word]
            continue
        glued = next((whole for whole in ("left", "right") if not side and word.startswith(whole)), None)
        if glued is not None:
            side, word = _SIDES[glued], word.removeprefix(glued)
        rest.append(word)
    return f"{side}:{_joined(rest)}"


def _joined(words: list[str]) -> str:
    """The words without spaces; two numbers that meet stay apart."""
    text = ""
    for word in words:
        text += f".{word}" if text[-1:].isdecimal() and word.isdecimal() else word
    return text


def _shared_start(words: Sequence[Sequence[str]]) -> str | None:
    """The word that begins nearly all names of several words."""
    if len(words) < 8:
        return None
    first, count = (
        Counter(row[0] for row in words if len(row) > 1).most_common(1)[0]
        if any(len(row) > 1 for row in words)
        else ("", 0)
    )
    return first if count >= _SHARED * len(words) and first not in _SIDES else None


def _mostly(flags: object) -> bool:
    values = list(flags)  # type: ignore[call-overload]
    return len(values) >= 8 and sum(values) >= _SHARED * len(values)
