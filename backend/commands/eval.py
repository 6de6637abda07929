"""`latentman eval DIR`: how consistent each method of a result is, from frame to frame."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from backend.metrics.consistency import Consistency, consistency, consistency_matches
from backend.passes import ShotPasses
from backend.report.result_folder import ResultFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", type=Path, help="the output folder of a finished shot")
    parser.add_argument("--json", action="store_true", help="all figures as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Measure every method of the result and print the figures."""
    folder = ResultFolder.open(arguments.folder)
    passes = folder.passes()
    figures = measure(folder, passes, {entry.method: folder.pictures(entry) for entry in folder.result.methods})
    if arguments.json:
        print(json.dumps({name: figure.json_value() for name, figure in figures.items()}, indent=1))
    else:
        print(table(figures))
    return 0


def measure(
    folder: ResultFolder, passes: ShotPasses, pictures: Mapping[str, NDArray[np.uint8]]
) -> dict[str, Consistency]:
    """The consistency of every method's frames, on matches that are computed once."""
    matches = consistency_matches(passes, folder.result.height, folder.result.width)
    return {name: consistency(frames, passes, matches) for name, frames in pictures.items()}


def table(figures: Mapping[str, Consistency]) -> str:
    """The figures as a table for people: H_MSE by equation 9, exact surface lags, and the sharpness beside."""
    lags = [score.lag for score in next(iter(figures.values())).surface]
    grid = Table(title="mean squared difference on the body, 0 to 255; lower is steadier, sharpness says at what cost")
    for name in ("method", "H_MSE (eq. 9)", *(f"surface, lag {lag}" for lag in lags), "sharpness"):
        grid.add_column(name, justify="left" if name == "method" else "right")
    for name, figure in figures.items():
        values = (figure.h_mse.mean, *(score.mean for score in figure.surface), figure.sharpness.mean)
        grid.add_row(name, *("-" if value is None else f"{value:.1f}" for value in values))
    console = Console(width=110)
    with console.capture() as capture:
        console.print(grid)
    return capture.get().rstrip()
