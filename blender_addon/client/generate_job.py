"""A shot from passes to finished frames, in steps that never wait.

    job = GenerateJob(request, render, session, now)
    while job.step(time.monotonic()):
        ...                                  # the panel comes back by a timer, the command line after a short sleep
    job.error                                # why it failed, or None

Passes go to the backend while later frames still render; the jobs are submitted when the last is there; frames are
written as they come, each whole or not at all. The same request again continues where the last one ended.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any

from ..shared.errors import BackendError, CancelledError, JobError, LatentManError
from ..shared.files.frame_files import file_error, put_frame
from ..shared.jobs.job import Job, JobInputs
from ..shared.jobs.result_files import drop_result_files, put_result_file, result_file_name
from ..shared.protocol.client import events as events
from ..shared.protocol.client.events import ClientEvent
from ..shared.protocol.client.session import Session
from ..shared.protocol.job_events import common_fields
from ..shared.protocol.stages import SAMPLING
from .pass_source import PassSource, RenderedPass
from .present import FrameLook
from .progress import GenerateProgress, GenerateState
from .request import GenerateRequest
from .result_file import (
    MethodResult,
    ShotResult,
    measured_seconds,
    write_job_files,
    write_measured,
    write_result,
)
from .stall import StallWatch

CANCEL_LIMIT_S = 20.0
# What one step may spend on reading files: Blender must not notice it. A file is read as a whole.
_READING_S = 0.02


@dataclass(slots=True)
class _MethodRun:
    """One method's job on this side."""

    method: str
    job: Job | None = None
    ticket: int = 0
    job_id: str = ""
    started_at: float | None = None
    ended_at: float | None = None
    before_s: float = 0.0  # what earlier runs took
    had_ended: bool = False  # before this run
    on_disk: dict[int, str] = field(default_factory=dict)  # frame -> SHA-256, found before the job was submitted
    look: FrameLook | None = None  # for the above
    frames: dict[int, str] = field(default_factory=dict)  # frame -> SHA-256, part of this job's result
    files: dict[str, str] = field(default_factory=dict)  # result file, by its key -> SHA-256
    notes: tuple[str, ...] = ()
    computed: int = 0
    denoised: dict[int, int] = field(default_factory=dict)  # a segment's first place in the job -> its frames
    watch: StallWatch = field(default_factory=StallWatch)

    @property
    def seconds(self) -> float:
        """How long the method has taken, over all runs; one that had ended before took no more."""
        if self.had_ended or self.started_at is None or self.ended_at is None:
            return self.before_s
        return self.before_s + self.ended_at - self.started_at


@dataclass(frozen=True, slots=True)
class ShotPace:
    """How many passes a run rendered and in how many seconds; for each method its job, frames denoised, and seconds."""

    passes: int
    passes_s: float
    methods: tuple[tuple[Job, int, float], ...]


class GenerateJob:
    """One shot under way. It owns its pass render; the session belongs to the caller and outlives it."""

    def __init__(self, request: GenerateRequest, passes: PassSource, session: Session, now: float) -> None:
        """Begin; the request's folders are prepared."""
        self._request = request
        self._passes = passes
        self._session = session
        self._started_at = now
        self._passes_ended_at: float | None = None
        self._cancel_at: float | None = None
        self._lost = False  # the session has ended
        self._rendered: deque[RenderedPass] = deque()  # finished, and not yet offered to the backend
        self._pass_digests: dict[int, str] = {}
        self._shot_digests: tuple[str, str, str] | None = None
        frames = request.template.frames
        self._runs = [
            _MethodRun(method, look=FrameLook(request.frames_folder(method), frames)) for method in request.methods
        ]
        self._server = ""
        self.error: LatentManError | None = None
        self.preview: events.Preview | None = None  # the newest picture of a frame in the making, until the shot ends
        template = request.template
        self.progress = GenerateProgress(
            GenerateState.RENDERING, len(template.frames), len(self._runs), template.segment_frames
        )
        session.client.prepare(template.model, template.model_files)

    @property
    def state(self) -> GenerateState:
        """Where the shot is."""
        return self.progress.state

    @property
    def request(self) -> GenerateRequest:
        """What was asked for."""
        return self._request

    def frames_done(self, method: str) -> tuple[int, ...]:
        """The frames of a method that are in their place, rising."""
        return next((tuple(sorted(run.frames)) for run in self._runs if run.method == method), ())

    def notes(self, method: str) -> tuple[str, ...]:
        """What was chosen for the user in a method's frames, a sentence each; known once its job is done."""
        return next((run.notes for run in self._runs if run.method == method), ())

    def measured(self) -> ShotPace:
        """What this run rendered and denoised, and how long it took; only what has ended."""
        ended = self._passes_ended_at
        return ShotPace(
            passes=0 if ended is None else self.progress.passes_done - self.progress.passes_kept,
            passes_s=0.0 if ended is None else ended - self._started_at,
            methods=tuple(
                (run.job, sum(run.denoised.values()), run.ended_at - run.started_at)
                for run in self._runs
                if run.job is not None and run.started_at is not None and run.ended_at is not None
            ),
        )

    @property
    def results(self) -> tuple[tuple[Job, str], ...]:
        """Each method's job and its id, as far as they have been accepted."""
        return tuple((run.job, run.job_id) for run in self._runs if run.job is not None and run.job_id)

    def step(self, now: float) -> bool:
        """Do what can be done without waiting; False once the shot has ended. Never raises a LatentManError:
        `error` holds it."""
        if self.state.ended:
            return False
        try:
            self._step(now)
        except LatentManError as error:
            self._fail(error, now)
        except OSError as error:
            self._fail(file_error(error), now)
        return not self.state.ended

    def cancel(self, now: float) -> None:
        """Stop: the child Blender at once, the backend within one denoising step. `step` goes on until it has ended."""
        if self.state.ended or self._cancel_at is not None:
            return
        self._cancel_at = now
        self._passes.close()
        self._show(state=GenerateState.CANCELLING)
        for run in self._open_runs():
            self._session.client.cancel(run.ticket)

    def raise_if_unfinished(self) -> None:
        """Raise why the shot did not end well; nothing if it did."""
        if self.error is not None:
            raise self.error
        if self.state is GenerateState.CANCELLED:
            raise CancelledError("job.cancelled", "Stopped. Finished frames are kept: resume to continue.")

    # ---- Inside

    def _step(self, now: float) -> None:
        for event in self._heard(now):
            self._handle(event, now)
        if self.state is GenerateState.CANCELLING:
            late = self._cancel_at is not None and now - self._cancel_at > CANCEL_LIMIT_S
            if late or not self._open_runs():
                self._end(GenerateState.FAILED if self.error else GenerateState.CANCELLED)
        elif self.state is GenerateState.RENDERING:
            self._take_passes(now)
        elif self.state is GenerateState.GENERATING:
            silence_s = max(run.watch.silence_s(now) for run in self._runs)
            self._show(silent_minutes=int(silence_s / 60))
            if not self._open_runs():
                self._finish(now)

    def _heard(self, now: float) -> list[ClientEvent]:
        """What the backend says. Raises what ends the session, after which the backend cannot be asked anything."""
        try:
            heard = self._session.step(now)
        except LatentManError:
            self._lost = True
            raise
        self._lost = any(isinstance(event, events.GaveUp) for event in heard)
        return heard

    def _take_passes(self, now: float) -> None:
        client = self._session.client
        limit = time.monotonic() + _READING_S
        self._rendered.extend(self._passes.step())
        while self._rendered and time.monotonic() < limit:
            finished = self._rendered.popleft()
            self._pass_digests[finished.frame] = client.add_input(finished.path)
            kept = self.progress.passes_kept + finished.reused
            self._show(passes_done=len(self._pass_digests), passes_kept=kept)
        if self._shot_digests is None and self._passes.shot_ready:
            self._shot_digests = (
                client.add_input(self._passes.shot_file),
                client.add_input(self._passes.vertices_file),
                client.add_input(self._passes.charts_file),
            )
        looked = all([run.look.step(limit) for run in self._runs if run.look is not None])
        if self._passes.done and not self._rendered and looked and self._shot_digests is not None:
            self._passes_ended_at = now
            self._passes.close()
            self._submit(self._inputs(self._shot_digests))

    def _inputs(self, shot_digests: tuple[str, str, str]) -> JobInputs:
        frames = self._request.template.frames
        missing = [frame for frame in frames if frame not in self._pass_digests]
        if missing:
            raise JobError("passes.missing", f"The pass of frame {missing[0]} was not rendered.", "Resume.")
        return JobInputs(tuple(self._pass_digests[frame] for frame in frames), *shot_digests)

    def _submit(self, inputs: JobInputs) -> None:
        jobs = [self._request.job(run.method, inputs) for run in self._runs]
        write_job_files(self._request, jobs)
        for run, job in zip(self._runs, jobs, strict=True):
            run.job = job
            run.on_disk, run.look = ({} if run.look is None else run.look.found), None
            run.ticket = self._session.client.submit(job, run.on_disk)
        self._show(state=GenerateState.GENERATING, method=self._runs[0].method)

    def _handle(self, event: ClientEvent, now: float) -> None:
        if isinstance(event, events.GaveUp):
            raise event.error
        if isinstance(event, events.InputFailed):
            raise event.error
        if isinstance(event, events.ConnectionLost):
            self._show(trouble=f"{event.error.message} Trying to reconnect.")
        if isinstance(event, events.Connected):
            self._server = event.server
            self._show(trouble="")
        run = next((run for run in self._runs if run.ticket and run.ticket == getattr(event, "ticket", 0)), None)
        if run is not None:
            self._handle_job(run, event, now)

    def _handle_job(self, run: _MethodRun, event: ClientEvent, now: float) -> None:
        _listen(run.watch, event, now)
        self._receive(run, event)
        match event:
            case events.Accepted(job_id=job_id, state=state, kept_frames=kept):
                run.job_id, run.had_ended = job_id, state == "done"
                run.before_s = measured_seconds(self._request.frames_folder(run.method), job_id)
                run.frames |= {frame: run.on_disk[frame] for frame in kept}
            case events.StateChanged(state="queued", reason=reason) if reason:
                again = f"The backend's worker {reason}. Another one takes over; finished frames are kept."
                self._show(trouble=again, stage="", step=0, steps=0, seconds_left=None)
            case events.StateChanged(state="running") if run.started_at is None:
                run.started_at = now
            case events.Done(notes=notes):
                run.notes = notes
                drop_result_files(self._request.frames_folder(run.method), run.files)
                self._ended(run, now)
                ended = sum(one.ended_at is not None for one in self._runs)
                self._show(methods_done=ended, stage="", step=0, steps=0, frame=0, seconds_left=None, trouble="")
            case events.Cancelled():  # by this side, or by `latentman cancel`
                self._ended(run, now)
                self.cancel(now)
            case events.Failed(error=error):
                self._ended(run, now)
                if self.state is not GenerateState.CANCELLING:
                    raise error

    def _receive(self, run: _MethodRun, event: ClientEvent) -> None:
        """What a job under way gives: how far it is, pictures, files."""
        match event:
            case events.Progress():
                self._show_worker(run, event)
            case events.Preview() as picture if picture.frame in self._request.template.frames:
                self.preview = picture
            case events.FrameReady(frame=frame, sha256=sha256, png=png):
                self._take_frame(run, frame, sha256, png)
            case events.FileReady(name=name, sha256=sha256, data=data):
                put_result_file(self._request.frames_folder(run.method), name, data)
                run.files[name] = sha256

    def _ended(self, run: _MethodRun, now: float) -> None:
        """A job has ended: its time is written down, so that a run that continues the shot knows it."""
        run.ended_at = now
        if run.job_id and run.seconds > run.before_s:
            write_measured(self._request.frames_folder(run.method), run.job_id, run.seconds)

    def _take_frame(self, run: _MethodRun, frame: int, sha256: str, png: bytes) -> None:
        if frame not in self._request.template.frames:
            raise BackendError("backend.frame", f"The backend sent frame {frame}, which was not asked for.")
        if run.frames.get(frame) != sha256:
            put_frame(self._request.frames_folder(run.method), frame, png)
            run.frames[frame] = sha256
            run.computed += 1
        if self.state is GenerateState.GENERATING:
            self._show(method=run.method, frame=max(self.progress.frame, len(run.frames)), trouble="")

    def _show_worker(self, run: _MethodRun, event: events.Progress) -> None:
        if event.stage == SAMPLING:
            run.denoised[event.frame] = min(self._request.template.segment_frames, self.progress.frames - event.frame)
        if self.state is GenerateState.GENERATING:
            self._show(method=run.method, **common_fields(event, GenerateProgress))

    def _finish(self, now: float) -> None:
        """Every job has ended: check that every frame is there and write down what was made."""
        for run in self._runs:
            missing = [frame for frame in self._request.template.frames if frame not in run.frames]
            if missing:
                raise JobError(
                    "job.frames_missing",
                    f"The backend says that {run.method} is done, but frame {missing[0]} is missing.",
                    "Resume: the missing frame is made again.",
                )
        write_result(self._request, self._result(now))
        self._end(GenerateState.DONE)

    def _result(self, now: float) -> ShotResult:
        ended = self._passes_ended_at if self._passes_ended_at is not None else now
        return ShotResult(
            server=self._server,
            passes_s=ended - self._started_at,
            total_s=now - self._started_at,
            passes=dict(sorted(self._pass_digests.items())),
            methods=tuple(
                MethodResult(
                    method=run.method,
                    job_id=run.job_id,
                    seconds=run.seconds,
                    received=run.computed,
                    frames=dict(sorted(run.frames.items())),
                    files={result_file_name(name): sha256 for name, sha256 in run.files.items()},
                    notes=run.notes,
                )
                for run in self._runs
            ),
        )

    def _open_runs(self) -> list[_MethodRun]:
        return [run for run in self._runs if run.ticket and run.ended_at is None]

    def _fail(self, error: LatentManError, now: float) -> None:
        """Remember the first error, and stop what still runs before the shot ends; a lost backend cannot be asked."""
        self.error = self.error or error
        self.cancel(now)
        if self._lost or not self._open_runs():
            self._end(GenerateState.FAILED)

    def _end(self, state: GenerateState) -> None:
        self._passes.close()
        self.preview = None
        self._show(state=state)

    def _show(self, **changes: Any) -> None:
        shown = replace(self.progress, **changes)
        self.progress = replace(shown, fraction=max(self.progress.fraction, shown.estimate()))


def _listen(watch: StallWatch, event: ClientEvent, now: float) -> None:
    """Which events show that the job's worker is alive, and which that none is at work on it."""
    match event:
        case (
            events.Progress()
            | events.Preview()
            | events.FrameReady()
            | events.FileReady()
            | events.StateChanged(state="running")
        ):
            watch.heard(now)
        case events.StateChanged() | events.Done() | events.Failed() | events.Cancelled():
            watch.rest()
