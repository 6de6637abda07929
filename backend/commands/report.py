"""`latentman report DIR`: video, contact sheet and manifest of a shot's output folder."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.commands.evaluation.shot import compared_pictures, measure, table
from backend.measure.metrics.comparison import Comparison, unconstrained
from backend.measure.report.captions import BETWEEN, side_by_side
from backend.measure.report.contact_sheet import Row, contact_sheet, depth_row, part_row
from backend.measure.report.manifest import manifest
from backend.measure.report.result_folder import ResultFolder
from backend.measure.report.video import write_video
from shared.files.frame_files import write_atomic
from shared.jobs.frame_range import held_for
from shared.methods import METHODS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", type=Path, help="the output folder of a finished shot")


def label(method: str) -> str:
    """A method's name for people."""
    return METHODS[method].label if method in METHODS else method


def caption(method: str, comparison: Comparison) -> str:
    """A method's line on the contact sheet: its H_MSE, and what that has to be read with."""
    figures = comparison.figures[method]
    shown = (
        ("H_MSE", figures.h_mse.mean, 1),
        ("background", figures.background_mean, 1),
        ("sharpness", figures.sharpness.mean, 1),
        ("shading kept", comparison.shading_kept(method), 2),
        ("mask IoU", figures.mask_iou.mean, 2),
        ("seam ratio", None if figures.seam is None else figures.seam.ratio, 2),
    )
    known = (f"{title} {value:.{digits}f}" for title, value, digits in shown if value is not None)
    return BETWEEN.join([label(method), *known])


def run(arguments: argparse.Namespace) -> int:
    """Write `video.mp4` (the methods beside each other), `contact_sheet.png` and `manifest.json`; print the table."""
    folder = ResultFolder.open(arguments.folder)
    passes = folder.passes()
    pictures = compared_pictures(folder)
    comparison = Comparison(measure(folder, passes, pictures), None, unconstrained(pictures))
    rows = [depth_row(passes), part_row(passes)]
    for name, frames in pictures.items():
        rows.append(Row(caption(name, comparison), frames))
    result = folder.result
    picture = io.BytesIO()
    contact_sheet(rows, numbers=result.frames).save(picture, "PNG", optimize=True)
    write_atomic(folder.path / "contact_sheet.png", picture.getbuffer())
    write_video(folder.path / "video.mp4", _beside_each_other(folder), result.fps, held_for(result.frames))
    document = json.dumps(manifest(folder, comparison), indent=1).encode()
    write_atomic(folder.path / "manifest.json", document)
    print(table(comparison.figures, comparison))
    print(f"latentman: wrote {folder.path / 'video.mp4'}, contact_sheet.png and manifest.json.", file=sys.stderr)
    return 0


def _beside_each_other(folder: ResultFolder) -> Iterator[NDArray[np.uint8]]:
    """The video's frames, at the size of the methods' own: read as they are needed."""
    entries = folder.result.methods
    for frame in folder.result.frames:
        yield side_by_side([label(one.method) for one in entries], [folder.picture(one, frame) for one in entries])
