"""What the commands that run clips and measure them have in common: what they need, and their progress on stderr."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from shared.errors import InputError

DIGESTS_FILE = "model-digests.json"


def require_numba() -> None:
    """Raise InputError where the shots cannot be rendered."""
    if importlib.util.find_spec("numba") is None:
        raise InputError(
            "eval.numba",
            "The table's shots are rendered with numba, which is not installed.",
            "Run: pip install 'latentman[train]'.",
        )


@contextmanager
def clip_progress(steps: int) -> Iterator[Callable[[str, int], None]]:
    """A bar of so many denoising steps; what it gives is called with the clip's name and the steps done since."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("loading", total=steps)
        yield lambda name, done: progress.update(task, advance=done, description=name)
