"""The picture of docs/architecture.md: processes, the rooms that work in each, and what flows between them.

    python -m backend.make.architecture_picture

writes `docs/pictures/architecture.svg` from the tables below. The file carries their digest, so that a test can tell
whether it is current; pixels and fonts differ from machine to machine.
"""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "pictures" / "architecture.svg"

_WIDTH, _HEIGHT = 120.0, 62.0  # of the picture, in units of a tenth of an inch
_INK, _PALE, _PAPER = "#24292f", "#57606a", "#ffffff"
_MARK = re.compile(r"tables: ([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Room:
    """A box inside a process: the folders that do something there, and what."""

    folders: tuple[str, ...]
    does: str


@dataclass(frozen=True, slots=True)
class Process:
    """A process, or what the user brings and gets: its place (left, bottom, width, height), colours and rooms."""

    name: str
    note: str
    place: tuple[float, float, float, float]
    fill: str
    line: str
    rooms: tuple[Room, ...] = ()


@dataclass(frozen=True, slots=True)
class Flow:
    """What goes one way between two places: an arrow from `start` to `end`, its text at `at`."""

    text: str
    start: tuple[float, float]
    end: tuple[float, float]
    at: tuple[float, float]
    side: str = "center"


PROCESSES = (
    Process("Motion file", "MDM, AMASS, ...", (1, 51, 16, 9), "#f6f8fa", "#8c959f"),
    Process("Prompt", "and settings", (1, 41, 16, 9), "#f6f8fa", "#8c959f"),
    Process("Takes", "PNG a frame, texture", (1, 31, 16, 9), "#f6f8fa", "#8c959f"),
    Process(
        "Blender with the add-on",
        "the animator's; bpy, numpy, zmq",
        (26, 31, 34, 29),
        "#fff4e5",
        "#e8730c",
        (
            Room(("blender_addon/rig", "shared/motion"), "armature, body, keyframes"),
            Room(("blender_addon/scene", "blender_addon/ui", "blender_addon/ops"), "settings, panel, operators"),
            Room(("blender_addon/shot", "blender_addon/client"), "the run of a shot"),
            Room(("blender_addon/timeline",), "takes on the sequencer"),
        ),
    ),
    Process(
        "Child Blender",
        "a shot's; killing it is the cancel",
        (26, 2, 34, 15),
        "#fff4e5",
        "#e8730c",
        (Room(("blender_addon/passes",), "depth, body part, u, v of each frame"),),
    ),
    Process(
        "Supervisor",
        "latentman serve; zmq, sqlite, never torch",
        (84, 36, 35, 24),
        "#e7f3ff",
        "#1f6feb",
        (
            Room(("backend/server",), "sessions, queue, journal, inputs by digest"),
            Room(("backend/server/dispatch",), "gives jobs to workers"),
        ),
    ),
    Process(
        "Worker",
        "one a card; torch, diffusers",
        (84, 2, 35, 24),
        "#e9f8ee",
        "#1a7f37",
        (
            Room(("backend/jobs",), "a job in its folder, segment by segment"),
            Room(("backend/loop", "backend/models", "backend/methods"), "denoising"),
            Room(("backend/passes", "backend/correspondence", "backend/surface"), "one texture"),
        ),
    ),
)
FLOWS = (
    Flow("", (17.5, 55.5), (25.5, 55.5), (0, 0)),
    Flow("", (17.5, 45.5), (25.5, 45.5), (0, 0)),
    Flow("", (25.5, 35.5), (17.5, 35.5), (0, 0)),
    Flow("a copy\nof the file", (36, 30.5), (36, 17.5), (35, 24), "right"),
    Flow("EXR a frame, shot.json,\nvertices, charts", (50, 17.5), (50, 30.5), (51, 24), "left"),
    Flow("job, and inputs\nby digest", (60.5, 53), (83.5, 53), (72, 54.6), "above"),
    Flow("progress, PNG a frame,\natlas.png", (83.5, 42), (60.5, 42), (72, 40.4), "below"),
    Flow("a job's folder", (95, 35.5), (95, 26.5), (94, 31), "right"),
    Flow("events; frames\nin the folder", (108, 26.5), (108, 35.5), (109, 31), "left"),
)
WIRE = ("ZeroMQ, CURVE", (72, 47.5))


def digest() -> str:
    """What the picture is drawn from, in short."""
    return hashlib.sha256(repr((PROCESSES, FLOWS, WIRE)).encode()).hexdigest()


def drawn_digest(svg: str) -> str:
    """The digest that a picture carries; empty where it has none."""
    found = _MARK.search(svg)
    return "" if found is None else found[1]


def picture() -> str:
    """The picture as SVG."""
    figure = Figure(figsize=(_WIDTH / 10, _HEIGHT / 10), facecolor=_PAPER)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, _WIDTH), ylim=(0, _HEIGHT))
    axes.axis("off")
    for process in PROCESSES:
        _draw_process(axes, process)
    for flow in FLOWS:
        _draw_flow(axes, flow)
    words, (x, y) = WIRE
    axes.text(x, y, words, ha="center", va="center", fontsize=10, color=_PALE, style="italic")
    stream = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "latentman"}):
        FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None, "Description": f"tables: {digest()}"})
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def _draw_process(axes: Any, process: Process) -> None:
    left, bottom, width, height = process.place
    _draw_box(axes, process.place, process.fill, process.line, 1.6)
    top = bottom + height
    middle = left + width / 2
    small = not process.rooms
    axes.text(middle, top - 3, process.name, ha="center", va="center", fontsize=12, weight="bold", color=_INK)
    axes.text(middle, top - 5.7, process.note, ha="center", va="center", fontsize=8.5, color=_PALE)
    if small:
        return
    step = (height - 8.2) / len(process.rooms)
    for row, room in enumerate(process.rooms):
        place = (left + 1.5, top - 7.6 - (row + 1) * step + 0.7, width - 3, step - 0.7)
        _draw_box(axes, place, _PAPER, process.line, 0.7)
        centre = place[1] + place[3] / 2
        folders = ", ".join(_short(room.folders))
        axes.text(left + 2.7, centre, folders, ha="left", va="center", fontsize=8, family="monospace", color=_INK)
        axes.text(left + width - 2.7, centre, room.does, ha="right", va="center", fontsize=8, color=_PALE)


def _short(folders: tuple[str, ...]) -> list[str]:
    """Folders without their side, which is the process's own; those of `shared` keep it."""
    return [folder.removeprefix("blender_addon/").removeprefix("backend/") for folder in folders]


def _draw_box(axes: Any, place: tuple[float, float, float, float], fill: str, line: str, width: float) -> None:
    left, bottom, across, up = place
    style = "round,pad=0,rounding_size=1"
    axes.add_patch(FancyBboxPatch((left, bottom), across, up, boxstyle=style, fc=fill, ec=line, lw=width))


def _draw_flow(axes: Any, flow: Flow) -> None:
    shape: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 16, "shrinkA": 0, "shrinkB": 0}
    axes.add_patch(FancyArrowPatch(flow.start, flow.end, lw=1.8, color=_INK, **shape))
    across = {"left": "left", "right": "right"}.get(flow.side, "center")
    up = {"above": "bottom", "below": "top"}.get(flow.side, "center")
    axes.text(*flow.at, flow.text, ha=across, va=up, fontsize=9, color=_INK)


def main() -> None:
    """Write the picture."""
    PICTURE.write_text(picture(), "utf-8")


if __name__ == "__main__":
    main()
