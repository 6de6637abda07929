"""`latentman fit FILE`: a file of joint positions as SMPL rotations, fitted by optimisation."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backend.commands.base.telling import telling
from backend.motion.fit import FitReport, OnStep, refine
from shared.body import free_body, load_body
from shared.errors import EXIT_DONE, MotionError
from shared.motion import UP_AXES, SMPLMotion, read_motion
from shared.motion.writers.table import write_motion, writer_for

Array = npt.NDArray[np.float64]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=Path, help="a motion file with joint positions, for example MDM's results.npy")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="the motion file to write")
    parser.add_argument("--body", type=Path, metavar="FILE", help="the body that shows it (default: the free body)")
    parser.add_argument(
        "--betas",
        type=_betas,
        metavar="B,B,...",
        help="its shape, ten numbers (default: the file's, or the mean shape)",
    )
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="which motion of a file that has several")
    parser.add_argument("--repetition", type=int, default=0, metavar="N", help="which repetition of that motion")
    parser.add_argument("--person", type=int, metavar="N", help="which person of a file that has several")
    parser.add_argument("--motion-fps", type=float, metavar="FPS", help="frame rate of the file (default: its own)")
    parser.add_argument("--up", choices=UP_AXES, default="auto", help="axis of the file that points up")
    parser.add_argument("--json", action="store_true", help="print progress and result as lines of JSON on stdout")


def run(arguments: argparse.Namespace) -> int:
    """Fit, write, and say what has changed."""
    with telling(arguments.json) as told:
        body = load_body(arguments.body) if arguments.body else free_body()
        writer = writer_for(arguments.output)
        motion = read_motion(
            arguments.file, sample=arguments.sample, repetition=arguments.repetition, person=arguments.person,
            fps=arguments.motion_fps, up=arguments.up, betas=arguments.betas, rest_joints=body.joints,
        )  # fmt: skip
        fitted, notes = refined(motion, body.joints(motion.betas), lambda done, most: told.step("fitting", done, most))
        said = write_motion(arguments.output, fitted, writer, rest_joints=body.joints)
        told.written(arguments.output, (*motion.warnings, *notes, *said))
    return EXIT_DONE


def _betas(text: str) -> tuple[float, ...]:
    return tuple(float(number) for number in text.split(","))


def refined(motion: SMPLMotion, rest_joints: Array, on_step: OnStep) -> tuple[SMPLMotion, tuple[str, ...]]:
    # rest_joints (24, 3) metres
    """The motion with better rotations for its positions, and its figures before and after.

    Raises MotionError where the file has rotations already.
    """
    if motion.fitted_to is None:
        raise MotionError(
            "motion.nothing_to_fit",
            f"{motion.source} has joint rotations, which need no fit.",
            "Give a file with joint positions, or use Smooth and Plant Feet.",
        )
    result = refine(motion.fitted_to, rest_joints, motion.fps, name=motion.source, on_step=on_step)
    fitted = replace(
        motion, poses=result.motion.poses, root=result.motion.root, fitted_to=None,
        residual_cm=result.after.residual_cm, feet_residual_cm=result.after.feet_residual_cm,
    )  # fmt: skip
    return fitted, sentences(result.before, result.after)


def sentences(before: FitReport, after: FitReport) -> tuple[str, ...]:
    """A sentence a figure, from before to after."""
    return (
        f"Distance to the given joints: {before.residual_cm:.2f} to {after.residual_cm:.2f} cm.",
        f"Foot slide: {before.foot_slide_cm_per_s:.1f} to {after.foot_slide_cm_per_s:.1f} cm/s.",
        f"Jitter: {before.jitter_m_per_s3:.0f} to {after.jitter_m_per_s3:.0f} m/s^3.",
    )
