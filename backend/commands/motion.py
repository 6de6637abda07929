"""`latentman motion TEXT --output clip.npy`: a motion from a text, or a change of one that is there."""

from __future__ import annotations

import argparse
from pathlib import Path

from backend.commands.base.telling import interrupts, telling
from backend.motion.edits import parse_spans
from backend.motion.generate import Watch
from backend.motion.make_clip import ClipOrder, make_clip
from backend.motion.models import MotionModelFiles, open_motion_model
from shared.errors import EXIT_DONE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="what happens; several texts follow each other")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FILE", help="the motion (.npy), as MDM writes it"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        nargs="+",
        metavar="S",
        help="length of each text, or of all together (default: as the text says, or 6)",
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed gives another motion (default: 0)")
    parser.add_argument("--guidance-scale", type=float, help="how closely the text is followed (default: the model's)")
    parser.add_argument(
        "--amass", type=Path, metavar="FILE", help="also write SMPL rotations to this file (.npz, AMASS)"
    )
    editing = parser.add_argument_group("changing a motion")
    editing.add_argument(
        "--edit", type=Path, metavar="FILE", help="the motion to change: any file that can be imported"
    )
    editing.add_argument("--motion-fps", type=float, metavar="FPS", help="its frame rate, if the file does not say it")
    editing.add_argument(
        "--keep", default="", metavar="FRAMES", help="frames of it that stay, such as 0-20,60-80; 20 frames a second"
    )
    editing.add_argument(
        "--upper-body", action="store_true", help="make a new upper body; legs and path stay as they are"
    )
    model = parser.add_argument_group("model")
    model.add_argument(
        "--model",
        type=Path,
        metavar="PLACE",
        help="an MDM checkpoint: its folder or its .pt file (default: the embedded model)",
    )
    model.add_argument("--text-encoder", type=Path, metavar="FOLDER", help="its CLIP or DistilBERT, if not beside it")
    model.add_argument(
        "--statistics", type=Path, metavar="FOLDER", help="HumanML3D's Mean.npy and Std.npy, if not beside it"
    )
    parser.add_argument("--json", action="store_true", help="print progress and result as lines of JSON on stdout")


def run(arguments: argparse.Namespace) -> int:
    """Make the motion; Ctrl+C stops it at its next step and leaves no file."""
    with interrupts() as stop, telling(arguments.json) as tell:
        order = _order(arguments)
        tell.step("loading", 0, 0)
        model = open_motion_model(arguments.model, MotionModelFiles(arguments.text_encoder, arguments.statistics))
        watch = Watch(lambda done, steps: tell.step("making the motion", done, steps), stop.is_set)
        made = make_clip(model, order, watch)
        tell.written(order.output, made.notes)
    return EXIT_DONE


def _order(arguments: argparse.Namespace) -> ClipOrder:
    """What the arguments ask for. Raises InputError."""
    return ClipOrder(
        output=arguments.output,
        texts=tuple(arguments.texts),
        seconds=tuple(arguments.seconds) if arguments.seconds else None,
        seed=arguments.seed,
        guidance_scale=arguments.guidance_scale,
        edit=arguments.edit,
        edit_fps=arguments.motion_fps,
        kept=parse_spans(arguments.keep),
        upper_body=arguments.upper_body,
        amass=arguments.amass,
    )
