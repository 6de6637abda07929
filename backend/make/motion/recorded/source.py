"""What a source of recorded clips says of itself: where it is, its licence, and what its takes show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from backend.motion.embedded.condition import Side
from shared.motion.retarget.skeleton import SkeletonMotion

Read = Callable[[Path], Iterator[tuple[str, SkeletonMotion]]]


@dataclass(frozen=True, slots=True)
class Shows:
    """What the takes with such names show."""

    takes: str  # pattern of `PATH/IN/THE/SOURCE` without the suffix, `FILE/ANIMATION` where a file has several
    action: str  # of the library's table
    style: str = "neutral"
    side: Side = ""
    speed: float = 1.0  # of the action's own tempo; measured where the action travels
    part_s: tuple[float, float] | None = None  # the seconds of the take that show it; None: all
    turning: str = ""  # the action that a travelling take shows where the body turns; empty: such parts are left out
    piece_s: float = 6.0  # longer takes are cut into pieces of at most this
    every: int = 1  # one piece of so many is taken


@dataclass(frozen=True, slots=True)
class Source:
    """One place that clips come from, and its row in the documents."""

    folder: str  # its name below the folder of all recorded clips
    title: str
    where: str  # the address of a repository
    licence: str
    suffix: str
    read: Read
    shows: tuple[Shows, ...]
    skip_frames: int = 0  # at a take's start: a rest pose
    many_takes: bool = False  # a file has several
    credit: str = ""  # what the licence asks to be said

    def may_show(self, stem: str) -> bool:
        """Whether a file can hold a take that is used: files of one take are told by their name alone."""
        return self.many_takes or bool(self.matching(stem))

    def matching(self, take: str) -> tuple[Shows, ...]:
        """The rows for a take; none where nothing of it is used."""
        return tuple(row for row in self.shows if fnmatchcase(take, row.takes))
