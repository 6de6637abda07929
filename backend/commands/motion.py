"""`latentman motion TEXT --output clip.npy`: a motion from a text, or a change of one that is there."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from backend.jobs.worker_protocol import WorkerLine, write_line
from backend.machine.pipes import claim_stdout, give_stdout_back, write_all
from backend.motion.edits import parse_spans
from backend.motion.generate import Watch
from backend.motion.make_clip import ClipMade, ClipOrder, make_clip
from backend.motion.models import MotionModelFiles, open_motion_model
from shared.errors import EXIT_DONE, CancelledError, LatentManError, told
from shared.protocol.job_events import Cancelled, Done, Failed, Progress, WorkerEvent

_JOB = "motion"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="what happens; several texts follow each other")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FILE", help="the motion (.npy), as MDM writes it"
    )
    parser.add_argument(
        "--seconds", type=float, nargs="+", metavar="S", help="of each text, or one number for all (default: 6)"
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed gives another motion (default: 0)")
    parser.add_argument("--guidance-scale", type=float, help="how closely the text is followed (default: the model's)")
    parser.add_argument("--amass", type=Path, metavar="FILE", help="the motion as rotations of SMPL too (.npz, AMASS)")
    editing = parser.add_argument_group("changing a motion")
    editing.add_argument("--edit", type=Path, metavar="FILE", help="a motion that is changed: any that can be imported")
    editing.add_argument("--motion-fps", type=float, metavar="FPS", help="its rate, if the file does not say it")
    editing.add_argument(
        "--keep", default="", metavar="FRAMES", help="its frames that stay, such as 0-20,60-80; 20 are a second"
    )
    editing.add_argument(
        "--upper-body", action="store_true", help="make the upper body anew; legs and path stay as they are"
    )
    model = parser.add_argument_group("model")
    model.add_argument(
        "--model",
        type=Path,
        metavar="PLACE",
        help="an MDM checkpoint: its folder, or the .pt file (default: the embedded model)",
    )
    model.add_argument(
        "--text-encoder", type=Path, metavar="FOLDER", help="its CLIP or DistilBERT, if it lies elsewhere"
    )
    model.add_argument(
        "--statistics", type=Path, metavar="FOLDER", help="HumanML3D's Mean.npy and Std.npy, if not beside it"
    )
    parser.add_argument("--events", action="store_true", help="progress as JSON lines on stdout, as run-job has it")


def run(arguments: argparse.Namespace) -> int:
    """Make the motion; Ctrl-C stops it at its next step and leaves no file."""
    order = ClipOrder(
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
    files = MotionModelFiles(arguments.text_encoder, arguments.statistics)
    with _interrupts() as stop, _lines() if arguments.events else _bar() as tell:
        tell(Progress("loading", 0, 0, 0, 0))
        model = open_motion_model(arguments.model, files)
        made = make_clip(model, order, Watch(_progress(tell), stop.is_set))
        tell(Done(made.notes))
    if not arguments.events:
        _say(made, order)
    return EXIT_DONE


def _say(made: ClipMade, order: ClipOrder) -> None:
    for note in made.notes:
        print(f"latentman: {note}", file=sys.stderr)
    print(order.output)


def _progress(tell: Callable[[WorkerEvent], None]) -> Callable[[int, int], None]:
    """Steps as events, with the seconds that are left by the mean of the steps so far."""
    began = time.monotonic()

    def progress(done: int, steps: int) -> None:
        left = (time.monotonic() - began) / done * (steps - done)
        tell(Progress("motion", done, steps, 0, 0, left))

    return progress


@contextlib.contextmanager
def _bar() -> Iterator[Callable[[WorkerEvent], None]]:
    """A bar on stderr, where somebody looks at it."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task("loading", total=None)

        def tell(event: WorkerEvent) -> None:
            if isinstance(event, Progress) and event.steps:
                bar.update(task, description=event.stage, completed=event.step, total=event.steps)

        yield tell


@contextlib.contextmanager
def _lines() -> Iterator[Callable[[WorkerEvent], None]]:
    """JSON lines on stdout, and nothing else there; the last one says how it ended."""
    output = claim_stdout()

    def tell(event: WorkerEvent) -> None:
        write_all(output, write_line(WorkerLine(_JOB, 0, event)))

    try:
        yield tell
    except CancelledError:
        tell(Cancelled())
        raise
    except LatentManError as error:
        tell(Failed(*told(error)))
        raise
    finally:
        give_stdout_back(output)


@contextlib.contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Ctrl-C asks for the end of the step; a second one leaves at once."""
    stop = threading.Event()

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
