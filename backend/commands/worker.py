"""`latentman worker`: the process that runs jobs; the supervisor starts it and talks to it over its pipes."""

from __future__ import annotations

import argparse

from backend.jobs.runners import DEFAULT_RUNNER
from backend.jobs.worker import serve_worker


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--runner", default=DEFAULT_RUNNER, help="module that runs a job folder (default: %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Serve commands from stdin."""
    return serve_worker(arguments.runner)
