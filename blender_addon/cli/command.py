"""The batch command: `blender -b shot.blend -c latentman ...`, and the same as `python -m blender_addon ...`.

Exit codes: 0 done, 1 failed, 2 bad arguments, 3 cancelled. Each failure is one sentence on standard error, and with
--json one object with its code on standard output as well.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import bpy

from ..client.backend_process import LOG_FILE
from ..client.generate_job import GenerateJob
from ..client.present import look_for_present
from ..shared.errors import EXIT_DONE, EXIT_FAILED, CancelledError, LatentManError
from ..shared.files.frame_files import file_error
from ..shared.protocol.client.session import Session
from ..shot.generation import (
    WORK_FOLDER,
    BackendChoice,
    check_scene,
    chosen_backend,
    known_jobs,
    new_session,
    start_job,
)
from .motion import asked_export, export_motion, made_here, with_made_motion
from .options import parse_options
from .plan import look_ahead
from .report import BatchReport, Interrupts
from .saved_blend import check_target, check_texture, save_blend
from .shots import BatchShot, batch_shots, prepared
from .videos import Videos, asked_videos

COMMAND = "latentman"
_SLEEP_S = 0.005


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    report = BatchReport(as_json="--json" in arguments)
    try:
        return run(parse_options(arguments), report)
    except LatentManError as error:
        report.failed(error)
        return error.exit_code
    except OSError as error:
        report.failed(file_error(error))
        return EXIT_FAILED
    except SystemExit as stop:  # argparse, after --help
        return stop.code if isinstance(stop.code, int) else EXIT_DONE


def run(options: argparse.Namespace, report: BatchReport) -> int:
    """Do what the options say, shot by shot; a shot that fails does not stop the next.

    Returns the first failure's exit code. Raises LatentManError if nothing can be begun, and CancelledError.
    """
    check_texture(options.texture, options.save_blend)
    shots = batch_shots(options)
    code = EXIT_DONE
    with Interrupts() as interrupts, Backends(options) as backends, made_here(options, shots[0].work) as folder:
        options = with_made_motion(options, backends.choice(), folder, lambda: interrupts.seen, report.motion)
        videos = asked_videos(options.video, backends.choice(), len(shots))
        for index, shot in enumerate(shots):
            report.shot(shot, index, len(shots))
            try:
                _run_shot(options, shot, backends, videos, interrupts, report)
            except CancelledError:
                raise
            except (LatentManError, OSError) as error:
                failure = file_error(error) if isinstance(error, OSError) else error
                report.failed(failure, backends.log_file)
                code = code or failure.exit_code
                backends.drop()
    return code


def _run_shot(
    options: argparse.Namespace,
    shot: BatchShot,
    backends: Backends,
    videos: Videos | None,
    interrupts: Interrupts,
    report: BatchReport,
) -> None:
    with prepared(options, shot, first=report.index == 0, tell=report.motion) as (scene, request):
        check_scene(bpy.context)
        if options.save_blend is not None:
            check_target(options.save_blend, request.output)
        if videos is not None:
            videos.check(request)
        export = asked_export(options.export_motion)
        if options.dry_run:
            request.check_folders()
            ahead = look_ahead(bpy.context, request, backends.known_jobs(shot.work))
            report.plan(request, look_for_present(request), ahead)
            return
        request.prepare_folders()
        if options.export_motion is not None and export is not None:
            export_motion(options.export_motion, export, report.motion)
        job = start_job(bpy.context, request, backends.session(shot.work))
        _drive(job, interrupts, report)
        job.raise_if_unfinished()
        if options.save_blend is not None:
            save_blend(scene, job, options.save_blend.absolute(), options.texture)
        report.done(job, videos.write(job, lambda: interrupts.seen) if videos is not None else {})


class Backends:
    """The session of the present work folder; it stays warm from shot to shot while the folder is the same."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._session: Session | None = None
        self._work: Path | None = None

    def __enter__(self) -> Backends:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.drop()

    def session(self, work: Path) -> Session:
        """A session with the chosen backend; one of our own works below `work`. Raises LatentManError."""
        if self._session is None or self._work != work or self._session.client.closed:
            self.drop()
            self._session = new_session(self.choice(), work)
            self._work = work
        return self._session

    def choice(self) -> BackendChoice:
        """The backend of the options, else of the preferences."""
        given, stored = self._options, chosen_backend(bpy.context)
        device = given.device or stored.device
        if given.backend or given.connection:
            return BackendChoice(given.backend or "", given.connection, device)
        return replace(stored, device=device)

    def known_jobs(self, work: Path) -> Path | None:
        """Where the chosen backend keeps its jobs if it is one of our own, else None."""
        return known_jobs(self.choice(), work)

    @property
    def log_file(self) -> Path | None:
        """What the present backend writes; None if there is none, or it is somebody else's."""
        if self._work is None or self.choice().connection_file is not None:
            return None
        return self._work / WORK_FOLDER / LOG_FILE

    def drop(self) -> None:
        """End the session. Harmless when there is none."""
        if self._session is not None:
            self._session.close()
        self._session = None


def _drive(job: GenerateJob, interrupts: Interrupts, report: BatchReport) -> None:
    """Step the job to its end; timers do not run in the background, so this loop is the clock."""
    while job.step(time.monotonic()):
        report.progress(job.progress)
        if interrupts.seen:
            job.cancel(time.monotonic())
        time.sleep(_SLEEP_S)


class _Registered:
    """Blender's handle of the registered command."""

    handle: Any = None


def register() -> None:
    """Make the command known to Blender (`blender -c latentman`)."""
    add: Callable[..., Any] = bpy.utils.register_cli_command  # the stubs give it no result
    _Registered.handle = add(COMMAND, main)


def unregister() -> None:
    """Take the command back."""
    if _Registered.handle is not None:
        bpy.utils.unregister_cli_command(_Registered.handle)
        _Registered.handle = None
