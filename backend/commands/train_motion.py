"""`latentman train-motion`: make the embedded motion model, or one stage of it."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from backend.make.motion.recorded.dataset import write_recorded
from backend.make.motion.training.clips import ClipSet, write_clips
from backend.make.motion.training.export import export_motion
from backend.make.motion.training.train import MotionPlan, train_motion
from backend.make.training.training_loop import Budget, launch
from backend.motion.embedded.model import EMBEDDED_FOLDER

HELD_OUT_SEED = 900_001
HELD_OUT_CLIPS = 300
STAGES = ("clips", "train", "export")
PORT = 29513
RECORDED = "recorded"  # the folder of clips that were recorded


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `latentman train-motion`."""
    parser.add_argument(
        "stage", nargs="?", choices=("all", *STAGES), default="all", help="a stage, or all of them in order"
    )
    parser.add_argument(
        "--folder", type=Path, default=Path(".cache/motion-training"), help="clips, checkpoints and the log"
    )
    parser.add_argument("--target", type=Path, default=EMBEDDED_FOLDER, help="where the exported model goes")
    parser.add_argument("--clips", type=int, default=9000, help="training clips")
    parser.add_argument(
        "--recorded",
        type=Path,
        help="folder with clones of the repositories of recorded clips that docs/embedded_motion.md names; "
        "the stage clips adds what can be used of them",
    )
    parser.add_argument("--minutes", type=float, default=75.0, help="duration of the training")
    parser.add_argument("--steps", type=int, default=10**9, help="steps of the training, where they end first")
    parser.add_argument("--batch", type=int, default=16, help="clips a step")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1, help="processes that make clips, and that train")
    parser.add_argument("--threads", type=int, default=1, help="threads per process")
    parser.add_argument("--guidance", type=float, default=1.5, help="guidance scale of the exported model")


def run(arguments: argparse.Namespace) -> int:
    """Carry out the parsed command."""
    stages = STAGES if arguments.stage == "all" else (arguments.stage,)
    actions = {"clips": _clips, "train": _train, "export": _export}
    for stage in stages:
        actions[stage](arguments)
    return 0


def _plan(arguments: argparse.Namespace) -> MotionPlan:
    return MotionPlan(Budget(arguments.minutes, arguments.steps), seed=arguments.seed, batch=arguments.batch)


def _clips(arguments: argparse.Namespace) -> None:
    console = Console(stderr=True)
    for name, content in (
        ("held_out", ClipSet(HELD_OUT_CLIPS, HELD_OUT_SEED, only_held_out=True)),
        ("clips", ClipSet(arguments.clips, arguments.seed)),
    ):
        for done in write_clips(arguments.folder / name, content, arguments.processes):
            console.print(f"{name}: {done} of {content.clips} clips")
    if arguments.recorded is not None:
        target = arguments.folder / RECORDED
        for tally in write_recorded(arguments.recorded, target / "clips", target / "held_out"):
            console.print(tally.told)


def _train(arguments: argparse.Namespace) -> None:
    root: Path = arguments.folder
    launch(
        train_motion,
        arguments.processes,
        arguments.threads,
        PORT,
        root / "clips",
        root / "held_out",
        root / "run",
        _plan(arguments),
        root / RECORDED if (root / RECORDED).is_dir() else None,
    )


def _export(arguments: argparse.Namespace) -> None:
    root: Path = arguments.folder
    size = export_motion(root / "run", root / "clips", arguments.target, _plan(arguments), arguments.guidance)
    Console(stderr=True).print(f"{arguments.target}: {size / 1e6:.1f} MB")
