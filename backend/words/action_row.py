"""What a row of the table of actions is."""

from __future__ import annotations

from dataclasses import dataclass

from backend.words.stems import stems_of

DOUBTFUL = "~"  # before a word that often says something else: the encoder decides where it is installed


@dataclass(frozen=True, slots=True)
class ActionWords:
    """How people name one action.

    `rules`: words that mean it, each an entry; several words of an entry stand in this order, with at most two others
    between; `DOUBTFUL` may stand before one. `phrases`: examples for the encoder, beside the rules themselves.
    """

    name: str
    rules: tuple[str, ...]
    phrases: tuple[str, ...] = ()

    @property
    def patterns(self) -> tuple[tuple[str, ...], ...]:
        """The rules as stems."""
        return tuple(tuple(stems_of(rule.removeprefix(DOUBTFUL))) for rule in self.rules)


def row(name: str, rules: str, phrases: str = "") -> ActionWords:
    """A row whose rules and phrases are separated by commas."""
    return ActionWords(
        name, tuple(map(str.strip, rules.split(","))), tuple(filter(None, map(str.strip, phrases.split(","))))
    )
