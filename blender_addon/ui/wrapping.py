"""A sentence cut into lines that fit a width. No bpy in here."""

from __future__ import annotations

from collections.abc import Callable


def wrapped(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """The lines of a text that are not wider than `width`; a word that alone is wider (a path) is broken, after a slash
    where it has one."""
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if measure(longer) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        while len(word) > 1 and measure(word) > width:
            fits = next((end for end in range(len(word) - 1, 1, -1) if measure(word[:end]) <= width), 1)
            fits = word.rfind("/", 1, fits) + 1 or fits
            lines.append(word[:fits])
            word = word[fits:]
        line = word
    return [*lines, line] if line else lines
