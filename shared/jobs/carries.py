"""What the segments of a job hand on to later ones, and so what an edit of a frame reaches: the one place that says."""

from __future__ import annotations

from dataclasses import dataclass

from ..methods import method_named
from ..methods.finish import is_locked
from .job import Job


@dataclass(frozen=True, slots=True)
class Carries:
    """What a later segment is given, and what a segment's frames depend on beside their own passes and prompts.

    `first`, `previous`: the trajectories of frame 0 and of the frame before. `memory`: what is kept of all segments
    before. `chained`: its frames depend on all frames before it. `geometry`: they depend on where the body is, by
    vertices, camera and charts.
    """

    first: bool
    previous: bool
    memory: bool
    chained: bool
    geometry: bool


def carries(job: Job) -> Carries:
    """What the job's method hands on, and its finish. Raises InputError for a method that there is not."""
    method = method_named(job.method)
    locked = is_locked(method, job.finish)
    memory = locked or method.needs.memory
    return Carries(
        method.needs_first,
        method.needs_previous,
        memory,
        chained=memory or method.dependence == "chained",
        geometry=locked or method.needs.matches,
    )
