"""Run one job in its folder, or one segment of it: passes in, finished frames out.

The worker, `latentman run-job`, `latentman run-segment` and any farm run this: all that it needs is in the folder, and
what it finds finished there it does not compute again.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from backend.contract.engine import Engine
from backend.contract.values import NOTHING_CARRIED, Batches, Callbacks, Carried, Memory, Segment
from backend.jobs import warm_model
from backend.jobs.engines import open_engine, prepare_engine
from backend.jobs.folder import JobFolder
from backend.jobs.preview import StepPreviews
from backend.jobs.reuse import SegmentReuse
from backend.jobs.runners import Asked, Emit
from backend.passes.shot_passes import ShotPasses
from shared.errors import InputError, JobError
from shared.files.digest import sha256_file
from shared.files.frame_files import write_atomic
from shared.jobs.carries import Carries, carries
from shared.jobs.job import Job
from shared.jobs.result_files import MAX_RESULT_BYTES, result_file_name
from shared.jobs.reuse import segment_spans
from shared.models.files import ModelFiles
from shared.protocol.job_events import Done, FileDone, FrameDone, Progress
from shared.protocol.worker_memory import WorkerMemory


@dataclass(frozen=True, slots=True)
class DiffusionRunner:
    """The runner (`backend.jobs.runners`) of every engine, with the model's blocks `compiled` or not."""

    compiled: bool = False

    def run(self, folder: Path, emit: Emit, cancelled: Asked, segment: int | None = None) -> None:
        """Run the job in `folder`, or only one segment of it; frames already whole there are only reported.

        Emits Progress, Preview, FrameDone and FileDone, and Done where it has notes. Raises the error that stopped it:
        JobError `job.trajectory` where the segment goes on from one that was not run, CancelledError soon after
        `cancelled()` turns true.
        """
        run = _Run.open(JobFolder(folder), emit, cancelled, self.compiled)
        if segment is None:
            run.whole()
        else:
            run.one_segment(segment)

    def prepare(self, model: str, files: ModelFiles) -> None:
        """Load a model ahead of its job. Raises ModelError."""
        prepare_engine(model, files, compiled=self.compiled)

    def release(self) -> None:
        """Forget the model and give its memory back."""
        warm_model.release(compiled=self.compiled)

    def memory(self) -> WorkerMemory:
        """What this process holds of the memory where the model lies."""
        return warm_model.memory()


RUNNER = DiffusionRunner()


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
    """One run of one job, or of one of its segments."""

    folder: JobFolder
    job: Job
    passes: ShotPasses
    engine: Engine
    emit: Emit
    cancelled: Asked
    clock: _Clock
    previews: StepPreviews
    segments: list[Segment]
    to_sample: tuple[Segment, ...] = ()
    digests: dict[int, str] = field(default_factory=dict)  # of the frames whose files this run wrote or checked

    @classmethod
    def open(cls, folder: JobFolder, emit: Emit, cancelled: Asked, compiled: bool) -> _Run:
        """Read the inputs and load the model."""
        job, clock = folder.job(), _Clock()
        frames = len(job.frames)
        emit(Progress("loading", 0, job.steps, 0, frames))
        since = time.monotonic()
        passes = folder.passes(job)
        _check_shot(job, passes)
        clock.charge("passes", since)
        since = time.monotonic()
        engine = open_engine(job, passes, compiled=compiled)
        clock.charge("loading", since)
        segments = [Segment(*span) for span in segment_spans(frames, job.segment_frames)]
        return cls(folder, job, passes, engine, emit, cancelled, clock, StepPreviews(engine.preview), segments)

    @property
    def carries(self) -> Carries:
        """What the job's segments hand on."""
        return carries(self.job)

    def whole(self) -> None:
        """Every segment that is not whole and that no earlier job has, in order; then `result.json`."""
        reuse = self._take_over()
        self.to_sample = tuple(segment for segment in self.segments if not self._is_whole(segment))
        for index in range(len(self.segments)):
            self._run_segment(index, reuse)
        self._end(reuse)

    def one_segment(self, index: int) -> None:
        """One segment, counted from 0, from what those before it left; `result.json` comes with the last frame,
        and its times are this process's.

        Raises InputError for a segment that the job does not have, JobError where what it goes on from is not there.
        """
        if not 0 <= index < len(self.segments):
            what = f"The job has no segment {index}: its {len(self.segments)} segments are counted from 0."
            raise InputError("job.segment", what, "Choose one of them.")
        reuse, segment = self._take_over(), self.segments[index]
        if not self._is_whole(segment):
            self.to_sample = (segment,)
            if self.folder.load_latents(segment) is None:
                self._require_carried(index)
        elif self._lost_what_it_carries_on(index):
            self.to_sample = (segment,)
            self._require_carried(index)
            self._latents(index)
        self._run_segment(index, reuse)
        self.folder.drop_latents(segment)
        if all(map(self._is_whole, self.segments)):
            self._end(reuse)

    def _take_over(self) -> SegmentReuse:
        reuse = SegmentReuse.open(self.folder, self.job, self.passes, self.engine.facts.machinery)
        reuse.take_over()
        self.digests |= reuse.taken
        return reuse

    def _run_segment(self, index: int, reuse: SegmentReuse) -> None:
        segment = self.segments[index]
        if not self._is_whole(segment):
            self._decode(index, self._latents(index))
        reuse.note(index, self._report(segment))

    def _end(self, reuse: SegmentReuse) -> None:
        memory, kept = self._memory(len(self.segments) - 1), self.carries
        notes = (*self.engine.notes(memory), *self._give_files(self.engine.files(memory)))
        self._write_result(len(reuse.taken), notes)
        self.folder.drop_segments(anchor=kept.first, previous=kept.previous, memory=kept.memory)
        if notes:
            self.emit(Done(notes))

    def _give_files(self, files: Mapping[str, bytes]) -> Iterator[str]:
        """Put the result files into the folder and tell of them; a sentence for each that is too large to be sent."""
        for name, data in files.items():
            digest = self.folder.write_result_file(name, data)
            if len(data) <= MAX_RESULT_BYTES:
                self.emit(FileDone(name, digest))
            else:
                shown = f"{result_file_name(name)} ({len(data) >> 20} MB)"
                yield f"{shown} is too large to send; it stays in the backend's folder of the job."

    def _lost_what_it_carries_on(self, index: int) -> bool:
        """Whether what later segments need of this one is not there, or not whole."""
        return (index == 0 and self._lacks_first()) or self._lacks_what_the_next_needs(index)

    def _lacks_first(self) -> bool:
        return self.carries.first and self.folder.load_anchor() is None

    def _lacks_what_the_next_needs(self, index: int) -> bool:
        """The trajectory of the segment's last frame, or the memory with it, where they are needed."""
        segment = self.segments[index]
        lost = self.carries.previous and self.folder.load_last(segment) is None
        return lost or (self.carries.memory and self.folder.load_memory(segment) is None)

    def _require_carried(self, index: int) -> None:
        """Raise JobError where a segment goes on from one that has not been run."""
        needed = [0] if index and self._lacks_first() else []
        if index and self._lacks_what_the_next_needs(index - 1):
            needed.append(index - 1)
        if needed:
            what = f"Segment {index} needs the results of segment {needed[0]}, which are missing or damaged."
            raise JobError("job.trajectory", what, f"Run segment {needed[0]} first.")

    def _latents(self, index: int) -> Tensor:
        """The segment's clean latents: sampled, or as a run before this one left them with all that goes with them."""
        segment = self.segments[index]
        stored = None if self._lost_what_it_carries_on(index) else self.folder.load_latents(segment)
        if stored is not None:
            return stored
        carried = self._carried(index)
        since = time.monotonic()
        callbacks = Callbacks(self._on_step(segment), self._on_frame(segment), self.cancelled)
        result = self.engine.sample(segment, carried, self._batches(), callbacks)
        self.folder.write_segment(segment, result)
        self.clock.charge("sampling", since)
        return result.latents

    def _carried(self, index: int) -> Carried:
        """What the segment goes on from; what is missing of it is sampled first."""
        folder, kept = self.folder, self.carries
        if index == 0:
            return NOTHING_CARRIED
        before = self.segments[index - 1]
        if self._lacks_what_the_next_needs(index - 1):
            self._latents(index - 1)
        if self._lacks_first():
            self._latents(0)
        return Carried(
            folder.load_anchor() if kept.first else None,
            folder.load_last(before) if kept.previous else None,
            folder.load_memory(before) if kept.memory else None,
        )

    def _batches(self) -> Batches:
        """As the job's first run chose them, since they change the rounding."""
        kept = self.folder.load_batches()
        if kept is None:
            kept = self.engine.plan()
            self.folder.write_batches(kept)
        return kept

    def _on_frame(self, segment: Segment) -> Callable[[str, int], None]:
        """Progress over what comes ahead of a segment's steps; the frames before the segment are the finished ones."""
        frames = len(self.job.frames)

        def on_frame(stage: str, frame: int) -> None:
            self.emit(Progress(stage, frame, frames - 1, segment.start, frames))

        return on_frame

    def _on_step(self, segment: Segment) -> Callable[[int, int, Tensor], None]:
        """Progress over the whole shot, and a small preview now and then. Time is that of the segments to be sampled:
        those that are there take none."""
        frames = len(self.job.frames)
        before = sum(len(one) for one in self.to_sample if one.start < segment.start)
        whole = sum(map(len, self.to_sample))

        def on_step(step: int, steps: int, x0: Tensor) -> None:
            left = self.clock.seconds_left(before * steps + len(segment) * step, whole * steps)
            self.emit(Progress("sampling", step, steps, segment.start, frames, left))
            if step < steps:  # the frames themselves follow the last one
                self.previews.show(self.job.frames[segment.start], x0[0], self.emit)

        return on_step

    def _memory(self, index: int) -> Memory | None:
        """The memory with a segment in it, None where the job keeps none; made again where it is lost."""
        if not self.carries.memory:
            return None
        kept = self.folder.load_memory(self.segments[index])
        if kept is None:
            self._latents(index)
            kept = self.folder.load_memory(self.segments[index])
        return kept

    def _decode(self, index: int, latents: Tensor) -> None:
        """Decode the segment's frames that are not on disk yet, one at a time."""
        since, job, segment, memory = time.monotonic(), self.job, self.segments[index], self._memory(index)
        missing = [
            place
            for place in range(segment.start, segment.stop)
            if not self.folder.frame_path(job.frames[place]).is_file()
        ]
        pictures = self.engine.decode(segment, latents, missing, memory, Callbacks(cancelled=self.cancelled))
        for place in missing:
            self.emit(Progress("decoding", job.steps, job.steps, place, len(job.frames)))
            frame = job.frames[place]
            self.digests[frame] = self.folder.write_frame(frame, _png(next(pictures)))
        self.clock.charge("decoding", since)

    def _is_whole(self, segment: Segment) -> bool:
        return all(self.folder.frame_path(frame).is_file() for frame in self._frames(segment))

    def _report(self, segment: Segment) -> tuple[str, ...]:
        """Tell of each frame, and return their digests. A file that this run neither wrote nor checked is read."""
        for frame in self._frames(segment):
            if frame not in self.digests:
                self.digests[frame] = sha256_file(self.folder.frame_path(frame))
            self.emit(FrameDone(frame, self.digests[frame]))
        return tuple(self.digests[frame] for frame in self._frames(segment))

    def _frames(self, segment: Segment) -> tuple[int, ...]:
        return self.job.frames[segment.start : segment.stop]

    def _write_result(self, reused_frames: int, notes: tuple[str, ...]) -> None:
        facts = self.engine.facts
        result = {
            "spent_s": self.clock.spent_s,
            "total_s": time.monotonic() - self.clock.started,
            "device": facts.device,
            "dtype": facts.dtype,
            "torch": torch.__version__,
            "prompt_cut": facts.prompt_cut,
            "notes": notes,
            "reused_frames": reused_frames,
            "settings": asdict(self.job.settings),
            "finish": asdict(self.job.finish),
        }
        write_atomic(self.folder.path / "result.json", json.dumps(result, indent=1).encode())


def _check_shot(job: Job, passes: ShotPasses) -> None:
    shot = passes.shot
    if (shot.width, shot.height) != (job.width, job.height) or tuple(shot.frames) != job.frames:
        raise InputError(
            "job.shot",
            f"The job asks for {len(job.frames)} frames of {job.width}x{job.height}; "
            f"its shot has {len(shot.frames)} of {shot.width}x{shot.height}, or other frame numbers.",
            "Render the passes with the job's settings.",
        )


def _png(picture: NDArray[np.uint8]) -> bytes:
    """A picture (height, width, 3) as PNG bytes."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()
