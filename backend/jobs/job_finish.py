"""The finish that a job asks for, whatever its method."""

from __future__ import annotations

import torch

from backend.loop.method import Finish
from backend.surface.lock import SurfaceLock
from backend.surface.shot_surface import ShotSurface
from backend.upscale import Upscaler, open_upscaler
from shared.jobs.job import Job
from shared.jobs.keyed_prompts import parse_prompts, prompt_mixes
from shared.methods import method_named
from shared.methods.finish import is_locked


def job_finish(job: Job, surface: ShotSurface) -> Finish | None:
    """The job's own finish on the surface of its shot, None where it asks for none."""
    if not is_locked(method_named(job.method), job.finish):
        return None
    return SurfaceLock(surface, job.finish.background, first_prompts(job))


def job_upscaler(job: Job) -> Upscaler | None:
    """What enlarges the job's frames, None where it asks for no enlarging. Raises InputError where it is not there."""
    upscale = job.finish.upscale
    return None if upscale == "off" else open_upscaler(int(upscale), torch.get_num_threads())


def first_prompts(job: Job) -> tuple[str, ...]:
    """The prompts of the first segment's frames: what is decided there must not depend on later ones."""
    if not job.prompts:
        return (job.prompt,)
    return prompt_mixes(parse_prompts(job.prompts), job.frames[: job.segment_frames])[0]
