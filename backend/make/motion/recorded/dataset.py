"""Recorded clips on disk, as the training reads them: a shard a source, and another of takes that it never sees."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from backend.make.motion.recorded.measure import recorded_faults
from backend.make.motion.recorded.pieces import Piece, pieces_of
from backend.make.motion.recorded.source import Source
from backend.make.motion.recorded.table import SOURCES
from backend.make.motion.recorded.take import body_motion
from backend.motion.embedded.condition import Request
from shared.errors import InputError
from shared.motion.humanml.encode import encode
from shared.motion.humanml.layout import HUMANML_FPS

Array = NDArray[np.float32]

SUMMARY: Final = "summary.json"
_HELD_OUT_OF: Final = 8  # one take in so many is never trained


@dataclass(frozen=True, slots=True, eq=False)
class KeptClip:
    """A clip that is good enough."""

    take: str
    request: Request
    features: Array  # (frames, 263)

    @property
    def record(self) -> dict[str, object]:
        """Its line in the listing."""
        return {"request": asdict(self.request), "before": "", "frames": len(self.features), "take": self.take}


@dataclass(slots=True)
class Tally:
    """What became of a source's takes."""

    source: str
    licence: str
    takes: int = 0
    clips: int = 0
    held_out: int = 0
    dropped: Counter[str] = field(default_factory=Counter)  # by the first figure that was out of its bounds
    seconds: dict[str, float] = field(default_factory=dict)  # of what was kept, by action

    def written(self) -> dict[str, object]:
        """Its entry in the summary file."""
        counts = {"takes": self.takes, "clips": self.clips, "held_out": self.held_out}
        seconds = {action: round(value, 1) for action, value in self.seconds.items()}
        return {"source": self.source, "licence": self.licence, **counts, "dropped": self.dropped, "seconds": seconds}

    @property
    def told(self) -> str:
        """One line for people."""
        minutes = sum(self.seconds.values()) / 60.0
        dropped = ", ".join(f"{count} {name}" for name, count in self.dropped.most_common()) or "none"
        return (
            f"{self.source}: {self.takes} takes, {self.clips} clips ({self.held_out} held out), {minutes:.1f} minutes; "
            f"dropped: {dropped}"
        )


def held_out_take(take: str) -> bool:
    """Whether a take is kept from training. Two files of one name are kept together, as they may be one recording."""
    return zlib.crc32(take.rpartition("/")[2].encode()) % _HELD_OUT_OF == 0


def write_recorded(folder: Path, clips: Path, held_out: Path, sources: Sequence[Source] = SOURCES) -> Iterator[Tally]:
    """Make the clips of all sources that are below `folder`; yields each source when it is done.

    Raises InputError if there is none of them, MotionError for a file that cannot be read.
    """
    present = [source for source in sources if (folder / source.folder).is_dir()]
    if not present:
        names = ", ".join(source.folder for source in sources)
        raise InputError(
            "training.no_recorded",
            f"{folder} holds none of the folders {names}.",
            "Clone the repositories that docs/embedded_motion.md names into it.",
        )
    tallies = []
    for source in present:
        shard = sources.index(source)
        kept, tally = _source_clips(folder / source.folder, source)
        for target, wanted in ((clips, False), (held_out, True)):
            _write_shard(target, shard, [clip for clip in kept if held_out_take(clip.take) == wanted])
        tallies.append(tally)
        (clips / SUMMARY).write_text(json.dumps([one.written() for one in tallies], indent=1) + "\n")
        yield tally


def _source_clips(folder: Path, source: Source) -> tuple[list[KeptClip], Tally]:
    tally = Tally(source.title, source.licence)
    found = []
    for take, piece in source_pieces(folder, source, tally):
        faults = recorded_faults(piece)
        if faults:
            tally.dropped[faults[0]] += 1
            continue
        features = encode(piece.joints[:, :22], continued=True).features.astype(np.float32)
        found.append(KeptClip(take, piece.request, features))
        tally.clips += 1
        tally.held_out += held_out_take(take)
        action = piece.request.action
        tally.seconds[action] = tally.seconds.get(action, 0.0) + len(features) / HUMANML_FPS
    return found, tally


def source_pieces(folder: Path, source: Source, tally: Tally) -> Iterator[tuple[str, Piece]]:
    """Every clip of a source with the name of its take, not yet checked; `tally` counts the takes."""
    for file in sorted(folder.rglob(f"*{source.suffix}")):
        stem = file.relative_to(folder).with_suffix("").as_posix()
        if not source.may_show(stem):
            continue
        for inner, recorded in source.read(file):
            take = f"{stem}/{inner}" if inner else stem
            rows = source.matching(take)
            tally.takes += bool(rows)
            for row in rows:
                for piece in pieces_of(body_motion(recorded, source, row), row):
                    yield take, piece


def _write_shard(folder: Path, shard: int, clips: Sequence[KeptClip]) -> None:
    """A shard in the form of `training.clips`; one without clips is not written."""
    folder.mkdir(parents=True, exist_ok=True)
    listing = folder / f"shard_{shard:04d}.jsonl"
    for old in (listing, listing.with_suffix(".npy")):
        old.unlink(missing_ok=True)
    if clips:
        np.save(listing.with_suffix(".npy"), np.concatenate([clip.features for clip in clips]))
        listing.write_text("".join(json.dumps(clip.record) + "\n" for clip in clips))
