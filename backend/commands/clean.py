"""`latentman clean`: remove ended jobs and what only they needed."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from backend.machine.folder_lock import FolderLock
from backend.server.cleaning import find_leftovers, remove_leftovers
from backend.server.journal import Journal
from backend.server.paths import default_work_folder
from shared.errors import EXIT_DONE, InputError

DAYS = 30.0
DAY_S = 86_400.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--work", type=Path, default=None, help="work folder (default: in the user's data folder)")
    parser.add_argument("--days", type=float, default=DAYS, help="keep jobs younger than this (default: %(default)g)")
    parser.add_argument("--dry-run", action="store_true", help="list what would be removed, without removing it")


def run(arguments: argparse.Namespace) -> int:
    """Remove what has ended; a backend at work in the folder keeps its lock, and nothing is removed then."""
    if not 0 <= arguments.days < float("inf"):
        raise InputError("clean.days", f"--days is {arguments.days:g}; it must be 0 or more.")
    work: Path = arguments.work or default_work_folder()
    if not (work / "journal.sqlite3").is_file():
        raise InputError(
            "clean.work", f"{work} is not a work folder of the backend.", "Use the work folder of latentman serve."
        )
    with FolderLock(work / "lock", 0.0):
        journal = Journal(work / "journal.sqlite3")
        try:
            leftovers = find_leftovers(work, journal, time.time() - arguments.days * DAY_S)
            size_mb = leftovers.size_bytes() / 1e6
            if not arguments.dry_run:
                remove_leftovers(journal, leftovers)
        finally:
            journal.close()
    verb = "Would remove" if arguments.dry_run else "Removed"
    print(f"{verb} {len(leftovers.jobs)} jobs and {len(leftovers.inputs)} inputs, {size_mb:.1f} MB.")
    return EXIT_DONE
