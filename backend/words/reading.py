"""A text into what a motion model is asked for: one `ActionClause` after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backend.words.clauses import perhaps_clauses, sure_clauses
from backend.words.encoder import Encoder, find_encoder
from backend.words.manner_words import Manner, read_manner
from backend.words.naming import Known, choose_action, name_action
from shared.errors import InputError


@dataclass(frozen=True, slots=True)
class ActionClause:
    """One action of a text, and how it is done."""

    text: str
    action: str
    manner: Manner
    likeness: float  # 1 for a word of the table, else the encoder's

    @property
    def told(self) -> str:
        """How the clause was read, for people; empty where a word of the table said it."""
        return "" if self.likeness >= 1.0 else f'"{self.text}" is made as {self.action.replace("_", " ")}.'


def read_motion_text(text: str, known: Known, styles: Sequence[str]) -> tuple[ActionClause, ...]:
    """The clauses of a text in the order in which they happen.

    `known` are the model's actions and `styles` its styles. Raises InputError for a clause that it has no action for, and
    for a text without words.
    """
    encoder = find_encoder()
    pieces = [piece for sure in sure_clauses(text) for piece in _acting(sure, known, encoder)]
    if not pieces:
        raise InputError("motion.no_text", "The text has no words.", 'Write what happens, such as "a person waves".')
    return tuple(_read(piece, known, styles, encoder) for piece in pieces)


def _acting(clause: str, known: Known, encoder: Encoder | None) -> list[str]:
    """A clause cut at "and" and commas, where the piece names an action; another piece belongs to the one before it."""
    found: list[str] = []
    pending = ""
    for piece in perhaps_clauses(clause):
        if name_action(piece, known, encoder) is None:
            if found:
                found[-1] += f", {piece.strip()}"
            else:
                pending += f"{piece.strip()}, "
        else:
            found.append(pending + piece.strip())
            pending = ""
    return found or [clause]


def _read(clause: str, known: Known, styles: Sequence[str], encoder: Encoder | None) -> ActionClause:
    manner, rest = read_manner(clause, styles, encoder)
    named = choose_action(rest or clause, known, encoder)
    return ActionClause(clause, named.action, manner, named.likeness)
