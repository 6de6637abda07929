"""Tables of the manual, read back: what a page says of the program is checked against the program."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


def table(page: str, heading: str) -> dict[str, tuple[str, ...]]:
    """The first table below a heading of a page in `docs`: {first cell without its quotes: the other cells}."""
    lines = (DOCS / page).read_text("utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if re.fullmatch(rf"#+ {re.escape(heading)}", line))
    return rows(lines[start:])


def table_after(page: str, sentence: str) -> dict[str, tuple[str, ...]]:
    """The first table below a line of a page in `docs`, as `table` has it."""
    lines = (DOCS / page).read_text("utf-8").splitlines()
    return rows(lines[lines.index(sentence) :])


def rows(lines: list[str]) -> dict[str, tuple[str, ...]]:
    """The first table in these lines, without its head."""
    first = next(number for number, line in enumerate(lines) if line.startswith("|"))
    found: dict[str, tuple[str, ...]] = {}
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        for name in re.findall(r"`([^`]+)`", cells[0]):
            assert name not in found, f"{name} has two rows"
            found[name] = tuple(cells[1:])
    return found
