"""How a long command tells what it does: a bar for a person, lines of JSON for a program that has started it."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from backend.machine.pipes import claim_stdout, give_stdout_back, write_all
from shared.errors import LatentManError, told
from shared.protocol.command_lines import Failed, Line, Step, Written, line_of


class Telling:
    """Tells steps and the end; `telling` makes it."""

    def __init__(self, bar: Progress | None, put: Callable[[Line], None]) -> None:
        self._bar, self._put = bar, put
        self._task = None if bar is None else bar.add_task("", total=None)

    def step(self, stage: str, done: int, total: int) -> None:
        """So many of so many steps of a stage are done."""
        if self._bar is None or self._task is None:
            self._put(Step(stage, done, total))
        else:
            self._bar.update(self._task, description=stage, completed=done, total=total)

    def written(self, path: Path, notes: tuple[str, ...] = ()) -> None:
        """The command is done."""
        if self._bar is None:
            self._put(Written(str(path), notes))
            return
        for note in (*notes, f"wrote {path}."):
            self._bar.console.print(f"latentman: {note}", markup=False, highlight=False, soft_wrap=True)


@contextmanager
def telling(as_json: bool) -> Iterator[Telling]:
    """For the time of a command. With `as_json` nothing but the lines comes on stdout, and an error is told there too,
    before it goes on to the caller."""
    if not as_json:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
            yield Telling(bar, lambda line: None)
        return
    output = claim_stdout()

    def put(line: Line) -> None:
        write_all(output, f"{line_of(line)}\n".encode())

    try:
        yield Telling(None, put)
    except LatentManError as error:
        put(Failed(*told(error)))
        raise
    finally:
        give_stdout_back(output)


@contextmanager
def interrupts() -> Iterator[threading.Event]:
    """Ctrl+C asks for the end of the step; a second one leaves at once."""
    stop = threading.Event()

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
