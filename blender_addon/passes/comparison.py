"""What of a shot would be made again: a child Blender tells, without rendering."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..shared.errors import LatentManError
from ..shared.jobs.job import Job, JobInputs
from ..shared.jobs.reuse import ShotFacts, frames_to_generate
from .launcher import PassRender, PassRequest, RenderedFrame

_WAIT_S = 0.2


@dataclass(frozen=True, slots=True)
class Compared:
    """Frames by what has become of their passes; `to_generate` counts those that would be computed.

    `at_most`: it may be fewer, since a pass may come out as one that was there before, or since the backend's folder
    cannot be looked into.
    """

    changed: tuple[int, ...]
    unchanged: tuple[int, ...]
    to_generate: int
    at_most: bool = False

    @property
    def to_generate_text(self) -> str:
        """The number with what is known of it."""
        return f"at most {self.to_generate}" if self.at_most and self.to_generate else str(self.to_generate)


def _no_take(passes: tuple[str, ...]) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Known:
    """What may save generating: the folder with a local backend's jobs, None for one elsewhere; and `has_take`, which
    tells whether a finished take is of the present settings on passes with these SHA-256, so that nothing is new."""

    jobs: Path | None = None
    has_take: Callable[[tuple[str, ...]], bool] = _no_take


def count(job: Job, found: list[RenderedFrame], facts: ShotFacts, known: Known) -> Compared:
    """What a job would compute, by what a comparison found of its frames, in their order."""
    changed = tuple(frame.frame for frame in found if not frame.reused)
    unchanged = tuple(frame.frame for frame in found if frame.reused)
    if not changed and known.has_take(tuple(frame.sha256 for frame in found)):
        return Compared(changed, unchanged, 0)
    if known.jobs is None:
        return Compared(changed, unchanged, len(found), at_most=True)
    inputs = JobInputs(tuple(frame.sha256 for frame in found), "", "", facts.charts)
    number = frames_to_generate(replace(job, inputs=inputs), facts, known.jobs)
    return Compared(changed, unchanged, number, at_most=bool(changed))


class PassComparison:
    """One comparison; `result` is there once it has ended well."""

    def __init__(self, render: PassRender, job: Job, known: Known) -> None:
        """`job` holds the settings and the frames; its inputs do not matter."""
        self._render = render
        self._job = job
        self._known = known
        self._found: list[RenderedFrame] = []
        self.result: Compared | None = None

    @classmethod
    def start(cls, context: Any, request: PassRequest, job: Job, known: Known) -> PassComparison:
        """Start the child on a copy of the open file. Raises as `PassRender.start`."""
        return cls(PassRender.start(context, request, compare_only=True), job, known)

    @property
    def running(self) -> bool:
        """Whether the child is still looking."""
        return not self._render.done

    def step(self) -> None:
        """Take what the child has found, without waiting. Raises the child's error."""
        if not self.running:
            return
        try:
            self._found.extend(self._render.step())
        except LatentManError:
            self._render.close()
            raise
        if self._render.done:
            self.result = self.counted(self._job)
            self._render.close()

    def finish(self) -> None:
        """Wait for the child. Raises its error."""
        while self.running:
            self.step()
            time.sleep(_WAIT_S if self.running else 0)

    def counted(self, job: Job) -> Compared:
        """What another job on the same frames would compute. Raises RuntimeError before the comparison's end."""
        facts = self._render.facts
        if facts is None:
            raise RuntimeError("the comparison has not ended")
        return count(job, self._found, facts, self._known)

    def close(self) -> None:
        """End the child. Harmless when called twice."""
        self._render.close()
