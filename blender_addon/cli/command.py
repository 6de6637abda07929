"""The batch command: `blender -b shot.blend -c latentman ...`, and the same as `python -m blender_addon ...`.

Exit codes: 0 done, 1 failed, 2 bad arguments, 3 cancelled. Each failure is one sentence on standard error.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy

from .. import compat
from ..client.generate_job import GenerateJob
from ..client.request import GenerateRequest
from ..generation import (
    BackendChoice,
    check_scene,
    chosen_backend,
    host_name,
    open_session,
    scene_frames,
    start_job,
    store_settings,
    stored_template,
)
from ..shared.errors import EXIT_DONE, InputError, LatentManError
from ..timeline.take import Take, add_take
from .options import given_frames, job_template, methods_of, parse_options, picture_size
from .report import BatchReport, Interrupts

COMMAND = "latentman"
_SLEEP_S = 0.005


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    try:
        run(parse_options(arguments))
    except LatentManError as error:
        print(f"latentman: {error}", file=sys.stderr, flush=True)
        return error.exit_code
    except SystemExit as stop:  # argparse, after --help
        return stop.code if isinstance(stop.code, int) else EXIT_DONE
    return EXIT_DONE


def run(options: argparse.Namespace) -> None:
    """Do what the options say. Raises LatentManError."""
    report = BatchReport(as_json=options.json)
    scene = _prepare_scene(options)
    template = job_template(options, stored_template(scene, _frames(options, scene)))
    engine = options.engine or scene.latentman.engine
    request = GenerateRequest(
        options.output.absolute(), methods_of(options, template), template, engine, host=host_name()
    )
    check_scene(bpy.context)
    request.prepare_folders()
    if options.save_blend is not None:
        _check_blend_target(options.save_blend)
    if options.dry_run:
        report.plan(request)
        return
    with Interrupts() as interrupts, open_session(_backend(options), request.output) as session:
        job = start_job(bpy.context, request, session)
        _drive(job, interrupts, report)
    job.raise_if_unfinished()
    if options.save_blend is not None:
        _save_blend(scene, job, options.save_blend.absolute())
    report.done(job)


def _backend(options: argparse.Namespace) -> BackendChoice:
    if options.backend or options.connection:
        return BackendChoice(options.backend or "", options.connection)
    return chosen_backend(bpy.context)


def _drive(job: GenerateJob, interrupts: Interrupts, report: BatchReport) -> None:
    """Step the job to its end; timers do not run in the background, so this loop is the clock."""
    while job.step(time.monotonic()):
        report.progress(job.progress)
        if interrupts.seen:
            job.cancel(time.monotonic())
        time.sleep(_SLEEP_S)


def _prepare_scene(options: argparse.Namespace) -> Any:
    """The scene to render: the open file's, with the motion imported and a camera."""
    if options.blend is not None:
        _open_blend(options.blend)
    scene = bpy.context.scene
    fresh = not bpy.data.filepath
    if options.motion is not None and fresh:
        _clear(scene)
    if fresh:
        scene.render.resolution_x, scene.render.resolution_y = picture_size(options, stored_template(scene, (1,)))
    if options.fps is not None:
        _set_fps(scene, options.fps)
    if options.motion is not None:
        _import_motion(scene, options)
    return scene


def _open_blend(path: Path) -> None:
    if not path.is_file():
        raise InputError("arguments.blend", f"There is no file {path}.", "Give a .blend file.")
    try:
        bpy.ops.wm.open_mainfile(filepath=str(path.absolute()), load_ui=False, use_scripts=False)
    except RuntimeError as error:
        raise InputError("arguments.blend", f"Blender cannot open {path}: {str(error).strip()}.") from error


def _clear(scene: Any) -> None:
    """Remove the objects of Blender's start-up file: no .blend was given, so nobody made them for this shot."""
    for item in list(scene.objects):
        bpy.data.objects.remove(item, do_unlink=True)


def _set_fps(scene: Any, fps: float) -> None:
    if not 1.0 <= fps <= 1000.0:
        raise InputError("arguments.fps", f"The frame rate {fps:g} is not between 1 and 1000.", "For example 24.")
    scene.render.fps = round(fps)
    scene.render.fps_base = round(fps) / fps


def _frames(options: argparse.Namespace, scene: Any) -> tuple[int, ...]:
    return given_frames(options) or scene_frames(scene)


def _import_motion(scene: Any, options: argparse.Namespace) -> None:
    from ..camera import frame_shot
    from ..rig.character import import_motion
    from ..shared.body import free_body, load_body
    from ..shared.motion import read_motion

    motion = read_motion(options.motion, sample=options.sample, repetition=options.repetition)
    body = free_body() if options.body is None else load_body(options.body)
    armature = import_motion(scene, motion, body, name=options.motion.stem)
    if scene.camera is None:
        frame_shot(scene, armature, _frames(options, scene))


def _check_blend_target(path: Path) -> None:
    if path.suffix != ".blend":
        raise InputError("arguments.save_blend", f"{path} does not end in .blend.", "Name a .blend file.")
    if not path.absolute().parent.is_dir():
        raise InputError("arguments.save_blend", f"The folder of {path} does not exist.", "Make it first.")


def _save_blend(scene: Any, job: GenerateJob, path: Path) -> None:
    """Save a copy of the file with the settings, and with every method's take on the timeline."""
    for done, job_id in job.results:
        store_settings(scene, done, job.request.engine)
        add_take(scene, Take(job.request.frames_folder(done.method), done, job_id), path.parent)
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True, check_existing=False)
    except RuntimeError as error:
        raise InputError("arguments.save_blend", f"{path} cannot be saved: {str(error).strip()}.") from error


class _Registered:
    """Blender's handle of the registered command."""

    handle: Any = None


def register() -> None:
    """Make the command known to Blender (`blender -c latentman`)."""
    if compat.has_cli_commands():
        _Registered.handle = bpy.utils.register_cli_command(COMMAND, main)


def unregister() -> None:
    """Take the command back."""
    if _Registered.handle is not None:
        bpy.utils.unregister_cli_command(_Registered.handle)
        _Registered.handle = None
