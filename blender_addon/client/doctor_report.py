"""What `latentman doctor --json` prints."""

from __future__ import annotations

import json
from dataclasses import dataclass

_LINE_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report; `mend` is what helps, empty if all is well."""

    name: str
    works: bool
    text: str
    mend: str = ""


def read_report(text: str) -> tuple[Finding, ...]:
    """The findings in what the doctor printed: one JSON list on the last line."""
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        rows = json.loads(lines[-1])
        return tuple(Finding(str(r["name"]), bool(r["works"]), str(r["text"]), str(r.get("mend", ""))) for r in rows)
    except (IndexError, ValueError, KeyError, TypeError, AttributeError):
        said = lines[-1][:_LINE_LENGTH] if lines else "nothing"
        return (Finding("backend", False, f"the doctor did not report; it said: {said}"),)
