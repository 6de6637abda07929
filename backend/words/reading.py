"""A text into what a motion model is asked for: one `ActionClause` after the other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from backend.words.clauses import meanwhile, once_more, perhaps_clauses, sure_clauses
from backend.words.encoder import Encoder, find_encoder
from backend.words.manner_words import Manner, read_manner
from backend.words.naming import Known, choose_action, name_action, spans_words
from shared.errors import InputError

_SURE = 0.75  # likeness of a piece behind "and" or a comma to an action, for it to be one of its own
# A thing, or the second half of "up and down": never an action of its own.
_THING = re.compile(
    r"(?:a|an|the|ein|eine|un|une)\s+\w+|up|down|around|about|back|forth|left|right|out|in|over", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ActionClause:
    """One action of a text, and how it is done."""

    text: str
    action: str
    manner: Manner
    likeness: float  # 1 for a word of the table, else the encoder's
    left_out: str = ""  # what the text says happens at the same time

    @property
    def told(self) -> str:
        """How the clause was read, for people; empty where a word of the table said it."""
        notes = [] if self.likeness >= 1.0 else [f'"{self.text}" is made as {self.action.replace("_", " ")}.']
        if self.left_out:
            notes.append(f'"{self.left_out}" is left out: this model makes one action at a time.')
        return " ".join(notes)


def read_motion_text(text: str, known: Known, styles: Sequence[str]) -> tuple[ActionClause, ...]:
    """The clauses of a text in the order in which they happen.

    `known` are the model's actions and `styles` its styles. Raises InputError for a clause that it has no action for,
    and for a text without words.
    """
    encoder = find_encoder()
    pieces = [piece for sure in sure_clauses(text) for piece in _acting(sure, known, encoder)]
    if not pieces:
        raise InputError("motion.no_text", "The text has no words.", 'Write what happens, such as "a person waves".')
    return tuple(_read(piece, known, styles, encoder) for piece in pieces)


def read_clause(text: str, known: Known, styles: Sequence[str]) -> ActionClause:
    """One clause, which is not cut any more. Raises InputError as `read_motion_text` does."""
    return _read(text, known, styles, find_encoder())


def _acting(clause: str, known: Known, encoder: Encoder | None) -> list[str]:
    """A clause cut at "and" and commas, where the piece names an action; another piece belongs to the one before it."""
    pieces: list[str] = []
    for piece in map(str.strip, perhaps_clauses(clause)):
        if pieces and spans_words(pieces[-1], piece):
            pieces[-1] += f" and {piece}"
        else:
            pieces.append(piece)
    if len(pieces) < 2:
        return [clause]
    found: list[tuple[str, str]] = []  # pieces and their actions
    pending = ""
    for piece in pieces:
        named = None if _THING.fullmatch(piece) else name_action(piece, known, encoder)
        if (
            named is not None
            and named.likeness >= _SURE
            and (once_more(piece) or (found and found[-1][1]) != named.action)
        ):
            found.append((pending + piece, named.action))
            pending = ""
        elif found:
            found[-1] = (f"{found[-1][0]}, {piece}", found[-1][1])
        else:
            pending += f"{piece}, "
    return [piece for piece, _ in found] or [clause]


def _read(clause: str, known: Known, styles: Sequence[str], encoder: Encoder | None) -> ActionClause:
    manner, rest = read_manner(clause, styles, encoder)
    named = choose_action(rest or clause, manner.side, known, encoder)
    return ActionClause(clause, named.action, manner, named.likeness, meanwhile(clause))
