"""`latentman report DIR`: video, contact sheet and manifest of a shot's output folder."""

from __future__ import annotations

import argparse
import io
import json
import sys
from pathlib import Path

from backend.commands.eval import compared_pictures, measure, table
from backend.measure.metrics.consistency import Consistency
from backend.measure.report.contact_sheet import Row, contact_sheet, depth_row, part_row
from backend.measure.report.manifest import manifest
from backend.measure.report.result_folder import ResultFolder
from backend.measure.report.video import write_video
from shared.files.frame_files import write_atomic
from shared.jobs.frame_range import held_for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", type=Path, help="the output folder of a finished shot")


def caption(name: str, figures: Consistency) -> str:
    """A method's line on the contact sheet: its H_MSE, and what that has to be read with."""
    shown = (
        ("H_MSE", figures.h_mse.mean),
        ("background", figures.background_mean),
        ("sharpness", figures.sharpness.mean),
    )
    return "   ".join([name, *(f"{title} {value:.1f}" for title, value in shown if value is not None)])


def run(arguments: argparse.Namespace) -> int:
    """Write `video.mp4` (the last method), `contact_sheet.png` and `manifest.json`; print the consistency table."""
    folder = ResultFolder.open(arguments.folder)
    passes = folder.passes()
    pictures = compared_pictures(folder)
    figures = measure(folder, passes, pictures)
    rows = [depth_row(passes), part_row(passes)]
    for name, frames in pictures.items():
        rows.append(Row(caption(name, figures[name]), frames))
    result = folder.result
    picture = io.BytesIO()
    contact_sheet(rows, numbers=result.frames).save(picture, "PNG", optimize=True)
    write_atomic(folder.path / "contact_sheet.png", picture.getbuffer())
    shown = folder.pictures(result.methods[-1])  # at their own size
    write_video(folder.path / "video.mp4", shown, result.fps, held_for(result.frames))
    document = json.dumps(manifest(folder, figures), indent=1).encode()
    write_atomic(folder.path / "manifest.json", document)
    print(table(figures))
    print(f"latentman: {folder.path / 'video.mp4'}, contact_sheet.png and manifest.json are written.", file=sys.stderr)
    return 0
