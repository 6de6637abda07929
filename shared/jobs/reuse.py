"""Which segments of a shot need not be generated again: names by content, and the record that a job leaves of them.

A segment's key is a digest of all that its frames depend on: the job's values (`identity`), the frames' prompts, their
passes, the shot's depth range; and, as method and finish depend on them (`carries`), the body's geometry, the shot's
frame 0 and the frames before. Equal keys mean equal frames. So a job with an edit from some frame on finds what lies
before it under the keys of an earlier job.

WORK/jobs/JOB_ID/reuse.json is the record: the keys of the segments that are finished there, with digests of what can
be taken over. Add-on and backend make keys by this module alone, so that the panel can count beforehand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..files.strict_json import StrictJSONError, convert, dump_json, parse_json
from .carries import carries
from .identity import segment_values
from .job import Job
from .keyed_prompts import parse_prompts, prompt_mixes

VERSION = 1  # rises when the same inputs come to give other frames
JOBS_FOLDER = "jobs"  # in a backend's work folder
RECORD_FILE = "reuse.json"
UNKNOWN = ""  # stands for the digest of a pass that is not rendered yet


@dataclass(frozen=True, slots=True)
class ShotFacts:
    """What a key needs to know of a shot beside its passes. `geometry` is `geometry_digest` of each frame."""

    near_m: float
    far_m: float
    charts: str
    geometry: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SegmentRecord:
    """A finished segment: its frames' numbers, digests of their PNG files and of what a later segment needs.

    `anchor` is that of frame 0's trajectory, in the first segment alone; `last` that of its last frame's; `memory` that
    of the memory. Empty where the job has no use for it.
    """

    key: str
    frames: tuple[int, ...]
    pngs: tuple[str, ...]
    anchor: str = ""
    last: str = ""
    memory: str = ""


@dataclass(frozen=True, slots=True)
class ReuseRecord:
    """The finished segments of a job, and on what they were computed: equal bytes come from equal machinery only."""

    machinery: str
    segments: tuple[SegmentRecord, ...] = ()
    version: int = VERSION


def segment_spans(frames: int, size: int) -> tuple[tuple[int, int], ...]:
    """The segments of a shot: first frame and the one behind the last, counted from 0."""
    return tuple((start, min(start + size, frames)) for start in range(0, frames, size))


def geometry_digest(
    world_to_camera: NDArray[np.float64],  # (4, 4)
    intrinsics: NDArray[np.float64],  # (3, 3)
    vertices: NDArray[np.float32],  # (V, 3) metres
) -> str:
    """What correspondences know of one frame, as a digest."""
    digest = hashlib.sha256()
    for matrix in (world_to_camera, intrinsics):
        digest.update(np.ascontiguousarray(matrix, np.float64).tobytes())
    digest.update(np.ascontiguousarray(vertices, np.float32).tobytes())
    return digest.hexdigest()


def segment_keys(job: Job, facts: ShotFacts) -> tuple[str, ...]:
    """The key of every segment. A pass that is UNKNOWN gives a key that no record has."""
    spans = segment_spans(len(job.frames), job.segment_frames)
    carried = carries(job)
    charts = facts.charts if carried.geometry else ""
    common = _digest(VERSION, segment_values(job), facts.near_m, facts.far_m, charts)
    prompts = _prompts(job)
    frames = _frame_digests(job, facts.geometry if carried.geometry else ("",) * len(job.frames), prompts)
    keys: list[str] = []
    for start, stop in spans:
        own: list[object] = [common, start, stop, frames[start:stop]]
        if carried.chained:
            own += keys[-1:]
        elif carried.first:
            # The company in which frame 0 was computed: its last bits may depend on how many frames there were, and
            # on whether they shared its prompt, though not on what they showed.
            own += [frames[0], prompts[: spans[0][1]]]
        keys.append(_digest(*own))
    return tuple(keys)


def read_records(jobs: Path) -> Iterator[tuple[Path, ReuseRecord]]:
    """The job folders below `jobs` that have a record of this version; one that cannot be read is passed over."""
    for path in sorted(jobs.glob(f"*/{RECORD_FILE}")):
        record = read_record(path)
        if record is not None:
            yield path.parent, record


def read_record(path: Path) -> ReuseRecord | None:
    """The record; None if there is none, or if another version wrote it. A lost record only costs time."""
    try:
        record = convert(parse_json(path.read_bytes()), ReuseRecord)
    except (OSError, StrictJSONError):
        return None
    return record if record.version == VERSION else None


def frames_to_generate(job: Job, facts: ShotFacts, jobs: Path) -> int:
    """How many frames of a job the records below `jobs` do not have."""
    known = {segment.key for _, record in read_records(jobs) for segment in record.segments}
    spans = segment_spans(len(job.frames), job.segment_frames)
    keys = segment_keys(job, facts)
    return sum(stop - start for (start, stop), key in zip(spans, keys, strict=True) if key not in known)


def _frame_digests(job: Job, geometry: Sequence[str], prompts: list[tuple[str, str, float]]) -> list[str]:
    rows = zip(job.inputs.passes, prompts, geometry, strict=True)
    return [_digest(exr, prompt, shape) if exr != UNKNOWN else UNKNOWN for exr, prompt, shape in rows]


def _prompts(job: Job) -> list[tuple[str, str, float]]:
    """Each frame's prompts, before and after, and their mixture."""
    if not job.prompts:
        return [(job.prompt, job.prompt, 0.0)] * len(job.frames)
    prompts, mixes = prompt_mixes(parse_prompts(job.prompts), job.frames)
    return [(prompts[mix.before], prompts[mix.after], mix.weight) for mix in mixes]


def _digest(*parts: object) -> str:
    return hashlib.sha256(dump_json(list(parts))).hexdigest()
