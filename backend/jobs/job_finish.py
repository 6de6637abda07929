"""The finish that a job asks for, whatever its method."""

from __future__ import annotations

from backend.loop.method import Finish
from backend.passes.shot_passes import ShotPasses
from shared.errors import InputError
from shared.jobs.job import Job
from shared.methods import method_named
from shared.methods.finish import is_locked


def job_finish(job: Job, passes: ShotPasses) -> Finish | None:
    """The job's own finish on its passes, None where it asks for none.

    Raises InputError where the passes do not suit it.
    """
    if not is_locked(method_named(job.method), job.finish):
        return None
    raise InputError("job.lock", "This version has no lock.", 'Set finish.lock to "off".')
