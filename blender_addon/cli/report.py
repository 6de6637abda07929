"""What the batch command prints while it runs, and how Ctrl-C reaches it."""

from __future__ import annotations

import io
import json
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from ..client.generate_job import GenerateJob
from ..client.present import Present
from ..client.progress import GenerateProgress
from ..client.request import GenerateRequest
from ..passes.comparison import Compared
from ..shared.errors import CancelledError, LatentManError
from ..shared.jobs.frame_range import format_frames
from ..shared.jobs.job import job_values
from .live_line import LiveLine
from .shots import BatchShot

# Errors that the backend's log may say more about.
_LOGGED = ("backend.", "job.error", "job.worker_died", "journal.")


class BatchReport:
    """Progress for a person on standard error, or for a program as JSON lines on standard output."""

    def __init__(self, *, as_json: bool) -> None:
        self.index = 0
        self._count = 1
        self._as_json = as_json
        self._shown: GenerateProgress | None = None
        self._shown_at = 0.0
        self._lines = LiveLine(sys.stderr)
        # Names on disk need not be UTF-8: what has no letter is shown as its byte.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")

    def shot(self, shot: BatchShot, index: int, count: int) -> None:
        """The next of several shots begins."""
        self.index, self._count = index, count
        self._shown, self._shown_at = None, 0.0
        if self._as_json:
            self._line(event="shot", job=shot.name, output=str(shot.output), shots=count)
        elif count > 1:
            self._lines.keep(f"Shot {index + 1} of {count}: {shot.name}")

    def motion(self, notes: list[str]) -> None:
        """What the import assumed about the motion file and what to look at, one sentence each."""
        for note in notes:
            print(f"Motion: {note}", file=sys.stderr, flush=True)
        if self._as_json:
            self._line(event="motion", notes=notes)

    def progress(self, progress: GenerateProgress) -> None:
        """Say how far it is: to a program every change; to a person a new stage at once and the rest now and then."""
        last = self._shown
        if progress == last:
            return
        now = time.monotonic()
        same_stage = last is not None and (last.state, last.method, last.stage) == (
            progress.state,
            progress.method,
            progress.stage,
        )
        if not self._as_json and same_stage and now - self._shown_at < self._lines.every_s:
            return
        self._shown, self._shown_at = progress, now
        if self._as_json:
            self._line(
                event="progress",
                state=progress.state.value,
                method=progress.method,
                stage=progress.stage,
                step=progress.step,
                steps=progress.steps,
                frame=progress.passes_done if not progress.method else progress.frame,
                of=progress.frames,
                fraction=round(progress.fraction, 4),
                seconds_left=progress.seconds_left,
                silent_minutes=progress.silent_minutes,
            )
        else:
            self._lines.show(progress.fraction, progress.warning or progress.text)

    def plan(self, request: GenerateRequest, present: Present, ahead: Mapping[str, Compared]) -> None:
        """What there would be to do without --dry-run, and what of it lies there already."""
        template = request.template
        to_render = max(len(one.changed) for one in ahead.values())
        if self._as_json:
            self._line(
                event="plan",
                output=str(request.output),
                engine=request.engine,
                methods=list(request.methods),
                frames=list(template.frames),
                passes_there=present.passes,
                frames_there={one.method: one.frames if one.same_settings else 0 for one in present.methods},
                passes_to_render=to_render,
                frames_to_generate={method: one.to_generate for method, one in ahead.items()},
                at_most=any(one.at_most for one in ahead.values()),
                job=job_values(request.job(next(iter(request.methods)), template.inputs)),
            )
            return
        count = len(template.frames)
        print(
            f"Would render {count} frames ({format_frames(template.frames)}) at "
            f"{template.width}x{template.height}, {template.fps:g} fps, with {request.engine}, and generate "
            f"{' and '.join(request.methods)} ({template.steps} steps, seed {template.seed}) into {request.output}.",
        )
        print(f"Passes that exist: {present.passes} of {count}; to render: {to_render}.")
        for one in present.methods:
            kept = "" if one.same_settings or not one.frames else ", with other settings"
            new = ahead[one.method].to_generate_text
            print(f"Frames of {one.method} that exist: {one.frames} of {count}{kept}; to generate: {new}.")
        sys.stdout.flush()

    def failed(self, error: LatentManError, log: Path | None = None) -> None:
        """Why a shot, or all of it, did not end well; and where the backend's log is, where that may say more."""
        self._lines.keep(f"latentman: {error}")
        if log is not None and log.is_file() and error.code.startswith(_LOGGED):
            self._lines.keep(f"latentman: the backend's log is {log}, its workers' are in {log.parent / 'logs'}")
        if self._as_json:
            event = "cancelled" if isinstance(error, CancelledError) else "failed"
            self._line(event=event, code=error.code, message=error.message, hint=error.hint, exit_code=error.exit_code)

    def done(self, job: GenerateJob, videos: Mapping[str, Path]) -> None:
        """Where the result is with its videos, by method, and what was chosen in it."""
        notes = {made.method: job.notes(made.method) for made, _ in job.results}
        for method, sentences in notes.items():
            for note in sentences:
                self._lines.keep(f"{method}: {note}")
        if self._as_json:
            self._line(
                event="done",
                output=str(job.request.output),
                jobs={done.method: job_id for done, job_id in job.results},
                notes=notes,
                videos={method: str(path) for method, path in videos.items()},
            )
        else:
            for path in videos.values():
                self._lines.keep(f"Video: {path}")
            self._lines.show(1.0, f"Done: {job.request.output}")
            self._lines.end()

    def _line(self, **fields: Any) -> None:
        print(json.dumps({**fields, "shot": self.index + 1}), flush=True)


class Interrupts:
    """While entered, Ctrl-C and SIGTERM only set `seen`: Blender itself would end without clearing up."""

    def __init__(self) -> None:
        self.seen = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.seen = True
