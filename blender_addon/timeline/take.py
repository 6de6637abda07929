"""A take: one result as an image strip in the sequencer, on a channel of its own, with all that it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from .. import compat
from ..shared.errors import InputError
from ..shared.frame_files import frame_name
from ..shared.job import Job, canonical_json

# Custom properties of the strip; an animator sees them in the strip's sidebar.
METHOD, PROMPT, SEED, JOB_ID, JOB = (
    "latentman_method",
    "latentman_prompt",
    "latentman_seed",
    "latentman_job_id",
    "latentman_job",
)


@dataclass(frozen=True, slots=True)
class Take:
    """One method's result: where its frames are and the job that made them."""

    folder: Path
    job: Job
    job_id: str


def add_take(scene: Any, take: Take, blend_folder: Path | None = None) -> Any:
    """Put a take on the first channel above all others and return its strip.

    The strip covers the job's first to last frame; between frames that were not asked for, the last one is held, as
    in animation on twos. `blend_folder` is where the file will be saved: paths become relative to it.
    Raises InputError where Blender refuses the strip (a render is running).
    """
    strips = compat.sequencer_strips(scene)
    channel = 1 + max((strip.channel for strip in strips), default=0)
    first, last = take.job.frames[0], take.job.frames[-1]
    try:
        strip = strips.new_image(
            name=take.folder.name,
            filepath=str(take.folder / frame_name(first)),
            channel=channel,
            frame_start=first,
            fit_method="ORIGINAL",
        )
    except RuntimeError as error:
        raise InputError("timeline.strip", f"Blender did not take the image strip: {str(error).strip()}.") from error
    shown = first
    known = set(take.job.frames)
    for frame in range(first + 1, last + 1):
        shown = frame if frame in known else shown
        strip.elements.append(frame_name(shown))
    strip.directory = _directory(take.folder, blend_folder)
    _store_facts(strip, take)
    return strip


def takes(scene: Any) -> list[Any]:
    """The strips of this add-on in the scene, lowest channel first."""
    found = [strip for strip in compat.sequencer_strips(scene) if strip.get(JOB_ID)]
    return sorted(found, key=lambda strip: int(strip.channel))


def _store_facts(strip: Any, take: Take) -> None:
    strip[METHOD] = take.job.method
    strip[PROMPT] = take.job.prompt
    strip[SEED] = str(take.job.seed)  # as text: a custom property's number has 32 bits
    strip[JOB_ID] = take.job_id
    strip[JOB] = canonical_json(take.job).decode()


def _directory(folder: Path, blend_folder: Path | None) -> str:
    """The folder as the strip stores it; relative where it lies on the same drive as the file."""
    if blend_folder is None:
        return f"{folder}/"
    try:
        return f"{bpy.path.relpath(str(folder), start=str(blend_folder))}/"
    except ValueError:
        return f"{folder}/"
