"""What a command of `latentman` tells a program that has started it with `--json`: a JSON object a line, on stdout.

    {"stage": "fitting", "step": 10, "steps": 200}
    {"written": "/home/ann/clip.npz", "notes": ["Foot slide: 12.1 to 1.8 cm/s."]}
    {"code": "motion.empty", "message": "...", "hint": "...", "kind": "motion"}

One of the last two ends it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from ..files.strict_json import StrictJSONError, convert, parse_json


@dataclass(frozen=True, slots=True)
class Step:
    """How far a command is."""

    stage: str  # a word for the user, such as "fitting"
    step: int
    steps: int


@dataclass(frozen=True, slots=True)
class Written:
    """The command is done: its file, and a sentence each of what a user should know."""

    written: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """The command has failed, or was cancelled: an error as `shared.errors.told` has it."""

    code: str
    message: str
    hint: str
    kind: str


Line = Step | Written | Failed


def line_of(line: Line) -> str:
    """The line as text, without its end."""
    return json.dumps(asdict(line), ensure_ascii=False)


def read_line(text: str) -> Line | None:
    """What a line says; None for one that is none of these: libraries print too."""
    kinds: tuple[type[Step] | type[Written] | type[Failed], ...] = (Step, Written, Failed)
    for kind in kinds:
        try:
            return convert(parse_json(text.encode()), kind)
        except StrictJSONError:
            continue
    return None
