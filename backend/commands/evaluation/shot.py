"""`latentman eval DIR`: how consistent each method of a result is, from frame to frame, and what it cost."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from backend.measure.metrics.comparison import Comparison, unconstrained
from backend.measure.metrics.consistency import (
    LAGS,
    Consistency,
    ConsistencyMatches,
    consistency,
    consistency_matches,
    resampling_floor,
)
from backend.measure.metrics.st_lpips import ABSENT, StLpips, load_st_lpips
from backend.measure.metrics.strip import consistency_strip
from backend.measure.report.result_folder import ResultFolder
from backend.passes.shot_passes import ShotPasses
from shared.files.frame_files import prepare_output_folder, write_atomic

JSON_FILE = "consistency.json"
PICTURE_FILE = "consistency.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", type=Path, help="the output folder of a finished shot")
    parser.add_argument("--json", action="store_true", help="print all figures as JSON instead of a table")
    parser.add_argument(
        "--output", type=Path, help=f"folder for {JSON_FILE} and {PICTURE_FILE} (default: the output folder itself)"
    )
    parser.add_argument(
        "--against", metavar="METHOD", help="the unconstrained method to compare with (default: the one in the result)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure every method of the result; write the figures as JSON and as one picture, and print them."""
    folder = ResultFolder.open(arguments.folder)
    against = unconstrained([entry.method for entry in folder.result.methods], arguments.against)
    output = prepare_output_folder(arguments.output or arguments.folder)
    passes = folder.passes()
    pictures = compared_pictures(folder)
    matches = consistency_matches(passes, folder.result.height, folder.result.width)
    perceptual = load_st_lpips()
    if perceptual is None:
        print(f"latentman: {ABSENT}", file=sys.stderr)
    figures = _measured(folder, passes, pictures, matches, perceptual)
    comparison = Comparison(figures, resampling_floor(passes, matches), against)
    document = json.dumps({"frames": folder.result.frames, **comparison.json_value()}, indent=1)
    strip = consistency_strip(comparison, pictures, folder.result.frames, matches.part)
    write_atomic(output / JSON_FILE, document.encode())
    write_atomic(output / PICTURE_FILE, strip)
    print(document if arguments.json else table(figures, comparison))
    print(f"latentman: wrote {output / JSON_FILE} and {PICTURE_FILE}.", file=sys.stderr)
    return 0


def compared_pictures(folder: ResultFolder) -> dict[str, NDArray[np.uint8]]:
    """Every method's frames at the passes' size, and a line on the error stream if they were larger."""
    found = {}
    for entry in folder.result.methods:
        pictures = folder.pictures(entry)
        found[entry.method] = folder.compared(pictures)
        if note := folder.size_note(pictures):
            print(f"latentman: {entry.method}: {note}", file=sys.stderr)
    return found


def measure(
    folder: ResultFolder, passes: ShotPasses, pictures: Mapping[str, NDArray[np.uint8]]
) -> dict[str, Consistency]:
    """The consistency of every method's frames, on matches that are computed once; the assignment at lag 1 alone."""
    matches: ConsistencyMatches = consistency_matches(
        passes, folder.result.height, folder.result.width, assignment_lags=LAGS[:1]
    )
    return _measured(folder, passes, pictures, matches, load_st_lpips())


def _measured(
    folder: ResultFolder,
    passes: ShotPasses,
    pictures: Mapping[str, NDArray[np.uint8]],
    matches: ConsistencyMatches,
    perceptual: StLpips | None,
) -> dict[str, Consistency]:
    segments = {entry.method: folder.job(entry).segment_frames for entry in folder.result.methods}
    return {
        name: consistency(frames, passes, matches, segment_frames=segments[name], perceptual=perceptual)
        for name, frames in pictures.items()
    }


Value = Callable[[Consistency], float | None]
Rows = tuple[tuple[str, Value], ...]
# What every H_MSE has to be read with: a still body may have been bought with blur, or with a background that moves.
BESIDE: Rows = (
    ("background change", lambda c: c.background_mean),
    ("sharpness", lambda c: c.sharpness.mean),
)
ROWS: Rows = (
    ("body variance", lambda c: c.body_variance.mean),
    ("surface variance", lambda c: c.surface_variance.mean),
    ("warp error, exact flow", lambda c: c.warp_error.mean),
    ("H_MSE as released (8-bit, wraps)", lambda c: c.h_mse_released),
)

# What is not on 0 to 255 squared.
SHARES: Rows = (
    ("ST-LPIPS, exact flow", lambda c: None if c.st_lpips is None else c.st_lpips.mean),
    ("mask IoU", lambda c: c.mask_iou.mean),
    ("seam ratio", lambda c: None if c.seam is None else c.seam.ratio),
    ("shading, correlation with light", lambda c: c.shading.r),
)


def table(figures: Mapping[str, Consistency], comparison: Comparison | None = None) -> str:
    """The figures for people, a column a method: lower is steadier, and the sharpness says at what cost.

    With a `comparison` the ratios to the unconstrained run stand beside them, and the resampling floor if it has one.
    """
    first = next(iter(figures.values()))
    columns = {**figures, **({"floor": comparison.floor} if comparison and comparison.floor else {})}
    grid = Table(title="mean squared differences on the body, 0 to 255")
    for name in ("figure", *columns):
        grid.add_column(name, justify="left" if name == "figure" else "right", no_wrap=True)
    for k, part in enumerate(first.assignment):
        title = "H_MSE (eq. 9)" if part.lag == 1 else f"H_MSE, lag {part.lag}"
        grid.add_row(title, *(_shown(c.assignment[k].mean) for c in columns.values()))
        for beside, value in BESIDE if k == 0 else ():
            grid.add_row(beside, *(_shown(value(c)) for c in columns.values()))
    for k, part in enumerate(first.surface):
        grid.add_row(f"surface, lag {part.lag}", *(_shown(c.surface[k].mean) for c in columns.values()))
        grid.add_row("  over body variance", *(_shown(c.relative[k], 3) for c in columns.values()))
    for title, value in ROWS:
        grid.add_row(title, *(_shown(value(c)) for c in columns.values()))
    for title, value in SHARES:  # of which the floor's grey place says nothing
        grid.add_row(title, *(_shown(value(c), 3) for c in figures.values()))
    if comparison is not None and comparison.against is not None:
        ratios = [_shown(comparison.sharpness_ratio(name), 2) for name in figures]
        grid.add_row(f"sharpness over {comparison.against}'s", *ratios)
        changes = [_shown(comparison.background_ratio(name), 2) for name in figures]
        grid.add_row(f"background over {comparison.against}'s", *changes)
        kept = [_shown(comparison.shading_kept(name), 2) for name in figures]
        grid.add_row(f"shading over {comparison.against}'s", *kept)
    if comparison is not None and comparison.floor is not None:
        floors = [_shown(comparison.floor_of(name)[0]) for name in figures]
        grid.add_row("floor at this sharpness, lag 1", *floors)
    console = Console(width=130)
    with console.capture() as capture:
        console.print(grid)
    return capture.get().rstrip()


def _shown(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
