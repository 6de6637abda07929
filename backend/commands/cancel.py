"""`latentman cancel JOB`: stop a job of a backend."""

from __future__ import annotations

import argparse

from backend.commands.base.connection import CLIENT_NAME, Link, add_connection_argument, full_job_id, wait_for
from shared.errors import EXIT_DONE, EXIT_FAILED
from shared.protocol.client.events import Cancelled, ClientEvent, Done, Failed
from shared.protocol.client.job_client import JobClient


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_connection_argument(parser)
    parser.add_argument("job", help="the job's id, or the beginning of it (see latentman status)")


def run(arguments: argparse.Namespace) -> int:
    """Cancel the job and wait for its end; 1 where it had ended otherwise."""
    with Link(JobClient(CLIENT_NAME), arguments.connection_file) as link:
        job_id = full_job_id(link, arguments.job)
        link.client.cancel(link.client.attach(job_id))
        end = wait_for(link, _ending)
    if isinstance(end, Cancelled):
        print(f"Cancelled {job_id[:12]}.")
        return EXIT_DONE
    print(f"Job {job_id[:12]} has already {'finished' if isinstance(end, Done) else 'failed'}.")
    return EXIT_FAILED


def _ending(event: ClientEvent) -> Done | Failed | Cancelled | None:
    return event if isinstance(event, Done | Failed | Cancelled) else None
