"""Run one job in its folder: passes in, finished frames out, segment by segment.

The one function of the worker, of `latentman run-segment`, and of any farm: all that it needs is in the folder, and
what it finds finished there it does not compute again.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from backend.correspondence.chart_index import chart_index
from backend.correspondence.types import Matches
from backend.jobs.folder import Batches, JobFolder
from backend.jobs.preview import StepPreviews
from backend.jobs.reuse import SegmentReuse, machinery
from backend.jobs.worker_events import FrameDone, Progress, WorkerEvent
from backend.loop.method import Method
from backend.loop.segment import Callbacks, SampleSettings, Segment, fitted_settings, sample_segment
from backend.machine.device_memory import give_back, measure_memory
from backend.methods.inputs import LatentManMatches, MethodInputs, guidance_size
from backend.methods.latentman.shot_matcher import iter_matches
from backend.methods.table import METHOD_CLASSES
from backend.models.sd15.components import Components, load_components, resolve_device
from backend.models.sd15.decode import decode_frames
from backend.models.sd15.latent_colours import LatentColours, fit_colours
from backend.models.sd15.text import PromptEmbeds, encode_keyed_prompts, encode_prompt
from backend.models.sd15.tiny_decoder import with_tiny_decoder
from backend.models.sources import find_sources
from backend.passes.shot_passes import ShotPasses, depth_pictures
from shared.errors import CancelledError, InputError
from shared.files.frame_files import write_atomic
from shared.jobs.job import Job
from shared.jobs.keyed_prompts import parse_prompts
from shared.jobs.reuse import segment_spans
from shared.methods import method_named
from shared.methods.latentman import span_acts
from shared.models.files import ModelFiles
from shared.protocol.worker_memory import WorkerMemory

Emit = Callable[[WorkerEvent], None]


@dataclass(frozen=True, slots=True, eq=False)
class WarmModel:
    """A model in memory, and what its previews are made with."""

    components: Components
    colours: LatentColours


@functools.lru_cache(maxsize=1)
def _loaded(model: str, files: ModelFiles, _stamp: str) -> WarmModel:
    components = load_components(model, "auto", "auto", files=files)
    return WarmModel(components, fit_colours(components))


def warm_model(model: str, files: ModelFiles) -> WarmModel:
    """The model, kept in memory until another one is asked for or a file of it changed.

    Raises ModelError.
    """
    return _loaded(model, files, find_sources(model, files).stamp())


def prepare(model: str, files: ModelFiles) -> None:
    """Load a model ahead of its job. Raises ModelError."""
    warm_model(model, files)


def release() -> None:
    """Forget the model and give its memory back; the next job loads it again."""
    _loaded.cache_clear()
    give_back(resolve_device("auto"))


def memory() -> WorkerMemory:
    """What this process holds of the memory where the model lies."""
    return measure_memory(resolve_device("auto"), model_loaded=_loaded.cache_info().currsize > 0)


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


@dataclass(frozen=True, slots=True, eq=False)
class _Inputs:
    """What sampling takes beside the model."""

    depth: NDArray[np.float32]  # (frames, height, width)
    prompt: PromptEmbeds
    method: Method


@dataclass(slots=True)
class _Run:
    """One run of one job."""

    folder: JobFolder
    job: Job
    passes: ShotPasses
    components: Components
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
        warm = warm_model(job.model, job.model_files)
        components = _with_its_decoder(warm.components, job)
        clock.charge("loading", since)
        return cls(folder, job, passes, components, emit, cancelled, clock, StepPreviews(warm.colours))

    def finish(self) -> None:
        """Every segment that is not whole and that no earlier job has, in order; then `result.json`."""
        prompt, method = self._prompt(), method_named(self.job.method)
        segments = [Segment(*span) for span in segment_spans(len(self.job.frames), self.job.segment_frames)]
        files = find_sources(self.job.model, self.job.model_files).stamp()
        reuse = SegmentReuse.open(self.folder, self.job, self.passes, machinery(self.components, files))
        reuse.take_over()
        self.to_sample = tuple(segment for segment in segments if not self._is_whole(segment))
        inputs = self._inputs(prompt) if self.to_sample else None
        for index, segment in enumerate(segments):
            if inputs is not None and not self._is_whole(segment):
                self._decode(segment, self._latents(index, segments, inputs))
            self._report(segment)
            reuse.note(index)
        self._write_result(prompt, reuse.taken_frames)
        self.folder.drop_segments(anchor=method.needs_first, previous=method.needs_previous)

    def _inputs(self, prompt: PromptEmbeds) -> _Inputs:
        method = METHOD_CLASSES[self.job.method].build(
            MethodInputs(self.job.latentman, self._matches(), self.passes.part)
        )
        return _Inputs(depth_pictures(self.passes), prompt, method)

    def _prompt(self) -> PromptEmbeds:
        job = self.job
        if job.prompts:
            keys = parse_prompts(job.prompts)
            return encode_keyed_prompts(self.components, keys, job.frames, job.negative_prompt)
        return encode_prompt(self.components, job.prompt, job.negative_prompt)

    def _matches(self) -> LatentManMatches | None:
        """Matches of consecutive frames at both sizes, where the method needs them."""
        job, settings = self.job, self.job.latentman
        if not method_named(job.method).matches:
            return None
        since = time.monotonic()
        factor = self.components.latent_factor
        sizes = {
            "latent": (job.height // factor, job.width // factor) if span_acts(settings.align) else None,
            "guidance": guidance_size(job.height, job.width) if span_acts(settings.guide) else None,
        }
        found: dict[str, list[Matches]] = {name: [] for name in sizes}
        index = chart_index(self.passes.charts) if settings.correspondence == "surface" else None
        matchers = {name: iter_matches(self.passes, settings, *size, index) for name, size in sizes.items() if size}
        for frame in range(1, len(job.frames)):
            self._check_cancelled()
            self.emit(Progress("correspondence", frame, len(job.frames) - 1, 0, len(job.frames)))
            for name, matcher in matchers.items():
                found[name].append(next(matcher))
        self.clock.charge("correspondence", since)
        return LatentManMatches(**found)

    def _latents(self, index: int, segments: list[Segment], inputs: _Inputs) -> Tensor:
        """The segment's clean latents: sampled, or as a run before this one left them."""
        segment, folder = segments[index], self.folder
        stored = folder.load_latents(segment)
        if stored is not None:
            return stored
        spec = inputs.method.spec
        if index and spec.needs_previous and folder.load_last(segments[index - 1]) is None:
            self._latents(index - 1, segments, inputs)
        if index and spec.needs_first and folder.load_anchor() is None:
            self._latents(0, segments, inputs)
        since = time.monotonic()
        result = sample_segment(
            self.components,
            inputs.method,
            inputs.prompt,
            inputs.depth[segment.start : segment.stop],
            inputs.depth[0],
            self._settings(inputs.method),
            segment,
            folder.load_anchor() if index else None,
            folder.load_last(segments[index - 1]) if index else None,
            Callbacks(self._on_step(index, segments), self.cancelled),
        )
        folder.write_segment(segment, result)
        self.clock.charge("sampling", since)
        return result.latents

    def _settings(self, method: Method) -> SampleSettings:
        """The job's settings; batches as its first run chose them, since they change the rounding."""
        job = self.job
        settings = SampleSettings(job.steps, job.guidance_scale, job.controlnet_scale, job.seed, job.height, job.width)
        kept = self.folder.load_batches()
        if kept is None:
            fitted = fitted_settings(self.components, method, settings)
            kept = Batches(fitted.micro_batch or 1, fitted.graph_batch or 1)
            self.folder.write_batches(kept)
        return replace(settings, **asdict(kept))

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
        since = time.monotonic()
        for offset, index in enumerate(range(segment.start, segment.stop)):
            if self.folder.frame_path(self.job.frames[index]).is_file():
                continue
            self._check_cancelled()
            self.emit(Progress("decoding", self.job.steps, self.job.steps, index, len(self.job.frames)))
            picture = decode_frames(self.components, latents[offset : offset + 1])[0]
            self.folder.write_frame(self.job.frames[index], _png(picture))
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

    def _write_result(self, prompt: PromptEmbeds, reused_frames: int) -> None:
        components = self.components
        result = {
            "spent_s": self.clock.spent_s,
            "total_s": time.monotonic() - self.clock.started,
            "device": str(components.device),
            "dtype": str(components.dtype).removeprefix("torch."),
            "torch": torch.__version__,
            "prompt_cut": prompt.cut,
            "reused_frames": reused_frames,
            "latentman": asdict(self.job.latentman),
        }
        write_atomic(self.folder.path / "result.json", json.dumps(result, indent=1).encode())


def _with_its_decoder(components: Components, job: Job) -> Components:
    """The model as the job guides by it; a tiny decoder takes no longer to read than to look whether it has changed."""
    guides = method_named(job.method).matches and span_acts(job.latentman.guide)
    if not guides or job.latentman.guide_decoder == "full":
        return components
    return with_tiny_decoder(components, find_sources(job.model, job.model_files))


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
