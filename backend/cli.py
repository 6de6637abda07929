"""`latentman COMMAND ...`: what the backend can do by hand.

A command is a row of `COMMANDS`, of one word or of two, and a module with `add_arguments(parser)` and
`run(arguments) -> int`; of two rows that fit, the first is taken. Only the module of the command that is asked for is
imported, so that the supervisor's commands never load torch.
Exit codes: 0 done, 1 failed, 2 bad arguments, 3 cancelled. A failure is one sentence on stderr.
"""

from __future__ import annotations

import argparse
import importlib
import io
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from backend.machine.freed_memory import keep_freed_memory
from backend.machine.waiting_threads import let_threads_sleep
from shared.errors import EXIT_BAD_ARGUMENTS, EXIT_CANCELLED, EXIT_DONE, EXIT_FAILED, LatentManError
from shared.files.frame_files import file_error
from shared.version import VERSION


class CommandModule(Protocol):
    """What a command's module offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Run it and return the exit code; LatentManError is printed by the caller."""


@dataclass(frozen=True, slots=True)
class Command:
    """One row of the table."""

    name: str
    module: str
    help: str
    computes: bool = False  # with tensors, in this process

    @property
    def words(self) -> list[str]:
        """What is typed for it."""
        return self.name.split()


COMMANDS = (
    Command("serve", "backend.commands.serve", "serve jobs to add-ons and command lines"),
    Command("submit", "backend.commands.submit", "run a job file on rendered passes and fetch its frames"),
    Command("status", "backend.commands.status", "list a backend's jobs"),
    Command("cancel", "backend.commands.cancel", "stop a job"),
    Command("clean", "backend.commands.clean", "remove ended jobs and the files that only they used"),
    Command("run-job", "backend.commands.run_job", "run one job folder in this process", computes=True),
    Command("run-segment", "backend.commands.run_segment", "run one segment of a job folder", computes=True),
    Command("worker", "backend.commands.worker", "the worker process, started by serve", computes=True),
    Command(
        "eval table2",
        "backend.commands.evaluation.table2",
        "reproduce the paper's Table 2 with a local model",
        computes=True,
    ),
    Command("eval methods", "backend.commands.evaluation.methods", "compare the methods on many shots", computes=True),
    Command("eval motion", "backend.commands.evaluation.motion", "measure the embedded motion model", computes=True),
    Command("eval", "backend.commands.evaluation.shot", "measure the consistency of a finished shot"),
    Command("bench", "backend.commands.bench", "measure speed and memory", computes=True),
    Command("report", "backend.commands.report", "write video, contact sheet and manifest of a finished shot"),
    Command("video", "backend.commands.video", "save the frames of a take as an mp4 file"),
    Command("fit", "backend.commands.fit", "fit SMPL's rotations to a file of joint positions", computes=True),
    Command("motion", "backend.commands.motion", "make a motion from a text, or change one", computes=True),
    Command("convert-smpl", "backend.commands.convert_smpl", "convert a licensed SMPL file to a safe npz file"),
    Command("motion-repair", "backend.commands.motion_repair", "check and repair a motion file, or convert it"),
    Command("train", "backend.commands.train", "train the embedded model", computes=True),
    Command("train-motion", "backend.commands.train_motion", "train the embedded motion model", computes=True),
    Command("doctor", "backend.commands.doctor", "check what works on this machine, and show how to fix the rest"),
)
_VERSION = ("--version", "print the version")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `latentman` with these arguments (the process's own by default) and return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # Names on disk need not be UTF-8: what has no letter is shown as its byte.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s: %(message)s")
    command = next((item for item in COMMANDS if given[: len(item.words)] == item.words), None)
    if command is None:
        return _overview(given)
    try:
        return _run(command, given[len(command.words) :])
    except LatentManError as error:
        print(f"latentman: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"latentman: {file_error(error)}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        print("latentman: cancelled.", file=sys.stderr)
        return EXIT_CANCELLED


def _run(command: Command, given: list[str]) -> int:
    if command.computes:
        let_threads_sleep()  # before the module imports torch
    module = cast(CommandModule, importlib.import_module(command.module))
    parser = argparse.ArgumentParser(prog=f"latentman {command.name}", description=command.help)
    module.add_arguments(parser)
    try:
        arguments = parser.parse_args(given)
    except SystemExit as leaving:  # argparse has printed its sentence or the help
        return EXIT_DONE if leaving.code in (0, None) else EXIT_BAD_ARGUMENTS
    if command.computes:
        keep_freed_memory()
    return module.run(arguments)


def _overview(given: list[str]) -> int:
    lines = [f"  {name:<14}{help}" for name, help in (*((item.name, item.help) for item in COMMANDS), _VERSION)]
    text = "\n".join(["usage: latentman COMMAND ...", "", *lines, "", "See latentman COMMAND --help for details."])
    if given[:1] in (["-h"], ["--help"]):
        print(text)
        return EXIT_DONE
    if given[:1] == ["--version"]:
        print(f"latentman {VERSION}")
        return EXIT_DONE
    if given:
        print(f'latentman: unknown command "{given[0]}".', file=sys.stderr)
    print(text, file=sys.stderr)
    return EXIT_BAD_ARGUMENTS
