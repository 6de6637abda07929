"""A take: one result as an image strip in the sequencer, on a channel of its own, with all that it was made from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from .. import compat
from ..scene.scene_job import open_blend_folder
from ..shared.body.atlas_layout import ATLAS_FILE
from ..shared.errors import InputError
from ..shared.files.frame_files import frame_name
from ..shared.files.strict_json import as_text, is_text
from ..shared.jobs.frame_range import held_for
from ..shared.jobs.job import Job, canonical_json, parse_job
from .fit import Size, refit, remember_fit

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
NOTES = "latentman_notes"  # sentences on what was chosen, a line each; not there if there are none
# How many frames there are, and how many the take will have.
DONE, FRAMES = "latentman_done", "latentman_frames"


@dataclass(frozen=True, slots=True)
class Take:
    """One method's result: where its frames are and the job that made them."""

    folder: Path
    job: Job
    job_id: str
    engine: str = "cycles"
    notes: tuple[str, ...] = ()


def add_take(scene: Any, take: Take) -> Any:
    """Put a finished take on the timeline; as `show_take` with all its frames."""
    return show_take(scene, take, take.job.frames)


def show_take(scene: Any, take: Take, done: Sequence[int]) -> Any:
    """Show a take's finished frames and return its strip: its own, or a new one on the first channel above all others.

    The strip covers the job's frames for as long as each is shown (`held_for`). Where a frame is not there, because it
    was not asked for or is not finished, the one before it is held. `done`: at least one frame. A strip that shows
    other frames of this folder is replaced. Raises InputError if Blender refuses the strip (a render is running), or
    no channel is free.
    """
    strip = find_take(scene, take.folder)
    covered = _covered(take.job.frames)
    if strip is not None and len(strip.elements) != len(covered):
        compat.sequencer_strips(scene).remove(strip)
        strip = None
    if strip is None:
        strip = _new_strip(scene, take, done[0])
    _store_facts(strip, take)
    shown, known = done[0], set(done)
    for element, frame in zip(strip.elements, covered, strict=True):
        shown = frame if frame in known else shown
        if element.filename != frame_name(shown):
            element.filename = frame_name(shown)
    strip[DONE] = len(done)
    refit(strip, _render_size(scene))
    return strip


def refit_takes(scene: Any) -> int:
    """Fit the takes into the scene's render size where it has changed, and return how many were changed. Those that
    the user has scaled stay. Nothing is changed in a linked scene, and while Blender renders."""
    if scene.library is not None or bpy.app.is_job_running("RENDER"):
        return 0
    return sum(refit(strip, _render_size(scene)) for strip in takes(scene))


def _render_size(scene: Any) -> Size:
    return scene.render.resolution_x, scene.render.resolution_y


def _covered(frames: Sequence[int]) -> range:
    """The frames of the scene in which a job's frames are shown."""
    return range(frames[0], frames[0] + sum(held_for(frames)))


def takes(scene: Any) -> list[Any]:
    """The strips of this add-on in the scene, lowest channel first. It makes nothing, so panels may ask."""
    found = [strip for strip in compat.present_strips(scene) if strip.get(JOB_ID)]
    return sorted(found, key=lambda strip: int(strip.channel))


def find_take(scene: Any, folder: Path) -> Any:
    """The strip that shows a folder's frames, or None."""
    return next((strip for strip in takes(scene) if take_folder(strip) == folder), None)


def remove_takes(scene: Any, folder: Path) -> None:
    """Take the strips off the timeline that show frames of a take folder, `take-002`."""
    for strip in takes(scene):
        if folder in take_folder(strip).parents:
            compat.sequencer_strips(scene).remove(strip)


def take_named(scene: Any, name: str) -> Any:
    """The take's strip by its name. Raises InputError if it is gone."""
    strip = next((strip for strip in takes(scene) if strip.name == name), None)
    if strip is None:
        raise InputError("timeline.no_take", f"There is no take {name!r} on the timeline.", "Choose another.")
    return strip


def take_folder(strip: Any) -> Path:
    """Where a take's frames are."""
    return Path(os.path.normpath(bpy.path.abspath(strip.directory)))


def first_picture(strip: Any) -> Path:
    """The picture that a take begins with."""
    return take_folder(strip) / str(strip.elements[0].filename)


def take_texture(strip: Any) -> Path:
    """Where a take's texture is, if its method made one."""
    return take_folder(strip) / ATLAS_FILE


def take_job(strip: Any) -> Job:
    """The job that made a take. Raises InputError if the strip's record was changed."""
    return parse_job(str(strip.get(JOB, "")).encode())


def _new_strip(scene: Any, take: Take, first_done: int) -> Any:
    strips = compat.sequencer_strips(scene)
    covered, directory = _covered(take.job.frames), _directory(take.folder)
    if not is_text(directory):
        raise InputError(
            "timeline.name",
            f"The timeline cannot show {as_text(directory)}: Blender only accepts names in UTF-8 there.",
            "Rename that folder.",
        )
    try:
        strip = strips.new_image(
            name=_strip_name(take.folder),
            filepath=f"{directory}{frame_name(first_done)}",
            channel=_free_channel(strips, covered),
            frame_start=covered[0],
            fit_method="FIT",
        )
    except RuntimeError as error:
        raise InputError("timeline.strip", f"Blender did not accept the image strip: {str(error).strip()}.") from error
    for _ in covered[1:]:
        strip.elements.append(frame_name(first_done))
    strip.directory = directory
    remember_fit(strip)
    compat.show_in_sequencers(scene)
    return strip


def _free_channel(strips: Any, covered: range) -> int:
    """The first channel above all strips, else the topmost on which nothing lies in these frames. Raises InputError."""
    above = 1 + max((strip.channel for strip in strips), default=0)
    if above <= compat.last_channel():
        return above
    taken = {
        strip.channel
        for strip in strips
        if strip.frame_final_start < covered.stop and strip.frame_final_end > covered.start
    }
    free = next((channel for channel in range(compat.last_channel(), 0, -1) if channel not in taken), None)
    if free is None:
        raise InputError(
            "timeline.full", "Every channel of the timeline has a strip in the take's frames.", "Remove or move one."
        )
    return free


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
    if take.notes:
        strip[NOTES] = "\n".join(take.notes)


def _directory(folder: Path) -> str:
    """The folder as the strip stores it; relative to the open file where both lie on the same drive. Blender adapts
    such paths when it saves the file in another folder."""
    blend_folder = open_blend_folder()
    if blend_folder is None:
        return f"{folder}/"
    try:
        return f"{bpy.path.relpath(str(folder), start=str(blend_folder))}/"
    except ValueError:
        return f"{folder}/"
