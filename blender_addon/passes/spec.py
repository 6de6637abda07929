"""What the launcher asks of the child Blender, and what the child tells it: two small JSON languages."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from ..shared.errors import InputError, RenderError

ENGINES = ("cycles", "eevee")
MIN_SIZE, MAX_SIZE = 16, 8192

_MARK = "latentman-passes "


@dataclass(frozen=True, slots=True)
class PassSpec:
    """One run of the child: which file, scene and frames, how, and where to.

    Raises InputError if it asks for no frame, a frame twice, a size outside 16..8192 or an unknown engine.
    """

    blend: str  # the saved copy
    scene: str
    view_layer: str
    output: str  # the passes folder
    frames: tuple[int, ...]
    width: int
    height: int
    engine: str  # one of ENGINES
    # Whether the file's Python code runs: "allowed", "blocked", or "unknown", which is blocked and told.
    scripts: str = "blocked"
    drivers: tuple[str, ...] = ()  # those that must run
    compare_with: str = ""  # a passes folder: only say which of its frames are still right, and render none

    def __post_init__(self) -> None:
        if not self.frames:
            raise InputError("frames.empty", "The frame range contains no frame.", 'Give one, for example "1-30,47".')
        if len(set(self.frames)) != len(self.frames):
            raise InputError("frames.twice", "The frame range names a frame twice.", "Name each frame once.")
        if not (MIN_SIZE <= self.width <= MAX_SIZE and MIN_SIZE <= self.height <= MAX_SIZE):
            raise InputError(
                "passes.size",
                f"The picture size {self.width}x{self.height} is outside {MIN_SIZE} to {MAX_SIZE} pixels.",
                "Give another size.",
            )
        if self.engine not in ENGINES:
            raise InputError(
                "passes.engine", f"There is no pass engine {self.engine!r}.", f"Choose one of {', '.join(ENGINES)}."
            )

    def to_json(self) -> str:
        """The spec as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> PassSpec:
        """The spec that `to_json` wrote."""
        values = json.loads(text)
        return cls(**{**values, "frames": tuple(values["frames"]), "drivers": tuple(values["drivers"])})


@dataclass(frozen=True, slots=True)
class ShotReady:
    """The child has written shot.json, vertices.npy and charts.npz; the frames follow.

    When it compares, it also tells what `shared.jobs.reuse.ShotFacts` has of the shot and of each frame.
    """

    near_m: float = 0.0
    far_m: float = 0.0
    charts: str = ""
    geometry: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FrameReady:
    """The child has put one frame's file in place, or found it there with an equal key (`reused`).

    When it compares, it also tells the digest of a file that it found.
    """

    frame: int
    reused: bool
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class ChildFailed:
    """The child's error as a user reads it; the launcher raises it as the class that it had in the child.

    `unexpected`: a fault of the program; the traceback is in the child's output.
    """

    code: str
    message: str
    hint: str
    kind: str
    unexpected: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """All is done and in place; how Blender's process ends after that does not matter."""


ChildEvent = ShotReady | FrameReady | ChildFailed | Ended
_EVENTS: dict[str, type[Any]] = {kind.__name__: kind for kind in (ShotReady, FrameReady, ChildFailed, Ended)}


def event_line(event: ChildEvent) -> str:
    """The event as one line. It starts with a line break: Blender may have printed half a line before."""
    return f"\n{_MARK}{json.dumps({'event': type(event).__name__, **asdict(event)})}\n"


def parse_event(line: str) -> ChildEvent | None:
    """The event in a line of the child's output; None for whatever else Blender prints."""
    if not line.startswith(_MARK):
        return None
    try:
        fields = json.loads(line[len(_MARK) :])
        event: ChildEvent = _EVENTS[fields.pop("event")](**fields)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RenderError("render.child", f"The child Blender sent an unreadable line: {line[:80]!r}.") from error
    return event
