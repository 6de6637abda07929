"""A take: one result as an image strip in the sequencer, on a channel of its own, with all that it was made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from .. import compat
from ..shared.errors import InputError
from ..shared.frame_files import frame_name
from ..shared.job import Job, canonical_json, parse_job

# Custom properties of the strip; an animator sees them in the strip's sidebar.
METHOD, PROMPT, NEGATIVE, SEED, STEPS, MODEL, ENGINE, JOB_ID, JOB = (
    "latentman_method",
    "latentman_prompt",
    "latentman_negative",
    "latentman_seed",
    "latentman_steps",
    "latentman_model",
    "latentman_engine",
    "latentman_job_id",
    "latentman_job",
)
# How many frames there are, and how many the take will have.
DONE, FRAMES = "latentman_done", "latentman_frames"


@dataclass(frozen=True, slots=True)
class Take:
    """One method's result: where its frames are and the job that made them."""

    folder: Path
    job: Job
    job_id: str
    engine: str = "cycles"


def add_take(scene: Any, take: Take, blend_folder: Path | None = None) -> Any:
    """Put a finished take on the timeline; as `show_take` with all its frames."""
    return show_take(scene, take, take.job.frames, blend_folder)


def show_take(scene: Any, take: Take, done: Sequence[int], blend_folder: Path | None = None) -> Any:
    """Show a take's finished frames and return its strip: its own, or a new one on the first channel above all others.

    The strip covers the job's first to last frame. Where a frame is not there, because it was not asked for or is not
    finished, the one before it is held, as in animation on twos. `done`: at least one frame. `blend_folder` is where
    the file will be saved: paths become relative to it. Raises InputError where Blender refuses the strip (a render is
    running).
    """
    strip = find_take(scene, take.folder) or _new_strip(scene, take, done[0], blend_folder)
    shown, known = done[0], set(done)
    for element, frame in zip(strip.elements, range(take.job.frames[0], take.job.frames[-1] + 1), strict=True):
        shown = frame if frame in known else shown
        if element.filename != frame_name(shown):
            element.filename = frame_name(shown)
    strip[DONE] = len(done)
    return strip


def takes(scene: Any) -> list[Any]:
    """The strips of this add-on in the scene, lowest channel first. It makes nothing, so panels may ask."""
    found = [strip for strip in compat.present_strips(scene) if strip.get(JOB_ID)]
    return sorted(found, key=lambda strip: int(strip.channel))


def find_take(scene: Any, folder: Path) -> Any:
    """The strip that shows a folder's frames, or None."""
    return next((strip for strip in takes(scene) if take_folder(strip) == folder), None)


def take_named(scene: Any, name: str) -> Any:
    """The take's strip by its name. Raises InputError where it is gone."""
    strip = next((strip for strip in takes(scene) if strip.name == name), None)
    if strip is None:
        raise InputError("timeline.no_take", f"There is no take {name!r} on the timeline.", "Choose another.")
    return strip


def take_folder(strip: Any) -> Path:
    """Where a take's frames are."""
    return Path(bpy.path.abspath(strip.directory))


def take_job(strip: Any) -> Job:
    """The job that made a take. Raises InputError where the strip's record was changed."""
    return parse_job(str(strip.get(JOB, "")).encode())


def _new_strip(scene: Any, take: Take, first_done: int, blend_folder: Path | None) -> Any:
    strips = compat.sequencer_strips(scene)
    channel = 1 + max((strip.channel for strip in strips), default=0)
    first, last = take.job.frames[0], take.job.frames[-1]
    try:
        strip = strips.new_image(
            name=_strip_name(take.folder),
            filepath=str(take.folder / frame_name(first_done)),
            channel=channel,
            frame_start=first,
            fit_method="FIT",
        )
    except RuntimeError as error:
        raise InputError("timeline.strip", f"Blender did not take the image strip: {str(error).strip()}.") from error
    for _ in range(first + 1, last + 1):
        strip.elements.append(frame_name(first_done))
    strip.directory = _directory(take.folder, blend_folder)
    _store_facts(strip, take)
    compat.show_in_sequencers(scene)
    return strip


def _strip_name(folder: Path) -> str:
    parent = folder.parent.name
    return f"{parent} {folder.name}" if parent.startswith("take-") else folder.name


def _store_facts(strip: Any, take: Take) -> None:
    job = take.job
    strip[METHOD], strip[MODEL], strip[ENGINE] = job.method, job.model, take.engine
    strip[PROMPT], strip[NEGATIVE] = job.prompts or job.prompt, job.negative_prompt
    strip[SEED] = str(job.seed)  # as text: a custom property's number has 32 bits
    strip[STEPS] = job.steps
    strip[FRAMES] = len(job.frames)
    strip[JOB_ID] = take.job_id
    strip[JOB] = canonical_json(job).decode()


def _directory(folder: Path, blend_folder: Path | None) -> str:
    """The folder as the strip stores it; relative where it lies on the same drive as the file."""
    if blend_folder is None:
        return f"{folder}/"
    try:
        return f"{bpy.path.relpath(str(folder), start=str(blend_folder))}/"
    except ValueError:
        return f"{folder}/"
