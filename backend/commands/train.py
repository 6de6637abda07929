"""`latentman train`: make the embedded model, or one stage of it."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from backend.make.training.adopt import adopt_model
from backend.make.training.autoencoder import AutoencoderPlan, train_autoencoder
from backend.make.training.dataset import write_pairs
from backend.make.training.diffusion import DiffusionPlan, train_diffusion
from backend.make.training.export import export_model, export_tiny_decoder, size_bytes
from backend.make.training.judging.figures import HELD_OUT_VIEWS, JUDGING, write_figures
from backend.make.training.judging.sheet import write_sheet
from backend.make.training.latents import write_latents
from backend.make.training.models import Sizes
from backend.make.training.prompt_reading import ReadingPlan, train_text_encoder
from backend.make.training.renders.views import write_views
from backend.make.training.tiny_decoder import TinyDecoderPlan, train_tiny_decoder
from backend.make.training.training_loop import Budget, launch
from backend.measure.judging.steadiness import SteadinessPlan, write_steadiness
from backend.measure.judging.tiny_figures import TinyPlan, measure_tiny_decoder
from backend.models.sources import EMBEDDED_FOLDER

HELD_OUT_SEED = 900_001  # training pairs take their seed from the command line, which must differ
HELD_OUT_PAIRS = 250
JUDGING_SEED = 900_002  # the judge of generated pictures learns from renders that the model never saw
JUDGING_PAIRS = 5000
STAGES = ("data", "autoencoder", "text", "diffusion", "export", "tiny", "sheet", "figures", "steadiness")
PORT = 29511
PAIRS_A_STEP = 8
TRIAL_PICTURES = 96


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `latentman train`."""
    parser.add_argument(
        "stage", nargs="?", choices=("all", *STAGES), default="all", help="a stage, or all of them in order"
    )
    parser.add_argument(
        "--folder", type=Path, default=Path(".cache/training"), help="pictures, latents, checkpoints, logs"
    )
    parser.add_argument("--target", type=Path, default=EMBEDDED_FOLDER, help="where the exported model goes")
    parser.add_argument("--pairs", type=int, default=7000, help="pairs of training pictures")
    parser.add_argument("--minutes", type=float, help="duration of each of the three trainings")
    parser.add_argument("--rate", type=float, default=8e-4, help="highest learning rate of the diffusion training")
    parser.add_argument(
        "--start",
        type=Path,
        metavar="MODEL",
        help="continue from this exported model; its autoencoder and text encoder do not change",
    )
    parser.add_argument("--steps", type=int, default=10**9, help="steps of each training")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, help="training processes (always one on a GPU)"
    )
    parser.add_argument("--sheet", type=Path, help="file for the sheet (default: FOLDER/sheet.png)")
    parser.add_argument("--guidance", type=float, default=2.0, help="guidance scale of sheet and figures")
    parser.add_argument("--threads", type=int, default=1, help="threads per process")


def run(arguments: argparse.Namespace) -> int:
    """Carry out the parsed command."""
    stages = STAGES if arguments.stage == "all" else (arguments.stage,)
    actions = {
        "data": _data,
        "autoencoder": _autoencoder,
        "text": _text,
        "diffusion": _diffusion,
        "export": _export,
        "tiny": _tiny,
        "sheet": _sheet,
        "figures": _figures,
        "steadiness": _steadiness,
    }
    if arguments.start is not None:
        adopt_model(arguments.start, arguments.folder, Sizes())
    for stage in stages:
        actions[stage](arguments)
    return 0


def _data(arguments: argparse.Namespace) -> None:
    parts = (("held_out", HELD_OUT_PAIRS, HELD_OUT_SEED), ("pairs", arguments.pairs, arguments.seed))
    _render(arguments, parts, write_pairs)


def _render(
    arguments: argparse.Namespace,
    parts: tuple[tuple[str, int, int], ...],
    write: Callable[[Path, int, int, int], Iterator[int]],
) -> None:
    console = Console(stderr=True)
    for name, count, seed in parts:
        for done in write(arguments.folder / name, count, seed, arguments.processes):
            console.print(f"{name}: {done} of {count} pairs")


def _autoencoder(arguments: argparse.Namespace) -> None:
    root: Path = arguments.folder
    plan = AutoencoderPlan(Budget(arguments.minutes or 60.0, arguments.steps), seed=arguments.seed)
    launch(
        train_autoencoder,
        arguments.processes,
        arguments.threads,
        PORT,
        root / "pairs",
        root / "held_out",
        root / "autoencoder",
        Sizes(),
        plan,
    )


def _text(arguments: argparse.Namespace) -> None:
    plan = ReadingPlan(seed=arguments.seed)
    threads = arguments.processes * arguments.threads
    launch(train_text_encoder, 1, threads, PORT, arguments.folder / "diffusion", Sizes(), plan)


def _diffusion(arguments: argparse.Namespace) -> None:
    root: Path = arguments.folder
    vae = root / "autoencoder" / "vae"
    launch(write_latents, arguments.processes, arguments.threads, PORT, root / "pairs", vae, root / "latents")
    plan = DiffusionPlan(Budget(arguments.minutes or 240.0, arguments.steps), rate=arguments.rate, seed=arguments.seed)
    plan = replace(plan, pairs=max(1, PAIRS_A_STEP // arguments.processes))
    publish = partial(_publish, vae, root, arguments.target)
    launch(
        train_diffusion,
        arguments.processes,
        arguments.threads,
        PORT,
        root / "pairs",
        root / "latents",
        root / "diffusion",
        Sizes(),
        plan,
        publish,
    )


def _publish(vae: Path, folder: Path, target: Path, diffusion: Path, step: int) -> None:
    """An intermediate export; its sample sheet is drawn by a process of its own, so that the training goes on."""
    export_model(vae, diffusion, target)
    command = [sys.executable, "-m", "backend", "train", "sheet", "--folder", str(folder), "--target", str(target)]
    picture = diffusion / f"sheet_{step:06d}.png"
    subprocess.Popen([*command, "--sheet", str(picture)], env={**os.environ, "OMP_NUM_THREADS": "1"})


def _export(arguments: argparse.Namespace) -> None:
    root: Path = arguments.folder
    export_model(root / "autoencoder" / "vae", root / "diffusion", arguments.target)
    Console(stderr=True).print(f"{arguments.target}: {size_bytes(arguments.target) / 1e6:.1f} MB of weights")


def _tiny(arguments: argparse.Namespace) -> None:
    root: Path = arguments.folder
    plan = TinyDecoderPlan(Budget(arguments.minutes or 20.0, arguments.steps), seed=arguments.seed)
    vae, folder = arguments.target / "vae", root / "tiny"
    launch(train_tiny_decoder, 1, arguments.threads, PORT, root / "latents", vae, folder, plan)
    export_tiny_decoder(folder, arguments.target)
    grid = Table(
        title="the tiny decoder compared with the autoencoder's, on x0 estimates after a step; guidance gradients"
    )
    for name in ("step", "PSNR dB", "cosine", "least cosine", "loss, as a ratio"):
        grid.add_column(name, justify="right")
    for row in measure_tiny_decoder(arguments.target, TinyPlan(guidance=arguments.guidance)):
        grid.add_row(str(row.step), *(f"{x:.2f}" for x in (row.psnr_db, row.cosine, row.least_cosine, row.loss_ratio)))
    Console().print(grid)


def _sheet(arguments: argparse.Namespace) -> None:
    target = arguments.sheet or arguments.folder / "sheet.png"
    write_sheet(arguments.target, arguments.folder / "held_out", target, arguments.guidance)


def _figures(arguments: argparse.Namespace) -> None:
    root: Path = arguments.folder
    _render(
        arguments,
        ((HELD_OUT_VIEWS, HELD_OUT_PAIRS, HELD_OUT_SEED), (JUDGING, JUDGING_PAIRS, JUDGING_SEED)),
        write_views,
    )
    found = write_figures(arguments.target, root, arguments.guidance, TRIAL_PICTURES)
    Console(stderr=True).print(found)


def _steadiness(arguments: argparse.Namespace) -> None:
    plan = SteadinessPlan(guidance=arguments.guidance)
    grid = Table(
        title="mean squared difference of a surface point, 0 to 255: lower is steadier, at the cost of sharpness"
    )
    for name in ("method", "1 frame apart", "4 frames apart", "look, 1 apart", "background", "sharpness"):
        grid.add_column(name, justify="left" if name == "method" else "right")
    for row in write_steadiness(arguments.target, arguments.folder / "steadiness.json", plan):
        shown = (row.lag_1, row.lag_4, row.look_1, row.background, row.sharpness)
        grid.add_row(row.name, *(f"{value:.1f}" for value in shown))
    Console().print(grid)
