"""A text in clauses: what is done first, what then."""

from __future__ import annotations

import re

# Words that always begin a new clause, and those that do only where both sides name an action.
_THEN = re.compile(
    r"\s*(?:[.;!?。；！？]+\s+|[.;!?。；！？]+$|。"
    r"|,?\s*\b(?:and\s+then|and\s+afterwards|and\s+after\s+that|and\s+finally|then|afterwards|after\s+that|after\s+which"
    r"|next|finally|followed\s+by|before(?=\s+(?:\w+ing|he|she|it|they)\b)|und\s+dann|und\s+danach|dann|danach|anschließend|schließlich|bevor"
    r"|et\s+puis|et\s+ensuite|puis|ensuite|avant\s+de|enfin)\b,?"
    r"|、?(?:それから|そして|その後)、?)\s*",
    re.IGNORECASE,
)
_PERHAPS = re.compile(
    r"\s*(?:,\s*(?:and|und|et)\b|,|、|\b(?:and|und|et)\b|(?<=て)(?=[\u3040-\u9fff]))\s*", re.IGNORECASE
)
_ONCE_MORE = re.compile(r"\b(?:again|once\s+more|another|noch|encore)\b|もう一度", re.IGNORECASE)
_MEANWHILE = re.compile(r"\b(?:while|whilst|während|tout\s+en)\b\s*(?P<what>.+)$", re.IGNORECASE)
_AFTER = re.compile(r"^\s*(?:after|nachdem|après)\s+(?P<first>[^,]+),\s*(?P<second>.+)$", re.IGNORECASE)


def sure_clauses(text: str) -> list[str]:
    """The text cut at words of time ("then", "before"), in the order of time."""
    pieces = []
    for sentence in _THEN.split(text):
        turned = _AFTER.match(sentence)
        pieces += [turned["first"], turned["second"]] if turned else [sentence]
    return [piece.strip(" ,") for piece in pieces if piece and piece.strip(" ,.")]


def perhaps_clauses(clause: str) -> list[str]:
    """A clause cut at commas and "and": pieces that are clauses only where each names an action."""
    return [piece for piece in _PERHAPS.split(clause) if piece.strip()]


def meanwhile(clause: str) -> str:
    """What a clause says that happens at the same time; empty where nothing does."""
    found = _MEANWHILE.search(clause)
    return found["what"].strip() if found else ""


def once_more(clause: str) -> bool:
    """Whether a clause says that something is done again."""
    return _ONCE_MORE.search(clause) is not None
