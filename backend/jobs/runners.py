"""What runs job folders: the protocol that a runner's module fulfils, and its import by name.

A worker, `latentman run-job` and `latentman run-segment` know no more of a runner than this; torch comes with the
module, not with its name.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

from shared.errors import InputError
from shared.models.files import ModelFiles
from shared.protocol.job_events import WorkerEvent
from shared.protocol.worker_memory import WorkerMemory

DEFAULT_RUNNER = "backend.jobs.runner"

Emit = Callable[[WorkerEvent], None]
Asked = Callable[[], bool]


@runtime_checkable
class Runner(Protocol):
    """Runs job folders with a model that it keeps from one to the next."""

    def run(self, folder: Path, emit: Emit, cancelled: Asked, segment: int | None = None) -> None:
        """Run the job in `folder`, or only one of its segments, counted from 0.

        Returns once all frames are there. Raises CancelledError soon after `cancelled()` turns true, any other
        LatentManError for what failed; terminal events may be emitted instead.
        """

    def prepare(self, model: str, files: ModelFiles) -> None:
        """Load a model ahead of its job. Raises ModelError."""

    def release(self) -> None:
        """Forget the model and give its memory back; the next job loads it again."""

    def memory(self) -> WorkerMemory:
        """What this process holds of the memory where the model lies."""
        ...


def load_runner(module: str) -> Runner:
    """Import a module and take its `RUNNER`. Raises InputError where there is no such module, or it has none."""
    try:
        runner = vars(importlib.import_module(module)).get("RUNNER")
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # something that the module itself imports
        raise InputError("arguments.runner", f"There is no module {module}.", f"Use {DEFAULT_RUNNER}.") from error
    if not isinstance(runner, Runner):
        raise InputError("arguments.runner", f"The module {module} has no RUNNER.", f"Use {DEFAULT_RUNNER}.")
    return runner
