"""Frame ranges as an animator types them: `1-30,47,60-90x2`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import InputError
from ..files.frame_files import LAST_FRAME

MAX_FRAMES = 10_000

_SPAN = re.compile(r"([0-9]{1,7})(?:-([0-9]{1,7})(?:x([0-9]{1,7}))?)?")


def parse_frames(text: str) -> tuple[int, ...]:
    """Read a frame range: comma-separated frames `N`, spans `A-B` and every-n-th spans `A-BxN`.

    The frames come back sorted, each once. Raises InputError naming the part that cannot be read, or an empty range.
    """
    frames: set[int] = set()
    for part in text.replace(" ", "").split(","):
        if part:
            frames.update(_span(part, text))
    if not frames:
        raise InputError(
            "frames.empty", f"The frame range {_shown(text)} contains no frame.", 'Enter frames, for example "1-30,47".'
        )
    if len(frames) > MAX_FRAMES:
        raise InputError(
            "frames.many",
            f"The frame range {_shown(text)} has {len(frames)} frames; the limit is {MAX_FRAMES} a job.",
            "Render the shot in parts.",
        )
    return tuple(sorted(frames))


def held_for(frames: Sequence[int]) -> tuple[int, ...]:
    """For how many frames of the scene each of these rising frames is shown, as in animation on twos: until the next
    one; the last as long as the shortest of the others. (1, 3, 5) -> (2, 2, 2)."""
    gaps = [after - before for before, after in zip(frames, frames[1:], strict=False)]
    return (*gaps, min(gaps, default=1))


def format_frames(frames: tuple[int, ...]) -> str:
    """Write frames as the shortest range that `parse_frames` reads back: (1, 2, 3, 7) -> `1-3,7`.

    Frames at an even distance of more than one become `A-BxN` where three or more of them follow each other.
    """
    left = sorted(set(frames))
    parts: list[str] = []
    while left:
        count = _run_length(left)
        first, last = left[0], left[count - 1]
        if count == 1:
            parts.append(str(first))
        elif left[1] - first == 1:
            parts.append(f"{first}-{last}")
        else:
            parts.append(f"{first}-{last}x{left[1] - first}")
        left = left[count:]
    return ",".join(parts)


def _run_length(frames: list[int]) -> int:
    """How many frames from the first on one span covers; two frames far apart are no span."""
    if len(frames) == 1:
        return 1
    step = frames[1] - frames[0]
    count = 2
    while count < len(frames) and frames[count] - frames[count - 1] == step:
        count += 1
    return 1 if count == 2 and step > 1 else count


def _span(part: str, text: str) -> range:
    match = _SPAN.fullmatch(part)
    if match is None:
        raise InputError(
            "frames.syntax",
            f'"{part[:40]}" in the frame range {_shown(text)} is not a frame, a range A-B or a stepped range A-BxN.',
            'For example "1-30,47,60-90x2".',
        )
    first = int(match[1])
    last = int(match[2]) if match[2] else first
    step = int(match[3]) if match[3] else 1
    if last < first or step < 1 or last > LAST_FRAME:
        raise InputError(
            "frames.span",
            f'"{part}" in the frame range {_shown(text)} runs backwards, has step 0 or goes past frame {LAST_FRAME}.',
            "Write the smaller frame first.",
        )
    return range(first, last + 1, step)


def _shown(text: str) -> str:
    return f'"{text}"' if len(text) <= 60 else f'"{text[:57]}..."'
