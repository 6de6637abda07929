"""`latentman serve`: the supervisor, by hand or at the other end of the add-on's pipes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from backend.jobs.runners import DEFAULT_RUNNER
from backend.server.dispatch.table import DEFAULT_DISPATCHER, DISPATCHERS
from backend.server.paths import default_connection_file, default_work_folder
from backend.server.serve import ServeSettings, serve_by_hand, serve_stdio
from shared.errors import EXIT_DONE, InputError
from shared.protocol.launch import ConnectionInfo


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--stdio", action="store_true", help="read keys and work folder from stdin, and stop when it closes"
    )
    parser.add_argument(
        "--connection-file",
        type=Path,
        default=None,
        help="file to write with the address and keys for clients (mode 0600)",
    )
    parser.add_argument("--work", type=Path, default=None, help="work folder (default: in the user's data folder)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: any free one)")
    workers = "worker processes; they share the GPUs in CUDA_VISIBLE_DEVICES (default: %(default)s)"
    parser.add_argument("--workers", type=int, default=1, help=workers)
    parser.add_argument("--runner", default=DEFAULT_RUNNER, help="module that runs a job folder (default: %(default)s)")
    places = "where jobs run (default: %(default)s)"
    parser.add_argument("--dispatcher", choices=sorted(DISPATCHERS), default=DEFAULT_DISPATCHER, help=places)


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to end."""
    if arguments.workers < 1 or not 0 <= arguments.port < 65536:
        raise InputError("serve.arguments", "--workers must be at least 1, and --port from 0 to 65535.")
    if arguments.stdio:
        serve_stdio(arguments.runner, arguments.workers, arguments.dispatcher)
        return EXIT_DONE
    path: Path = arguments.connection_file or default_connection_file()
    settings = ServeSettings(
        arguments.work or default_work_folder(),
        arguments.host,
        arguments.port,
        arguments.runner,
        arguments.workers,
        arguments.dispatcher,
    )

    def started(info: ConnectionInfo) -> None:
        print(f"latentman serves on {info.address}; clients connect with {path}", file=sys.stderr, flush=True)

    serve_by_hand(settings, path.absolute(), started)
    return EXIT_DONE
