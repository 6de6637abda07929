"""The user's own models as the preferences list them, and the checks of their files. No bpy in here.

A check runs in a thread, since a folder may lie on a disk that is slow to answer; the thread touches nothing but files
and its own queue.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..shared.models.check import FileCheck, check_model_files
from ..shared.models.files import ModelFiles


@dataclass(frozen=True, slots=True)
class KnownModel:
    """One entry: a folder in diffusers' layout or a checkpoint, and what lies elsewhere; empty paths are its own."""

    name: str
    path: str
    files: ModelFiles = field(default_factory=ModelFiles)

    def used_by(self, model: str, files: ModelFiles) -> bool:
        """Whether a job with this model and these files, LoRAs and embeddings aside, uses the entry as it is now."""
        return (model, replace(files, loras=(), embeddings=())) == (self.path, self.files)


@dataclass(slots=True)
class ModelReport:
    """What a check has found so far."""

    rows: list[FileCheck] = field(default_factory=list)
    running: bool = True

    @property
    def faults(self) -> list[FileCheck]:
        """The files that speak against the model."""
        return [row for row in self.rows if not row.usable]

    @property
    def text(self) -> str:
        """One line: how it stands."""
        if self.running:
            return "Checking its files"
        if not self.faults:
            return f"All {len(self.rows)} files are present and complete"
        return f"{len(self.faults)} of {len(self.rows)} files are missing or cannot be used"


class ModelChecks:
    """The newest check of each model; `step` brings what the threads have found."""

    def __init__(self) -> None:
        self._reports: dict[tuple[str, ModelFiles], ModelReport] = {}  # by path and files: a name says nothing of them
        self._found: queue.SimpleQueue[tuple[ModelReport, FileCheck | None]] = queue.SimpleQueue()

    @property
    def running(self) -> bool:
        """Whether a check is under way."""
        return any(report.running for report in self._reports.values())

    def ask(self, model: KnownModel) -> None:
        """Look at a model's files; what was known of it is forgotten."""
        report = self._reports[model.path, model.files] = ModelReport()
        threading.Thread(target=_look, args=(model, report, self._found), daemon=True).start()

    def report(self, model: KnownModel) -> ModelReport | None:
        """What is known of a model as it is entered now; None if it was not looked at."""
        return self._reports.get((model.path, model.files))

    def step(self) -> None:
        """Take what was found since the last call."""
        while not self._found.empty():
            report, row = self._found.get()
            if row is None:
                report.running = False
            else:
                report.rows.append(row)


def model_name(path: str) -> str:
    """How a model is called after its folder or file."""
    place = Path(path)
    return (place.stem if place.suffix else place.name) or path


def _look(
    model: KnownModel, report: ModelReport, found: queue.SimpleQueue[tuple[ModelReport, FileCheck | None]]
) -> None:
    try:
        for row in check_model_files(model.path, model.files):
            found.put((report, row))
    finally:
        found.put((report, None))
