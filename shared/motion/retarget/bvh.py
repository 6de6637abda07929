"""Reads BVH files, Biovision's text format of skeletons and Euler angles, strictly and without running anything.

There is no specification. The joints' channels come in any order and number; a joint's rotation is the product of its
channels' in their order, degrees. Position channels hold either the whole way from the parent or what is added to
OFFSET, as programs differ; which of the two is told joint by joint, from the numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NoReturn

import numpy as np
import numpy.typing as npt

from ...errors import MotionError
from ...rotations import axis_angle_to_matrix
from .skeleton import Skeleton, SkeletonMotion

Array = npt.NDArray[np.float64]

BVH_START: Final = b"HIERARCHY"
MAX_JOINTS: Final = 2000
_AXES: Final = {"x": 0, "y": 1, "z": 2}
_CHANNEL: Final = re.compile(r"([xyz])(position|rotation)", re.IGNORECASE)
_ADDED, _ADDED_ROOT = 0.5, 0.15  # of the offset, along it
_NO_OFFSET: Final = 1e-9
_EXPORT: Final = "Export the file again."


@dataclass(slots=True)
class _Joint:
    """A ROOT or JOINT while it is read."""

    name: str
    parent: int
    line: int
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    channels: list[tuple[str, int]] = field(default_factory=list)  # kind, axis
    end: tuple[float, float, float] | None = None


class _Lines:
    """The file's words line by line; empty lines are passed over."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.number = 0
        self._rows = enumerate(text.splitlines(), start=1)

    def __iter__(self) -> Iterator[list[str]]:
        for number, row in self._rows:
            self.number = number
            # Some exporters set a brace behind a name or a channel.
            words = row.replace("{", " { ").replace("}", " } ").split()
            if words:
                yield words

    def fault(self, what: str, hint: str = _EXPORT) -> NoReturn:
        raise MotionError("motion.bvh", f"{self.name}, line {self.number}: {what}.", hint)

    def numbers(self, words: list[str], count: int, what: str) -> list[float]:
        """That many finite numbers."""
        if len(words) != count:
            self.fault(f"{what} needs {count} numbers, not {len(words)}")
        try:
            values = [float(word) for word in words]
        except ValueError:
            self.fault(f"{what} has {' '.join(words)[:40]!r}, which is not numbers")
        if not np.isfinite(values).all():
            self.fault(f"{what} is not finite")
        return values


def is_bvh(data: bytes) -> bool:
    """Whether a file begins as BVH files do, whatever its name."""
    return data[:64].removeprefix(b"\xef\xbb\xbf").lstrip().upper().startswith(BVH_START)


def parse_bvh(data: bytes, *, name: str) -> SkeletonMotion:
    """The skeleton and its motion, in the file's axes and unit of length; the first frame is frame 0.

    Raises MotionError `motion.bvh` with the line at fault.
    """
    lines = _Lines(data.decode("utf-8-sig", errors="replace"), name)
    rows = iter(lines)
    if next(rows, [""])[0].upper() != "HIERARCHY":
        lines.fault("a BVH file begins with HIERARCHY")
    joints = _hierarchy(lines, rows)
    frames, fps = _times(lines, rows)
    values = _values(lines, rows, sum(len(joint.channels) for joint in joints), frames)
    skeleton = _skeleton(joints)
    rotations, heads = _posed(joints, values)
    return SkeletonMotion(skeleton, rotations, heads, fps, name)


def _hierarchy(lines: _Lines, rows: Iterator[list[str]]) -> list[_Joint]:
    """All joints up to the line MOTION, parents first."""
    joints: list[_Joint] = []
    open_: list[int] = []  # the joints whose braces are open; -1 stands for an End Site
    waiting: int | None = None  # the joint whose brace comes next
    for words in rows:
        word = words[0].upper()
        if (word == "{") != (waiting is not None):
            lines.fault(
                "there is a { without a joint before it" if word == "{" else f"a {{ is missing before {word[:20]!r}"
            )
        if waiting is not None:
            open_.append(waiting)
            waiting = None
        elif word == "}":
            _close(lines, open_)
        elif word == "MOTION":
            return _complete(lines, joints, open_)
        elif word in ("OFFSET", "CHANNELS"):
            _fill(lines, words, joints, open_)
        else:
            waiting = _named(lines, [one for one in words if one != "{"], joints, open_)
            if words[-1] == "{":  # on the name's own line
                open_.append(waiting)
                waiting = None
    lines.fault("the file ends before MOTION", "The file is cut short. Download or export it again.")


def _close(lines: _Lines, open_: list[int]) -> None:
    if not open_:
        lines.fault("there is a } too many")
    open_.pop()


def _complete(lines: _Lines, joints: list[_Joint], open_: list[int]) -> list[_Joint]:
    if open_:
        lines.fault("a } is missing before MOTION")
    if not joints:
        lines.fault("the file has no joints")
    return joints


def _named(lines: _Lines, words: list[str], joints: list[_Joint], open_: list[int]) -> int:
    """The joint that a line begins: its index, -1 for an End Site."""
    kind = words[0].upper()
    if kind == "END":
        if not open_ or open_[-1] < 0:
            lines.fault("an End Site is outside a joint")
        return -1
    if kind not in ("ROOT", "JOINT"):
        lines.fault(f"{words[0][:20]!r} is not a word of BVH's hierarchy")
    if (kind == "ROOT") == bool(open_):
        lines.fault("a ROOT is inside a joint" if open_ else "a JOINT is outside a ROOT")
    if open_ and open_[-1] < 0:
        lines.fault("a JOINT is inside an End Site")
    if len(joints) >= MAX_JOINTS:
        lines.fault(f"there are more than {MAX_JOINTS} joints")
    name = " ".join(words[1:]) or f"joint {len(joints) + 1}"
    taken = {joint.name for joint in joints}
    unique = (
        name if name not in taken else next(f"{name}.{n:03}" for n in range(1, 10**6) if f"{name}.{n:03}" not in taken)
    )
    joints.append(_Joint(unique, open_[-1] if open_ else -1, lines.number))
    return len(joints) - 1


def _fill(lines: _Lines, words: list[str], joints: list[_Joint], open_: list[int]) -> None:
    """OFFSET or CHANNELS of the joint whose braces are open."""
    if not open_:
        lines.fault(f"{words[0]} is outside a joint")
    joint = joints[open_[-1]] if open_[-1] >= 0 else joints[open_[-2]]
    if words[0].upper() == "OFFSET":
        x, y, z = lines.numbers(words[1:], 3, "OFFSET")
        if open_[-1] >= 0:
            joint.offset = x, y, z
        else:
            joint.end = x, y, z
        return
    found = [_CHANNEL.fullmatch(word) for word in words[2:]]
    if open_[-1] < 0 or joint.channels or not words[1:] or words[1] != str(len(found)):
        lines.fault(f"CHANNELS of {joint.name!r} does not have as many names as it announces, or appears twice")
    for word, match in zip(words[2:], found, strict=True):
        if match is None:
            lines.fault(f"{word[:20]!r} is not a channel: Xposition, Xrotation and so on are")
        channel = match[2].lower(), _AXES[match[1].lower()]
        if channel in joint.channels and channel[0] == "position":
            lines.fault(f"{word} appears twice")
        joint.channels.append(channel)


def _times(lines: _Lines, rows: Iterator[list[str]]) -> tuple[int, float]:
    """Frames, and frames a second."""
    words = next(rows, [])
    count = " ".join(words).replace(":", " : ").split()
    if len(count) != 3 or count[0].upper() != "FRAMES" or not count[2].isdigit() or int(count[2]) < 1:
        lines.fault("MOTION must be followed by Frames: and a number above 0")
    words = " ".join(next(rows, [])).replace(":", " : ").split()
    if len(words) != 4 or [word.upper() for word in words[:3]] != ["FRAME", "TIME", ":"]:
        lines.fault("Frames must be followed by Frame Time: and the duration of a frame in seconds")
    (seconds,) = lines.numbers(words[3:], 1, "Frame Time")
    if seconds <= 0.0:
        lines.fault(f"Frame Time is {seconds:g} seconds", "Set it to 1 / frames per second, for example 0.0333333.")
    return int(count[2]), _rate(seconds)


def _rate(seconds: float) -> float:
    """Frames a second; those that are whole but for the rounding of `seconds` in the file are whole."""
    rate = 1.0 / seconds
    return float(round(rate)) if abs(rate - round(rate)) < 5e-4 * rate and round(rate) > 0 else rate


def _values(lines: _Lines, rows: Iterator[list[str]], channels: int, frames: int) -> Array:
    """The channels' numbers, (frames, channels)."""
    if channels == 0:
        lines.fault("the joints have no channels")
    found: list[Array] = []
    for words in rows:
        if len(found) == frames:
            lines.fault(f"there are more frames than the {frames} that Frames: announces")
        if len(words) != channels:
            lines.fault(f"the frame has {len(words)} numbers, and the joints have {channels} channels")
        try:
            row = np.array(words, dtype=np.float64)
        except ValueError:
            lines.fault("the frame has a value that is not a number")
        if not np.isfinite(row).all():
            lines.fault("the frame has a number that is not finite")
        found.append(row)
    if len(found) < frames:
        lines.fault(f"the file ends after {len(found)} of {frames} frames", "The file is cut short. Export it again.")
    return np.stack(found)


def _skeleton(joints: list[_Joint]) -> Skeleton:
    heads = np.zeros((len(joints), 3))
    for index, joint in enumerate(joints):
        heads[index] = joint.offset if joint.parent < 0 else heads[joint.parent] + joint.offset
    tails = heads.copy()
    for index, joint in enumerate(joints):
        ends = [heads[child] for child, other in enumerate(joints) if other.parent == index]
        if joint.end is not None:
            ends.append(heads[index] + joint.end)
        if ends:
            tails[index] = np.mean(ends, axis=0)
    turns = np.tile(np.eye(3), (len(joints), 1, 1))
    return Skeleton(tuple(joint.name for joint in joints), tuple(joint.parent for joint in joints), heads, tails, turns)


def _posed(joints: list[_Joint], values: Array) -> tuple[Array, Array]:
    """World rotations (frames, joints, 3, 3) and places (frames, joints, 3)."""
    frames = len(values)
    rotations = np.tile(np.eye(3), (frames, len(joints), 1, 1))
    heads = np.zeros((frames, len(joints), 3))
    column = 0
    for index, joint in enumerate(joints):
        own = values[:, column : column + len(joint.channels)]
        column += len(joint.channels)
        turn, way = _turn(joint, own), _way(joint, own)
        if joint.parent < 0:
            rotations[:, index], heads[:, index] = turn, way
        else:
            above = rotations[:, joint.parent]
            rotations[:, index] = above @ turn
            heads[:, index] = heads[:, joint.parent] + np.einsum("fij,fj->fi", above, way)
    return rotations, heads


def _turn(joint: _Joint, values: Array) -> Array:
    turn = np.tile(np.eye(3), (len(values), 1, 1))
    for place, (kind, axis) in enumerate(joint.channels):
        if kind == "rotation":
            vectors = np.zeros((len(values), 3))
            vectors[:, axis] = np.radians(values[:, place])
            turn = turn @ axis_angle_to_matrix(vectors)
    return turn


def _way(joint: _Joint, values: Array) -> Array:
    """The way from the parent's place, (frames, 3), in the parent's axes."""
    offset = np.array(joint.offset)
    given = np.tile(offset, (len(values), 1))
    moved = np.zeros_like(given)
    for place, (kind, axis) in enumerate(joint.channels):
        if kind == "position":
            given[:, axis] = moved[:, axis] = values[:, place]
    return offset + moved if _is_added(joint, offset, moved) else given


def _is_added(joint: _Joint, offset: Array, moved: Array) -> bool:
    """Whether the position channels are what is added to the offset: they are near 0 along it then, all in all.

    A root may be anywhere, so that only values very near 0 tell it.
    """
    length = float(np.linalg.norm(offset))
    if length <= _NO_OFFSET or not any(kind == "position" for kind, _ in joint.channels):
        return False
    along = float(np.median(moved @ offset)) / length**2
    return abs(along) < (_ADDED_ROOT if joint.parent < 0 else _ADDED)
