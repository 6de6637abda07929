"""Finished segments of earlier jobs, taken over by a job whose own would be the same.

The job folders of a work folder lie side by side, each named by its job's digest. A folder that lies elsewhere (a
farm's) has no such neighbours, and is simply computed.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import diffusers
import torch

from backend.contract.values import Segment
from backend.jobs.code_digest import code_digest
from backend.jobs.folder import JobFolder
from backend.passes.shot_passes import ShotPasses
from shared.files.digest import is_digest, sha256_bytes, sha256_file
from shared.files.frame_files import link_or_copy, storage_error, write_atomic
from shared.files.strict_json import dump_json
from shared.jobs.carries import Carries, carries
from shared.jobs.job import Job
from shared.jobs.reuse import (
    RECORD_FILE,
    ReuseRecord,
    SegmentRecord,
    ShotFacts,
    geometry_digest,
    read_record,
    read_records,
    segment_keys,
    segment_spans,
)

COMPILING = "backend.models.sd15.compiled"


def computing_code(method: type, computing: tuple[str, ...], *, compiled: bool = False) -> str:
    """A digest of this program's code that a picture of a method depends on: the modules `computing`, the method's own,
    and all that they import. Blocks that are `compiled` round otherwise, and count as other code."""
    return code_digest((*computing, method.__module__, *((COMPILING,) if compiled else ())))


def machinery(device: torch.device, dtype: torch.dtype, files: str, code: str) -> str:
    """What computes, as a digest: equal inputs give equal bytes on the same device, by the same program and files.

    `files` stands for the model's files as they are now, `code` for the program: a quicker kernel rounds otherwise.
    """
    cuda = device.type == "cuda"
    name = torch.cuda.get_device_name(device) if cuda else f"{platform.machine()}, {torch.get_num_threads()} threads"
    versions = f"torch {torch.__version__}, diffusers {diffusers.__version__}, {code}"
    return sha256_bytes(f"{device.type} {name}, {dtype}, {versions}, {files}".encode())


def shot_facts(job: Job, passes: ShotPasses) -> ShotFacts:
    """The facts of passes that are at hand."""
    shot = passes.shot
    rows = zip(shot.camera.world_to_camera, shot.camera.intrinsics, passes.vertices, strict=True)
    return ShotFacts(shot.near_m, shot.far_m, job.inputs.charts, tuple(geometry_digest(*row) for row in rows))


@dataclass(slots=True)
class SegmentReuse:
    """The finished segments of one job by their keys, its own and those that it took over.

    A folder with work of other machinery (another device, an earlier version) is `mixed`: its job continues as usual,
    but reuses nothing and is not recorded.
    """

    folder: JobFolder
    job: Job
    keys: tuple[str, ...]
    machinery: str
    mixed: bool
    finished: dict[str, SegmentRecord]
    taken: dict[int, str] = field(default_factory=dict)  # the digests of the frames that were taken over, by number

    @property
    def carries(self) -> Carries:
        """What the job's segments hand on."""
        return carries(self.job)

    @classmethod
    def open(cls, folder: JobFolder, job: Job, passes: ShotPasses, machinery: str) -> SegmentReuse:
        """With what the folder's own record says; one is begun with the job. Raises LatentManError `storage.*`."""
        own = read_record(folder.path / RECORD_FILE)
        mixed = folder.has_work() if own is None else own.machinery != machinery
        finished = {one.key: one for one in own.segments} if own is not None and not mixed else {}
        reuse = cls(folder, job, segment_keys(job, shot_facts(job, passes)), machinery, mixed, finished)
        reuse._write()
        return reuse

    def take_over(self) -> None:
        """Put the segments that earlier jobs finished into the folder, as a run before this one would have left them.

        Raises LatentManError `storage.*`.
        """
        wanted = {key for key in self.keys if key not in self.finished}
        if self.mixed or not wanted or not is_digest(self.folder.path.name):
            return
        try:
            for name in ("frames", "segments"):
                (self.folder.path / name).mkdir(exist_ok=True)
            for folder, record in self._others():
                for one in record.segments:
                    if one.key in wanted and self._take(folder, one):
                        wanted.discard(one.key)
        except OSError as error:
            raise storage_error(error, self.folder.path) from error
        self._write()

    def note(self, index: int, pngs: tuple[str, ...]) -> None:
        """Write down that a segment is whole; `pngs` are the digests of its frames' files."""
        record = None if self.keys[index] in self.finished else self._record(index, pngs)
        if record is not None:
            self.finished[record.key] = record
            self._write()

    def _others(self) -> Iterator[tuple[JobFolder, ReuseRecord]]:
        for path, record in read_records(self.folder.path.parent):
            if path != self.folder.path and is_digest(path.name) and record.machinery == self.machinery:
                yield JobFolder(path), record

    def _take(self, source: JobFolder, one: SegmentRecord) -> bool:
        """Take a segment's files if all are there as recorded; what the folder has already stays."""
        segment = self._segment(self.keys.index(one.key))
        numbers = self._numbers(segment)
        if len(one.frames) != len(numbers) or len(one.pngs) != len(numbers):
            return False
        rows = list(zip(one.frames, numbers, one.pngs, strict=True))
        files = [(source.frame_path(there), self.folder.frame_path(here), png) for there, here, png in rows]
        if one.anchor:
            files.append((source.anchor_path, self.folder.anchor_path, one.anchor))
        if one.last:
            files.append((source.last_path(segment), self.folder.last_path(segment), one.last))
        if one.memory:
            files.append((source.memory_path(segment), self.folder.memory_path(segment), one.memory))
        if not all(_digest(path) == digest for path, _, digest in files):
            return False
        frames = {here: png for _, here, png in rows if not self.folder.frame_path(here).exists()}
        new = [(path, target) for path, target, _ in files if not target.exists()]
        try:
            for path, target in new:
                link_or_copy(path, target)
        except FileNotFoundError:  # cleaned away this moment; what was taken is right, and the rest is computed
            return False
        self.taken |= frames
        self.finished[one.key] = replace(one, frames=numbers)
        return True

    def _record(self, index: int, pngs: tuple[str, ...]) -> SegmentRecord | None:
        """What there is of a segment; None where something that a later one would need is gone."""
        segment = self._segment(index)
        anchor = _digest(self.folder.anchor_path) if self.carries.first and index == 0 else ""
        last = _digest(self.folder.last_path(segment)) if self.carries.previous else ""
        memory = _digest(self.folder.memory_path(segment)) if self.carries.memory else ""
        if anchor is None or last is None or memory is None:
            return None
        return SegmentRecord(self.keys[index], self._numbers(segment), pngs, anchor, last, memory)

    def _segment(self, index: int) -> Segment:
        return Segment(*segment_spans(len(self.job.frames), self.job.segment_frames)[index])

    def _numbers(self, segment: Segment) -> tuple[int, ...]:
        return self.job.frames[segment.start : segment.stop]

    def _write(self) -> None:
        if self.mixed:
            return
        segments = tuple(self.finished[key] for key in self.keys if key in self.finished)
        write_atomic(self.folder.path / RECORD_FILE, dump_json(ReuseRecord(self.machinery, segments)))


def _digest(path: Path) -> str | None:
    """The digest of a file, None where it is not there, or is gone by now."""
    try:
        return sha256_file(path)
    except OSError:
        return None
