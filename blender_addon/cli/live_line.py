"""Progress for a person: one line of a terminal that is written over, or plain lines if there is no terminal."""

from __future__ import annotations

import shutil
from typing import TextIO

_LINE_EVERY_S = 2.0
_REDRAW_EVERY_S = 0.1
_BAR_WIDTH = 20


class LiveLine:
    """Progress on one line of a terminal; on anything else a line each time."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._width = 0  # of what stands on the terminal's line
        self.every_s = _REDRAW_EVERY_S if self._live else _LINE_EVERY_S

    def show(self, fraction: float, text: str) -> None:
        """Say how far it is. What a terminal's line cannot hold is cut."""
        if not self._live:
            self.keep(f"[{fraction:4.0%}] {text}")
            return
        done = round(fraction * _BAR_WIDTH)
        line = f"{fraction:4.0%} [{'#' * done}{'.' * (_BAR_WIDTH - done)}] {text}"
        line = line[: shutil.get_terminal_size().columns - 1]
        print(f"\r{line:{self._width}}", end="", file=self._stream, flush=True)
        self._width = len(line)

    def keep(self, text: str) -> None:
        """A line that stays."""
        self.end()
        print(text, file=self._stream, flush=True)

    def end(self) -> None:
        """Leave the terminal's line as it is and go to the next."""
        if self._width:
            print(file=self._stream, flush=True)
        self._width = 0
