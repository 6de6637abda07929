"""How long a shot will take, from what earlier shots took on this machine. No bpy in here.

The pace of a method is counted in seconds per frame, denoising step and megapixel, that of the passes in seconds per
frame and megapixel. Both are kept in one small JSON file, by what they depend on.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path

from ..shared.files.digest import sha256_bytes
from ..shared.files.frame_files import write_atomic
from ..shared.files.strict_json import StrictJSONError, parse_json
from ..shared.jobs.job import Job
from .progress import duration_text

PACE_FILE = "pace.json"
_SCHEMA = 1
_MEGAPIXEL = 1e6
_NEWER = 0.5  # the share of the last shot in a pace that is known already
_MOST_KEPT = 64
_DIGITS = 12  # of a digest


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a shot is likely to take; `seconds` is None if nothing like it has run here yet."""

    frames: int
    seconds: float | None

    @property
    def text(self) -> str:
        """One line: "106 frames, about 14 min"."""
        frames = f"{self.frames:,} frame{'' if self.frames == 1 else 's'}"
        if self.seconds is None:
            return f"{frames}; the first take will show how long this machine needs"
        return f"{frames}, about {duration_text(self.seconds)}"


@dataclass(slots=True)
class Pace:
    """The known paces by name; the last one that was measured comes last."""

    known: dict[str, float] = field(default_factory=dict)

    def measured_passes(self, engine: str, job: Job, frames: int, seconds: float) -> None:
        """Keep what rendering `frames` passes took."""
        self._keep(_passes_key(engine), seconds, frames * _megapixels(job))

    def measured_frames(self, device: str, job: Job, frames: int, seconds: float) -> None:
        """Keep what computing `frames` frames of a job took."""
        for key in _method_keys(device, job):
            self._keep(key, seconds, frames * job.steps * _megapixels(job))

    def estimate(self, device: str, engine: str, job: Job) -> Estimate:
        """What a whole take of a job will take, if nothing of it is there yet."""
        frames = len(job.frames)
        paces = [self.known[key] for key in _method_keys(device, job) if key in self.known]
        if not paces:
            return Estimate(frames, None)
        pixels = frames * _megapixels(job)
        return Estimate(frames, pixels * (paces[0] * job.steps + self.known.get(_passes_key(engine), 0.0)))

    def _keep(self, key: str, seconds: float, units: float) -> None:
        if seconds <= 0 or units <= 0:
            return
        new, old = seconds / units, self.known.pop(key, None)
        self.known[key] = new if old is None else _NEWER * new + (1 - _NEWER) * old
        while len(self.known) > _MOST_KEPT:
            del self.known[next(iter(self.known))]


def read_pace(folder: Path) -> Pace:
    """The paces that a folder keeps; none if the file is missing or cannot be read: they are only a help."""
    try:
        document = parse_json((folder / PACE_FILE).read_bytes())
    except (OSError, StrictJSONError):
        return Pace()
    known = document.get("seconds") if isinstance(document, dict) and document.get("schema") == _SCHEMA else None
    if not isinstance(known, dict):
        return Pace()
    numbers = {name: float(value) for name, value in known.items() if isinstance(value, int | float)}
    return Pace({name: value for name, value in numbers.items() if math.isfinite(value) and value > 0})


def write_pace(folder: Path, pace: Pace) -> None:
    """Keep the paces in a folder. Raises LatentManError `storage.*`."""
    write_atomic(folder / PACE_FILE, json.dumps({"schema": _SCHEMA, "seconds": pace.known}, indent=1).encode())


def _method_keys(device: str, job: Job) -> tuple[str, str]:
    """What the pace depends on: the method with these very settings, else the method with any."""
    method = f"{device}/{job.model}/{job.method}"
    own = sha256_bytes(repr((job.settings, job.finish)).encode())[:_DIGITS]
    return f"{method}/{own}", method


def _passes_key(engine: str) -> str:
    return f"passes/{engine}"


def _megapixels(job: Job) -> float:
    return job.width * job.height / _MEGAPIXEL
