"""`latentman motion-repair FILE --output FILE`: check a motion file, repair it, and write it in any of the formats."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from shared.body import free_body, load_body
from shared.body.model import Body
from shared.errors import EXIT_DONE, InputError
from shared.motion import UP_AXES, SMPLMotion, read_motion
from shared.motion.checks import run_checks
from shared.motion.contacts import BALLS
from shared.motion.repair import Ground, repair_named
from shared.motion.writers import WRITERS, write_motion, writer_for, writer_named

# In the order in which they are made: what trembles is smoothed before its feet are planted.
_OPTIONS = (("--smooth", "smooth_motion"), ("--put-on-floor", "put_on_floor"), ("--plant-feet", "plant_feet"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=Path, help="a motion file of any format that can be imported")
    for option, name in _OPTIONS:
        repair = repair_named(name)
        if repair is not None:
            parser.add_argument(
                option,
                dest=name,
                nargs="?",
                type=float,
                const=repair.strength,
                metavar="STRENGTH",
                help=f"{repair.description}; 0 to 1 (default: {repair.strength:g})",
            )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the motion; its ending gives the format")
    formats = [writer.name for writer in WRITERS]
    parser.add_argument("--format", choices=formats, help="write this format, whatever the ending")
    parser.add_argument("--body", type=Path, metavar="FILE", help="the body that shows it (default: the free body)")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="which motion of a file that has several")
    parser.add_argument("--repetition", type=int, default=0, metavar="N", help="which repetition of that motion")
    parser.add_argument("--person", type=int, metavar="N", help="which person of a file that has several")
    parser.add_argument("--motion-fps", type=float, metavar="FPS", help="frame rate of the file (default: its own)")
    parser.add_argument("--up", choices=UP_AXES, default="auto", help="axis of the file that points up")


def run(arguments: argparse.Namespace) -> int:
    """Print what the checks find before and after, and write the file if one is asked for."""
    strengths = {name: getattr(arguments, name) for _, name in _OPTIONS if getattr(arguments, name) is not None}
    for name, strength in strengths.items():
        if not 0.0 <= strength <= 1.0:
            raise InputError("arguments.repair", f"The strength {strength:g} of {name} is not between 0 and 1.")
    writer = None
    if arguments.output is not None:
        writer = writer_named(arguments.format) if arguments.format else writer_for(arguments.output)
    body = free_body() if arguments.body is None else load_body(arguments.body)
    motion = read_motion(
        arguments.file,
        sample=arguments.sample,
        repetition=arguments.repetition,
        person=arguments.person,
        fps=arguments.motion_fps,
        up=arguments.up,
        rest_joints=body.joints,
    )
    for warning in motion.warnings:
        print(f"latentman: {warning}", file=sys.stderr)
    rest = np.asarray(body.joints(motion.betas), np.float64)
    ground = Ground(0.0, _sole_m(body, motion.betas, rest))
    mended = motion
    for name, strength in strengths.items():
        repair = repair_named(name)
        if repair is not None:
            mended = repair.apply(mended, rest, strength=strength, ground=ground)
    print(_table(motion, mended, rest, ground))
    if writer is not None:
        for note in write_motion(arguments.output, mended, writer, rest_joints=body.joints):
            print(f"latentman: {note}", file=sys.stderr)
        print(f"latentman: wrote {arguments.output} ({writer.label}).", file=sys.stderr)
    return EXIT_DONE


def _sole_m(body: Body, betas: npt.ArrayLike, rest: npt.NDArray[np.float64]) -> float:
    """How high the ball's joint is above the sole of a body with this shape, metres."""
    return float(max(0.0, rest[list(BALLS), 1].min() - body.shaped_vertices(betas)[:, 1].min()))


def _table(before: SMPLMotion, after: SMPLMotion, rest: npt.NDArray[np.float64], ground: Ground) -> str:
    """A line a check: the worst value and the frames with a problem, before and after."""
    ground_m = {"floor_m": ground.floor_m, "sole_m": ground.sole_m}
    lines = [f"{'check':<18}{'limit':>12}{'before':>18}{'after':>18}"]
    for one, other in zip(run_checks(before, rest, **ground_m), run_checks(after, rest, **ground_m), strict=True):
        limit = f"{one.check.threshold:g} {one.check.unit}"
        first, second = (f"{found.worst:.1f}, {found.problem_frames} frames" for found in (one, other))
        lines.append(f"{one.check.label:<18}{limit:>12}{first:>18}{second:>18}")
    return "\n".join(lines)
