"""Run one job in its folder: passes in, finished frames out, segment by segment.

The one function of the worker, of `latentman run-segment`, and of any farm: all that it needs is in the folder, and
what it finds finished there it does not compute again.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from backend.contract.engine import Engine
from backend.contract.values import NOTHING_CARRIED, Batches, Callbacks, Carried, Segment
from backend.jobs.engines import open_engine
from backend.jobs.folder import JobFolder
from backend.jobs.preview import StepPreviews
from backend.jobs.reuse import SegmentReuse
from backend.jobs.warm_model import memory, release, warm_model
from backend.jobs.worker_events import FrameDone, Progress, WorkerEvent
from backend.passes.shot_passes import ShotPasses
from shared.errors import CancelledError, InputError
from shared.files.frame_files import write_atomic
from shared.jobs.job import Job
from shared.jobs.reuse import segment_spans
from shared.methods import method_named
from shared.models.files import ModelFiles

Emit = Callable[[WorkerEvent], None]

__all__ = ["memory", "prepare", "release", "run_job"]


def prepare(model: str, files: ModelFiles) -> None:
    """Load a model ahead of its job. Raises ModelError."""
    warm_model(model, files)


def run_job(folder: Path, emit: Emit, cancelled: Callable[[], bool]) -> None:
    """Run the job in `folder` to its end; frames already whole there are only reported.

    Emits Progress, Preview and FrameDone. Raises the error that stopped it; CancelledError soon after `cancelled()`
    turns true.
    """
    _Run.open(JobFolder(folder), emit, cancelled).finish()


@dataclass(slots=True)
class _Clock:
    """Seconds spent by stage, and the seconds left judged by the pace of the steps so far."""

    spent_s: dict[str, float] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)
    first_done: int | None = None
    first_at: float = 0.0

    def charge(self, stage: str, since: float) -> None:
        """Add the time since `since` to a stage."""
        self.spent_s[stage] = self.spent_s.get(stage, 0.0) + time.monotonic() - since

    def seconds_left(self, done: int, total: int) -> float | None:
        """From the pace since the first step that was seen; None until there is a pace."""
        now = time.monotonic()
        if self.first_done is None or done <= self.first_done:
            self.first_done, self.first_at = done, now
            return None
        return (total - done) * (now - self.first_at) / (done - self.first_done)


@dataclass(slots=True)
class _Run:
    """One run of one job."""

    folder: JobFolder
    job: Job
    passes: ShotPasses
    engine: Engine
    emit: Emit
    cancelled: Callable[[], bool]
    clock: _Clock
    previews: StepPreviews
    to_sample: tuple[Segment, ...] = ()

    @classmethod
    def open(cls, folder: JobFolder, emit: Emit, cancelled: Callable[[], bool]) -> _Run:
        """Read the inputs and load the model."""
        job, clock = folder.job(), _Clock()
        frames = len(job.frames)
        emit(Progress("loading", 0, job.steps, 0, frames))
        since = time.monotonic()
        passes = folder.passes(job)
        _check_shot(job, passes)
        clock.charge("passes", since)
        since = time.monotonic()
        engine = open_engine(job, passes)
        clock.charge("loading", since)
        return cls(folder, job, passes, engine, emit, cancelled, clock, StepPreviews(engine.preview))

    def finish(self) -> None:
        """Every segment that is not whole and that no earlier job has, in order; then `result.json`."""
        method = method_named(self.job.method)
        segments = [Segment(*span) for span in segment_spans(len(self.job.frames), self.job.segment_frames)]
        reuse = SegmentReuse.open(self.folder, self.job, self.passes, self.engine.facts.machinery)
        reuse.take_over()
        self.to_sample = tuple(segment for segment in segments if not self._is_whole(segment))
        for index, segment in enumerate(segments):
            if not self._is_whole(segment):
                self._decode(segment, self._latents(index, segments))
            self._report(segment)
            reuse.note(index)
        self._write_result(reuse.taken_frames)
        self.folder.drop_segments(anchor=method.needs_first, previous=method.needs_previous)

    def _latents(self, index: int, segments: list[Segment]) -> Tensor:
        """The segment's clean latents: sampled, or as a run before this one left them."""
        segment = segments[index]
        stored = self.folder.load_latents(segment)
        if stored is not None:
            return stored
        carried = self._carried(index, segments)
        since, matched = time.monotonic(), self.clock.spent_s.get("correspondence", 0.0)
        callbacks = Callbacks(self._on_step(index, segments), self._on_frame, self.cancelled)
        result = self.engine.sample(segment, carried, self._batches(), callbacks)
        self.folder.write_segment(segment, result)
        self.clock.charge("sampling", since + self.clock.spent_s.get("correspondence", 0.0) - matched)
        return result.latents

    def _carried(self, index: int, segments: list[Segment]) -> Carried:
        """What the segment goes on from; what is missing of it is sampled first."""
        method, folder = method_named(self.job.method), self.folder
        if index == 0:
            return NOTHING_CARRIED
        if method.needs_previous and folder.load_last(segments[index - 1]) is None:
            self._latents(index - 1, segments)
        if method.needs_first and folder.load_anchor() is None:
            self._latents(0, segments)
        return Carried(folder.load_anchor(), folder.load_last(segments[index - 1]))

    def _batches(self) -> Batches:
        """As the job's first run chose them, since they change the rounding."""
        kept = self.folder.load_batches()
        if kept is None:
            kept = self.engine.plan()
            self.folder.write_batches(kept)
        return kept

    def _on_frame(self, stage: str, frame: int) -> None:
        """Progress over the frames of what comes ahead of a segment's steps."""
        frames = len(self.job.frames)
        self.emit(Progress(stage, frame, frames - 1, frame, frames))

    def _on_step(self, index: int, segments: list[Segment]) -> Callable[[int, int, Tensor], None]:
        """Progress over the whole shot, and a small preview now and then. Time is that of the segments to be sampled:
        those that are there take none."""
        frames = len(self.job.frames)
        segment = segments[index]
        before = sum(len(one) for one in self.to_sample if one.start < segment.start)
        whole = sum(map(len, self.to_sample))

        def on_step(step: int, steps: int, x0: Tensor) -> None:
            left = self.clock.seconds_left(before * steps + len(segment) * step, whole * steps)
            self.emit(Progress("sampling", step, steps, segment.start, frames, left))
            if step < steps:  # the frames themselves follow the last one
                self.previews.show(self.job.frames[segment.start], x0[0], self.emit)

        return on_step

    def _decode(self, segment: Segment, latents: Tensor) -> None:
        """Decode the segment's frames that are not on disk yet, one at a time."""
        since, job = time.monotonic(), self.job
        missing = [
            index
            for index in range(segment.start, segment.stop)
            if not self.folder.frame_path(job.frames[index]).is_file()
        ]
        pictures = self.engine.decode(segment, latents, missing)
        for index in missing:
            self._check_cancelled()
            self.emit(Progress("decoding", job.steps, job.steps, index, len(job.frames)))
            self.folder.write_frame(job.frames[index], _png(next(pictures)))
        self.clock.charge("decoding", since)

    def _is_whole(self, segment: Segment) -> bool:
        return all(self.folder.frame_path(frame).is_file() for frame in self._frames(segment))

    def _report(self, segment: Segment) -> None:
        for frame in self._frames(segment):
            digest = hashlib.sha256(self.folder.frame_path(frame).read_bytes()).hexdigest()
            self.emit(FrameDone(frame, digest))

    def _frames(self, segment: Segment) -> tuple[int, ...]:
        return self.job.frames[segment.start : segment.stop]

    def _check_cancelled(self) -> None:
        if self.cancelled():
            raise CancelledError("job.cancelled", "The job was cancelled.")

    def _write_result(self, reused_frames: int) -> None:
        facts = self.engine.facts
        result = {
            "spent_s": self.clock.spent_s,
            "total_s": time.monotonic() - self.clock.started,
            "device": facts.device,
            "dtype": facts.dtype,
            "torch": torch.__version__,
            "prompt_cut": facts.prompt_cut,
            "reused_frames": reused_frames,
            "settings": asdict(self.job.settings),
        }
        write_atomic(self.folder.path / "result.json", json.dumps(result, indent=1).encode())


def _check_shot(job: Job, passes: ShotPasses) -> None:
    shot = passes.shot
    if (shot.width, shot.height) != (job.width, job.height) or tuple(shot.frames) != job.frames:
        raise InputError(
            "job.shot",
            f"The job asks for {len(job.frames)} frames of {job.width}x{job.height}; "
            f"its shot has {len(shot.frames)} of {shot.width}x{shot.height}, or other frame numbers.",
            "Render the passes with the job's own settings.",
        )


def _png(picture: NDArray[np.uint8]) -> bytes:
    """A picture (height, width, 3) as PNG bytes."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()
