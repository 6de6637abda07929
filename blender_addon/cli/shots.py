"""The shots of one call of the batch command: which there are, where each goes, and its scene ready to render."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import bpy

from ..client.job_file import ShotFile, read_job_file
from ..client.request import GenerateRequest
from ..look.camera import frame_shot
from ..look.tracked_camera import film
from ..rig.character import NOTES, disown_range
from ..rig.import_character import ImportOptions, import_characters, scene_betas, scene_body
from ..rig.left_out import leave_out
from ..rig.source.as_character import SourceOptions, character_steps
from ..rig.source.chosen import source_named
from ..scene.bone_table import table_of
from ..scene.scene_job import open_blend_folder, scene_frames, stored_settings, stored_template
from ..scene_time import at_once
from ..shared.body import load_body
from ..shared.errors import InputError
from ..shared.files.frame_files import is_file, shown_path
from ..shared.jobs.frame_rate import rate_and_base
from ..shared.motion.retarget.bone_map import load_map
from ..shared.motion.units import UNITS_M
from ..shot.generation import host_name
from ..typed_bpy import windows
from .motion import asked_repairs, repair_all
from .options import given_frames, job_template, methods_of, picture_size


@dataclass(frozen=True, slots=True)
class BatchShot:
    """One shot: its job file if there is one, and its output folder."""

    output: Path
    work: Path  # where a backend of our own works: what resuming needs stays there
    file: ShotFile | None = None
    name: str = ""


def batch_shots(options: argparse.Namespace) -> list[BatchShot]:
    """The shots that were asked for. Raises InputError if a job file or an output folder cannot be used."""
    if len(options.job) < 2:
        file = read_job_file(options.job[0]) if options.job else None
        output = options.output or (file.output if file else None)
        return [BatchShot(_folder(output), _folder(output), file, options.job[0].name if options.job else "")]
    if options.save_blend is not None:
        raise InputError(
            "arguments.save_blend", "--save-blend works with one shot only.", "Leave it out, or give one --job."
        )
    shots = []
    for path in options.job:
        file = read_job_file(path)
        output = _folder(options.output / path.stem if options.output else file.output)
        shots.append(BatchShot(output, options.output.absolute() if options.output else output, file, path.name))
    for index, shot in enumerate(shots):
        if shot.output in [other.output for other in shots[:index]]:
            raise InputError(
                "arguments.output",
                f"Two shots would be written to {shot.output}.",
                "Give --output, and job files of different names.",
            )
    return shots


def _folder(path: Path | None) -> Path:
    if path is None:
        raise InputError("arguments.output", "There is no output folder.", "Give --output DIR.")
    return path.absolute()


@contextmanager
def prepared(
    options: argparse.Namespace, shot: BatchShot, *, first: bool, tell: Callable[[list[str]], None]
) -> Iterator[tuple[Any, GenerateRequest]]:
    """The shot's file open, its scene the context's, the motion imported and framed: scene and request.

    `tell` takes the sentences about the motion. `first` is False for the shots that find the scene as the one
    before them left it, where they open no file.
    Raises LatentManError.
    """
    blend = options.blend or (shot.file.blend if shot.file else None)
    if blend is not None:
        _open_blend(blend)
    scene = _find_scene(options, shot)
    with _current(scene):
        if first or blend is not None:
            _fill(options, shot, scene, tell)
        for name in options.leave_out:
            leave_out(scene, name)
        stored = stored_template(scene, _frames(options, shot, scene))
        template = job_template(options, shot.file, stored, open_blend_folder())
        engine = options.engine or (shot.file.engine if shot.file else "") or scene.latentman.engine
        methods = methods_of(options, shot.file, stored, partial(stored_settings, scene))
        yield scene, GenerateRequest(shot.output, methods, template, engine, host=host_name())


def _find_scene(options: argparse.Namespace, shot: BatchShot) -> Any:
    name = options.scene or (shot.file.scene if shot.file and shot.file.blend else "")
    if not name:
        return bpy.context.scene
    if name not in bpy.data.scenes:
        raise InputError(
            "arguments.scene",
            f"The file has no scene {name!r}.",
            f"It has: {', '.join(scene.name for scene in bpy.data.scenes)}.",
        )
    return bpy.data.scenes[name]


def _current(scene: Any) -> AbstractContextManager[Any]:
    """Make a scene the context's, as an animator does it in a window; in the background there is one as well."""
    if bpy.context.scene == scene:
        return nullcontext()
    window = windows()[0]
    window.scene = scene
    return bpy.context.temp_override(window=window)


def _open_blend(path: Path) -> None:
    if not is_file(path):
        raise InputError("arguments.blend", f"There is no file {shown_path(path)}.", "Give a .blend file.")
    try:
        bpy.ops.wm.open_mainfile(filepath=str(path.absolute()), load_ui=False)  # scripts as Blender was told
    except RuntimeError as error:
        raise InputError("arguments.blend", f"Blender cannot open {path}: {str(error).strip()}.") from error


def _import_options(options: argparse.Namespace, scene: Any) -> ImportOptions:
    """What is said about the motion file; only shape and body are a matter of the scene's settings as well."""
    return ImportOptions(
        sample=options.sample,
        repetition=options.repetition,
        person=options.person,
        fps=options.motion_fps,
        spare_fps=options.fps,
        up=options.up,
        unit_m=UNITS_M.get(options.unit),
        view=options.view,
        start_frame=options.start_frame,
        betas=scene_betas(scene),
        body_path=str(options.body.absolute()) if options.body else bpy.path.abspath(scene.latentman.body_path),
        bones=load_map(options.bone_map) if options.bone_map else None,
    )


def _characters(options: argparse.Namespace, scene: Any) -> list[Any]:
    """The armatures of the characters that the command line asks for, from a file or from an armature of the scene."""
    if options.motion is None and options.motion_armature is None:
        return []
    body = scene_body(scene) if options.body is None else load_body(options.body)
    if options.motion is not None:
        return import_characters(scene, options.motion, body, _import_options(options, scene), film)
    source = source_named(scene, bpy.context.view_layer, options.motion_armature)
    bones = load_map(options.bone_map) if options.bone_map else table_of(source)
    frames = range(scene.frame_start, scene.frame_end + 1)
    return [at_once(character_steps(scene, source, frames, body, SourceOptions(bones, scene_betas(scene))))]


def _fill(options: argparse.Namespace, shot: BatchShot, scene: Any, tell: Callable[[list[str]], None]) -> None:
    """What the command line adds to the scene: an empty start, size, rate, a motion with its repairs, a camera."""
    repairs = asked_repairs(options.repair)
    if repairs and options.motion is None and options.motion_armature is None:
        raise InputError(
            "arguments.repair", "There is no motion to repair.", "Give --motion, --motion-text or --motion-armature."
        )
    fresh = not bpy.data.filepath
    if options.motion is not None and fresh:
        _clear(scene)
    if fresh:
        size = picture_size(options, shot.file, stored_template(scene, (1,)))
        scene.render.resolution_x, scene.render.resolution_y = size
    if options.fps is not None:
        _set_fps(scene, options.fps)
    made = _characters(options, scene)
    if made:
        tell(json.loads(made[0][NOTES]))
        for armature in made:
            repair_all(scene, armature, repairs, tell)
        if scene.camera is None:
            frame_shot(scene, made[0], _frames(options, shot, scene), also=tuple(made[1:]))


def _clear(scene: Any) -> None:
    """Remove what Blender's start-up file has, its frame range too: no .blend was given, so it is not of this shot."""
    for item in list(scene.objects):
        bpy.data.objects.remove(item, do_unlink=True)
    disown_range(scene)


def _set_fps(scene: Any, fps: float) -> None:
    if not 1.0 <= fps <= 1000.0:
        raise InputError("arguments.fps", f"The frame rate {fps:g} is not between 1 and 1000.", "For example 24.")
    scene.render.fps, scene.render.fps_base = rate_and_base(fps)


def _frames(options: argparse.Namespace, shot: BatchShot, scene: Any) -> tuple[int, ...]:
    return given_frames(options, shot.file) or scene_frames(scene)
