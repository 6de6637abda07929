"""What the batch command prints while it runs, and how Ctrl-C reaches it."""

from __future__ import annotations

import json
import signal
import sys
import time
from types import FrameType, TracebackType
from typing import Any

from ..client.generate_job import GenerateJob
from ..client.progress import GenerateProgress
from ..client.request import GenerateRequest
from ..shared.framerange import format_frames
from ..shared.job import canonical_json

_LINE_EVERY_S = 2.0


class BatchReport:
    """Progress for a person on standard error, or for a program as JSON lines on standard output."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._shown: GenerateProgress | None = None
        self._shown_at = 0.0

    def progress(self, progress: GenerateProgress) -> None:
        """Say how far it is: to a program every change, to a person a new stage at once and the rest now and then."""
        last = self._shown
        if progress == last:
            return
        now = time.monotonic()
        same_stage = last is not None and (last.state, last.method, last.stage) == (
            progress.state,
            progress.method,
            progress.stage,
        )
        if not self._as_json and same_stage and now - self._shown_at < _LINE_EVERY_S:
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
                frames=progress.frames,
                fraction=round(progress.fraction, 4),
                seconds_left=progress.seconds_left,
            )
        else:
            print(f"[{progress.fraction:4.0%}] {progress.text}", file=sys.stderr, flush=True)

    def plan(self, request: GenerateRequest) -> None:
        """What --dry-run would have done."""
        template = request.template
        if self._as_json:
            self._line(
                event="plan",
                output=str(request.output),
                methods=list(request.methods),
                frames=list(template.frames),
                job=json.loads(canonical_json(template)),
            )
            return
        print(
            f"Would render {len(template.frames)} frames ({format_frames(template.frames)}) at "
            f"{template.width}x{template.height}, {template.fps:g} fps, with {request.engine}, and generate "
            f"{' and '.join(request.methods)} ({template.steps} steps, seed {template.seed}) into {request.output}.",
            flush=True,
        )

    def done(self, job: GenerateJob) -> None:
        """Where the result is."""
        if self._as_json:
            self._line(
                event="done",
                output=str(job.request.output),
                jobs={done.method: job_id for done, job_id in job.results},
            )
        else:
            print(f"[100%] Done: {job.request.output}", file=sys.stderr, flush=True)

    def _line(self, **fields: Any) -> None:
        print(json.dumps(fields), flush=True)


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
