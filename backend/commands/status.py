"""`latentman status`: the jobs of a backend, and the memory that its workers hold."""

from __future__ import annotations

import argparse
import dataclasses
import json

from rich.console import Console
from rich.table import Table

from backend.commands.base.connection import CLIENT_NAME, Link, add_connection_argument, wait_for
from shared.errors import EXIT_DONE
from shared.protocol.client.events import JobsListed
from shared.protocol.client.job_client import JobClient

_SHOWN_ID = 12
_SHOWN_PROMPT = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_connection_argument(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print the jobs, newest first, and the memory."""
    with Link(JobClient(CLIENT_NAME), arguments.connection_file) as link:
        link.client.request_status()
        listed = wait_for(link, lambda event: event if isinstance(event, JobsListed) else None)
    if arguments.json:
        print(json.dumps(dataclasses.asdict(listed)))
        return EXIT_DONE
    table = Table("job", "state", "attempt", "frames", "method", "prompt")
    for job in listed.jobs:
        frames = f"{job.done_frames}/{job.frames}"
        table.add_row(
            job.job_id[:_SHOWN_ID], job.state, str(job.attempt), frames, job.method, job.prompt[:_SHOWN_PROMPT]
        )
    console = Console()
    console.print(table)
    for memory in listed.memory:
        console.print(memory.text, soft_wrap=True, highlight=False)
    return EXIT_DONE
