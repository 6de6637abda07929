"""A job's folder on the backend: everything that running it needs and leaves.

job.json            the job, canonical
inputs/SHA256       passes, shot.json, vertices, charts, named by content
frames/0001.png     finished frames; each appears whole or not at all
segments/0000.safetensors      frame 0's trajectory, for every later segment's keys and values
segments/0008.last.safetensors     the trajectory of a segment's last frame, for the segment after it
segments/0008.memory.safetensors   what is kept of all segments so far, for the next one
segments/0008.latents.safetensors  a sampled segment that waits to be decoded
reuse.json          which segments are finished, for jobs that come after (`reuse`)
batches.json        how many frames went through the model at once, so that a later run rounds the same
result.json         what was measured on the way
atlas.png           a result file (`shared.jobs.result_files`); each appears whole or not at all
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from backend.contract.kept_memory import memory_from_bytes, memory_to_bytes
from backend.contract.trajectory import trajectory_from_bytes, trajectory_to_bytes
from backend.contract.values import Batches, Memory, Segment, SegmentResult, Trajectory
from backend.passes.shot_passes import ShotPasses, open_passes
from shared.errors import InputError, JobError
from shared.files.digest import sha256_bytes
from shared.files.frame_files import frame_name, write_atomic
from shared.files.strict_json import StrictJSONError, convert, dump_json, parse_json
from shared.jobs.job import Job, parse_job
from shared.jobs.result_files import result_file_name

Stored = TypeVar("Stored")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobFolder:
    """Paths and files of one job. Writing is atomic; a file that is there is whole."""

    path: Path

    def job(self) -> Job:
        """The job itself. Raises InputError if `job.json` is not one."""
        return parse_job((self.path / "job.json").read_bytes())

    def passes(self, job: Job) -> ShotPasses:
        """The job's inputs, opened. Raises JobError for one that is missing and PassesError for one that is wrong."""
        missing = [digest for digest in job.inputs.digests() if not (self.path / "inputs" / digest).is_file()]
        if missing:
            raise JobError(
                "job.inputs_missing", f"{len(missing)} of the job's inputs are missing.", "Submit the job again."
            )
        inputs = self.path / "inputs"
        return open_passes(
            [inputs / digest for digest in job.inputs.passes],
            inputs / job.inputs.shot,
            inputs / job.inputs.vertices,
            inputs / job.inputs.charts,
        )

    def has_work(self) -> bool:
        """Whether a run before this one left frames or trajectories."""
        return any((self.path / "frames").glob("*")) or any((self.path / "segments").glob("*"))

    def frame_path(self, frame: int) -> Path:
        """Where a finished frame lies."""
        return self.path / "frames" / frame_name(frame)

    def write_frame(self, frame: int, png: bytes) -> str:
        """Put a finished frame in its place; returns its SHA-256, so that nobody needs to read it for that."""
        self.frame_path(frame).parent.mkdir(exist_ok=True)
        write_atomic(self.frame_path(frame), png)
        return sha256_bytes(png)

    def write_result_file(self, name: str, data: bytes) -> str:
        """Put a result file in its place; returns its SHA-256."""
        write_atomic(self.path / result_file_name(name), data)
        return sha256_bytes(data)

    @property
    def anchor_path(self) -> Path:
        """Where frame 0's trajectory lies."""
        return self.path / "segments" / "0000.safetensors"

    def last_path(self, segment: Segment) -> Path:
        """Where the trajectory of a segment's last frame lies."""
        return self.path / "segments" / f"{segment.start:04d}.last.safetensors"

    def memory_path(self, segment: Segment) -> Path:
        """Where the memory of all segments up to this one lies."""
        return self.path / "segments" / f"{segment.start:04d}.memory.safetensors"

    def _latents_path(self, segment: Segment) -> Path:
        return self.path / "segments" / f"{segment.start:04d}.latents.safetensors"

    def load_anchor(self) -> Trajectory | None:
        """Frame 0's trajectory, None before the first segment has been sampled, and where the file is damaged."""
        return _stored(self.anchor_path, trajectory_from_bytes)

    def load_last(self, segment: Segment) -> Trajectory | None:
        """The trajectory of a segment's last frame, None if it has not been sampled, and where the file is damaged."""
        return _stored(self.last_path(segment), trajectory_from_bytes)

    def load_memory(self, segment: Segment) -> Memory | None:
        """The memory with a segment in it, None if it has not been sampled, and where the file is damaged."""
        return _stored(self.memory_path(segment), memory_from_bytes)

    def load_latents(self, segment: Segment) -> Tensor | None:
        """A sampled segment's latents, None if it has not been sampled, and where the file is damaged."""
        file = self._latents_path(segment)
        if not file.is_file():
            return None
        try:
            latents = load(file.read_bytes())["latents"]
        except (SafetensorError, KeyError) as error:
            _say_damaged(file, error)
            return None
        if latents.ndim == 4 and len(latents) == len(segment):
            return latents
        _say_damaged(file, f"latents of shape {tuple(latents.shape)}")
        return None

    def write_segment(self, segment: Segment, result: SegmentResult) -> None:
        """Keep a sampled segment. Its latents come last: when they are there, all that it carries on is too."""
        (self.path / "segments").mkdir(exist_ok=True)
        if segment.start == 0 and result.first is not None:
            write_atomic(self.anchor_path, trajectory_to_bytes(result.first))
        write_atomic(self.last_path(segment), trajectory_to_bytes(result.last))
        if result.memory is not None:
            write_atomic(self.memory_path(segment), memory_to_bytes(result.memory))
        latents = save({"latents": result.latents.detach().cpu().contiguous()})
        write_atomic(self._latents_path(segment), latents)

    def drop_latents(self, segment: Segment) -> None:
        """Remove a segment's latents, since its frames are there; what it carries on stays."""
        self._latents_path(segment).unlink(missing_ok=True)

    def drop_segments(self, *, anchor: bool, previous: bool, memory: bool) -> None:
        """Remove what nobody needs any more; what a job after this one may go on from stays."""
        kept = {self.anchor_path} if anchor else set()
        ends = (".last.safetensors",) * previous + (".memory.safetensors",) * memory
        for file in (self.path / "segments").glob("*"):
            if file not in kept and not file.name.endswith(ends):
                file.unlink()

    def load_batches(self) -> Batches | None:
        """The batches of the run that began this job, None before it. Raises JobError for a damaged file."""
        file = self.path / "batches.json"
        if not file.is_file():
            return None
        try:
            return convert(parse_json(file.read_bytes()), Batches)
        except (StrictJSONError, InputError) as error:
            what = f"batches.json of the job's folder cannot be read: {error}."
            raise JobError(
                "job.batches", what, "Remove the file. Frames may then differ slightly by rounding."
            ) from error

    def write_batches(self, batches: Batches) -> None:
        """Keep the batches for every later run of this job."""
        write_atomic(self.path / "batches.json", dump_json(asdict(batches)))


def _stored(file: Path, read: Callable[[bytes], Stored]) -> Stored | None:
    if not file.is_file():
        return None
    try:
        return read(file.read_bytes())
    except JobError as error:
        _say_damaged(file, error)
        return None


def _say_damaged(file: Path, why: object) -> None:
    logger.warning("%s is damaged and will be generated again: %s", file, why)
