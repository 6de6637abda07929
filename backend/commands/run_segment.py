"""`latentman run-segment FOLDER --segment N`: one segment of a job folder, in this process.

Events go to stdout as JSON lines. Everything it needs is in the folder, what earlier segments carry on included.
"""

from __future__ import annotations

import argparse

from backend.commands import run_job
from shared.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    run_job.add_arguments(parser)
    parser.add_argument("--segment", type=int, required=True, help="segment of the job, counted from 0")


def run(arguments: argparse.Namespace) -> int:
    """Run the segment; those that it goes on from must have been run. Ctrl-C stops it at its next step."""
    if arguments.segment < 0:
        raise InputError("job.segment", "--segment is counted from 0.")
    return run_job.run_folder(arguments.folder, arguments.runner, arguments.segment)
