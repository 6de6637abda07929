"""How a long command tells what it does: a bar for a person, lines of JSON for a program that has started it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from shared.errors import LatentManError, told
from shared.protocol.command_lines import Failed, Line, Step, Written, line_of


class Telling:
    """Tells steps and the end; `telling` makes it."""

    def __init__(self, bar: Progress | None) -> None:
        self._bar = bar
        self._task = None if bar is None else bar.add_task("", total=None)

    def step(self, stage: str, done: int, total: int) -> None:
        """So many of so many steps of a stage are done."""
        if self._bar is None or self._task is None:
            _print(Step(stage, done, total))
        else:
            self._bar.update(self._task, description=stage, completed=done, total=total)

    def written(self, path: Path, notes: tuple[str, ...] = ()) -> None:
        """The command is done."""
        if self._bar is None:
            _print(Written(str(path), notes))
            return
        for note in (*notes, f"wrote {path}."):
            self._bar.console.print(f"latentman: {note}", markup=False, highlight=False, soft_wrap=True)


@contextmanager
def telling(as_json: bool) -> Iterator[Telling]:
    """For the time of a command. With `as_json` its error is told too, before it goes on to the caller."""
    try:
        if as_json:
            yield Telling(None)
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
            yield Telling(bar)
    except LatentManError as error:
        if as_json:
            _print(Failed(*told(error)))
        raise


def _print(line: Line) -> None:
    print(line_of(line), flush=True)
