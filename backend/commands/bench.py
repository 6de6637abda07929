"""`latentman bench KIND`: the figures that the documents quote."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from backend.measure.bench.arithmetic import Arithmetic, count_arithmetic
from backend.measure.bench.correspondence import CorrespondenceBench, CorrespondenceRow, run_correspondence
from backend.measure.bench.diffusion import CASES, DiffusionBench, DiffusionFigures, run_diffusion
from backend.measure.bench.enlarging import EnlargingRow, run_enlarging
from backend.measure.bench.shot import FRAMING
from backend.measure.bench.surface import SurfaceBench, SurfaceRow, run_surface
from backend.measure.bench.waiting import ASLEEP, SPINNING, WaitingBench, WaitingRow, run_waiting
from backend.methods.latentman.step_decoder import GuideDecoder
from shared.errors import EXIT_DONE

KINDS = ("diffusion", "correspondence", "surface", "arithmetic", "waiting", "enlarging")
_WIDTH = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    kinds = parser.add_subparsers(dest="bench", required=True, metavar="|".join(KINDS))
    diffusion = kinds.add_parser("diffusion", help="our sampler compared with diffusers' stock pipeline")
    defaults = DiffusionBench()
    for name in ("frames", "steps", "repeats"):
        diffusion.add_argument(f"--{name}", type=int, default=getattr(defaults, name), help="default: %(default)s")
    diffusion.add_argument("--size", type=int, default=None, help="picture size in pixels (default: the model's own)")
    diffusion.add_argument("--device", default=defaults.device, help="cpu, cuda or auto (default: %(default)s)")
    diffusion.add_argument("--dtype", default=defaults.dtype, help="precision (default: the device's fastest)")
    diffusion.add_argument("--full-size", action="store_true", help="Stable Diffusion 1.5 with random weights")
    diffusion.add_argument("--compile", action="store_true", help="compile the models' blocks with torch.compile")
    diffusion.add_argument("--micro-batch", type=int, default=None, help="frames per batch (default: by free memory)")
    diffusion.add_argument(
        "--case", action="append", choices=CASES, help="run only this case; may be repeated (default: all)"
    )
    matching = kinds.add_parser("correspondence", help="our assignment compared with SciPy's dense solver")
    sizes = CorrespondenceBench()
    matching.add_argument("--size", type=int, action="append", help=f"default: {', '.join(map(str, sizes.sizes))}")
    matching.add_argument("--view", action="append", choices=tuple(FRAMING), help="default: both")
    matching.add_argument("--repeats", type=int, default=sizes.repeats, help="default: %(default)s")
    matching.add_argument(
        "--dense-gb",
        type=float,
        default=sizes.dense_bytes / 1e9,
        help="memory for the dense solver (default: %(default)s)",
    )
    drawing = kinds.add_parser(
        "surface", help="texels and views of a shot, and our z-buffer compared with the simple method"
    )
    shots = SurfaceBench()
    drawing.add_argument("--size", type=int, action="append", help=f"default: {', '.join(map(str, shots.sizes))}")
    drawing.add_argument("--view", action="append", choices=tuple(FRAMING), help="default: both")
    for name in ("frames", "repeats"):
        drawing.add_argument(f"--{name}", type=int, default=getattr(shots, name), help="default: %(default)s")
    counting = kinds.add_parser("arithmetic", help="count the operations per frame of both models")
    waiting = kinds.add_parser(
        "waiting", help="threads that spin or sleep while they wait, with other programs running"
    )
    waits = WaitingBench()
    waiting.add_argument("--repeats", type=int, default=waits.repeats, help="default: %(default)s")
    waiting.add_argument("--others", type=int, default=waits.others, help="busy programs (default: one per processor)")
    for kind in (diffusion, matching, drawing, counting, waiting, _add_enlarging(kinds)):
        kind.add_argument("--json", action="store_true", help="print all figures as JSON")


def _add_enlarging(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    enlarging = kinds.add_parser("enlarging", help="how steady the frames of a finished shot stay when enlarged")
    enlarging.add_argument("folder", type=Path, help="the output folder of a finished shot")
    enlarging.add_argument("--factor", type=int, choices=(2, 4), default=4, help="default: %(default)s")
    return enlarging


def run(arguments: argparse.Namespace) -> int:
    """Run one bench and print its figures."""
    kinds: dict[str, Callable[[argparse.Namespace], None]] = {
        "diffusion": _diffusion,
        "correspondence": _correspondence,
        "surface": _surface,
        "arithmetic": _arithmetic,
        "waiting": _waiting,
        "enlarging": _enlarging,
    }
    kinds[arguments.bench](arguments)
    return EXIT_DONE


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _diffusion(arguments: argparse.Namespace) -> None:
    bench = DiffusionBench(
        frames=arguments.frames,
        steps=arguments.steps,
        size=arguments.size,
        repeats=arguments.repeats,
        device=arguments.device,
        dtype=arguments.dtype,
        full_size=arguments.full_size,
        compiled=arguments.compile,
        micro_batch=arguments.micro_batch,
        cases=tuple(arguments.case or CASES),
    )
    figures = run_diffusion(bench, _report)
    print(json.dumps(asdict(figures), indent=1) if arguments.json else diffusion_table(figures))


def _correspondence(arguments: argparse.Namespace) -> None:
    defaults = CorrespondenceBench()
    bench = CorrespondenceBench(
        sizes=tuple(arguments.size or defaults.sizes),
        views=tuple(arguments.view or defaults.views),
        repeats=arguments.repeats,
        dense_bytes=int(arguments.dense_gb * 1e9),
    )
    rows = run_correspondence(bench, _report)
    print(json.dumps([asdict(row) for row in rows], indent=1) if arguments.json else correspondence_table(rows))


def _surface(arguments: argparse.Namespace) -> None:
    defaults = SurfaceBench()
    bench = SurfaceBench(
        sizes=tuple(arguments.size or defaults.sizes),
        views=tuple(arguments.view or defaults.views),
        frames=arguments.frames,
        repeats=arguments.repeats,
    )
    rows = run_surface(bench, _report)
    print(json.dumps([asdict(row) for row in rows], indent=1) if arguments.json else surface_table(rows))


def _arithmetic(arguments: argparse.Namespace) -> None:
    decoders: tuple[GuideDecoder, ...] = ("full", "tiny")
    rows = [count_arithmetic(full_size, decoder=decoder) for full_size in (False, True) for decoder in decoders]
    print(json.dumps([asdict(row) for row in rows], indent=1) if arguments.json else arithmetic_table(rows))


def _waiting(arguments: argparse.Namespace) -> None:
    rows = run_waiting(WaitingBench(arguments.repeats, arguments.others), _report)
    print(json.dumps([asdict(row) for row in rows], indent=1) if arguments.json else waiting_table(rows))


def _enlarging(arguments: argparse.Namespace) -> None:
    rows = run_enlarging(arguments.folder, arguments.factor, _report)
    print(json.dumps([asdict(row) for row in rows], indent=1) if arguments.json else enlarging_table(rows))


def diffusion_table(figures: DiffusionFigures) -> str:
    """The diffusion bench for people."""
    title = (
        f"{figures.model}: {figures.frames} frames of {figures.size}x{figures.size}, {figures.steps} steps, "
        f"{figures.dtype} on {figures.device} ({figures.threads} threads); the body's box is "
        f"{figures.body_part:.0%} of the picture; alignment itself takes {1000 * figures.alignment_s:.1f} ms of a run"
    )
    rows = [
        (
            row.case,
            f"{row.least_s:.2f}",
            f"{row.median_s:.2f}",
            f"{row.frames_per_s:.2f}",
            "-" if row.faster_than_stock is None else f"{row.faster_than_stock:.2f}x",
            "-" if row.over_baseline is None else f"{row.over_baseline:+.1%}",
            f"{row.peak_bytes / 2**20:.0f}",
        )
        for row in figures.rows
    ]
    heads = ("case", "least s", "median s", "frames/s", "faster than stock", "over baseline", "peak MiB")
    return _table(title, heads, rows)


def correspondence_table(rows: Sequence[CorrespondenceRow]) -> str:
    """The correspondence bench for people."""
    heads = ("view", "size", "pixels", "largest part", "ours s", "dense s", "dense/ours", "optimum", "surface ms", "")
    lines = [
        (
            row.view,
            str(row.size),
            f"{row.pixels:,}",
            f"{row.largest_part:,}",
            f"{row.ours_s:.3f}",
            "-" if row.dense_s is None else f"{row.dense_s:.3f}",
            "-" if row.dense_over_ours is None else f"{row.dense_over_ours:.1f}x",
            row.proof,
            f"{row.surface_ms:.1f}",
            row.note,
        )
        for row in rows
    ]
    return _table("a pair of frames, matched part by part", heads, lines)


def surface_table(rows: Sequence[SurfaceRow]) -> str:
    """The surface bench for people."""
    names = "view, size, texels, pixels, seen, MB, texels s, frame ms, shot s, ours ms, boxes ms, boxes/ours, "
    heads = names.split(", ")
    lines = [
        (
            row.view,
            str(row.size),
            f"{row.texels:,}",
            f"{row.pixels:,}",
            f"{row.seen:,}",
            f"{row.held_mb:.1f}",
            f"{row.texels_s:.2f}",
            f"{row.frame_ms:.0f}",
            f"{row.shot_s:.2f}",
            f"{row.draw_ms:.1f}",
            f"{row.boxes_ms:.1f}",
            f"{row.boxes_over_ours:.1f}x",
            row.proof,
        )
        for row in rows
    ]
    return _table("texels and views of a shot; one frame drawn at pixel centres by two methods", heads, lines)


def arithmetic_table(rows: Sequence[Arithmetic]) -> str:
    """The counts for people, and what guidance of half of the steps adds by them."""
    heads = (
        "model",
        "size",
        "step",
        "step back",
        "decode",
        "decode back",
        "guided",
        "a quarter",
        "decoder",
        "a quarter",
    )
    lines = []
    for row in rows:
        counts = (row.step, row.step_back, row.decode, row.decode_back)
        added = [row.over_baseline(through_unet=unet, decoded=part) for unet in (True, False) for part in (1.0, 0.25)]
        lines.append(
            (row.model, str(row.size), *(f"{count:,.1f}" for count in counts), *(f"{share:+.0%}" for share in added))
        )
    title = (
        "GFLOP per frame; then what guidance in half of the steps adds to plain steps: through UNet and decoder with "
        "whole pictures decoded or a quarter of each, and through only the decoder"
    )
    return _table(title, heads, lines)


def waiting_table(rows: Sequence[WaitingRow]) -> str:
    """The two ways of waiting for people."""
    lines = [
        (
            str(row.others),
            *(" / ".join(f"{one:.2f}" for one in times) for times in (row.spinning_s, row.asleep_s)),
            f"{row.gain:.2f}x",
        )
        for row in rows
    ]
    return _table(
        "seconds of the baseline, 4 frames and 4 steps", ("busy programs", SPINNING, ASLEEP, "spinning/asleep"), lines
    )


def enlarging_table(rows: Sequence[EnlargingRow]) -> str:
    """The figures of enlarged clips for people."""
    heads = ("case", "enlarged", "matched, lag 1", "warp error", "sharpness", "s a frame")
    lines = [
        (
            row.clip,
            row.way,
            *("-" if one is None else f"{one:.1f}" for one in (row.matched, row.warp, row.sharpness)),
            f"{row.frame_s:.2f}",
        )
        for row in rows
    ]
    return _table("mean squared differences on the body, 0 to 255", heads, lines)


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    grid = Table(title=title)
    for head in heads:
        grid.add_column(head, justify="left" if head in ("model", "case", "view", "optimum", "") else "right")
    for row in rows:
        grid.add_row(*row)
    console = Console(width=_WIDTH)
    with console.capture() as capture:
        console.print(grid)
    return capture.get().rstrip()
