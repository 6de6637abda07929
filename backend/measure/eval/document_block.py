"""The place of a generated table in a document, between two marks."""

from __future__ import annotations

from pathlib import Path

from shared.errors import InputError

BEGIN = "<!-- latentman eval methods: begin -->"
END = "<!-- latentman eval methods: end -->"


def filled_document(document: Path, block: str) -> str:
    """The document's text with `block`, marks and all, in its place.

    Raises InputError where the document cannot be read or has no such place.
    """
    try:
        return with_block(document.read_text(encoding="utf-8"), block)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("eval.document", f"{document} cannot be read.", "Choose a Markdown file.") from error


def with_block(text: str, block: str) -> str:
    """A document with the block in the place of the one that it has. Raises InputError for one without marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, behind = rest.partition(END)
    if not begin or not end:
        raise InputError(
            "eval.block", f"The document has no place for the table: {BEGIN} followed by {END}.", "Add these two lines."
        )
    return before + block.rstrip("\n") + behind
