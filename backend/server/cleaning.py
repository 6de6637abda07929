"""Giving disk space back: ended jobs of a work folder, and the inputs that no job needs any more."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from backend.server.journal import Journal
from shared.files.digest import is_digest
from shared.files.frame_files import storage_error
from shared.protocol.messages import TERMINAL_STATES


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What can go: names of jobs in the journal, folders that no job of the journal owns, inputs that none needs."""

    jobs: tuple[str, ...]
    folders: tuple[Path, ...]
    inputs: tuple[Path, ...]

    def size_bytes(self) -> int:
        """What their removal gives back: a file of several names counts once, and only if all of them go."""
        files = [
            path.stat()
            for root in (*self.folders, *self.inputs)
            for path in ([root] if root.is_file() else root.rglob("*"))
            if path.is_file() and not path.is_symlink()
        ]
        names = Counter((status.st_dev, status.st_ino) for status in files)
        sizes = {(status.st_dev, status.st_ino): (status.st_nlink, status.st_size) for status in files}
        return sum(size for key, (links, size) in sizes.items() if names[key] >= links)


def find_leftovers(work: Path, journal: Journal, created_before: float) -> Leftovers:
    """Jobs that ended and were created before a time (seconds since 1970), and all that no other job needs."""
    jobs = tuple(row.job_id for row in journal.in_state(*TERMINAL_STATES, created_before=created_before))
    going = set(jobs)
    kept = {row.job_id: row.job for row in journal.all_jobs() if row.job_id not in going}
    needed = {digest for job in kept.values() for digest in job.inputs.digests()}
    return Leftovers(
        jobs,
        tuple(path for path in _named_by_digest(work / "jobs") if path.name not in kept),
        tuple(path for path in _named_by_digest(work / "inputs") if path.name not in needed),
    )


def remove_leftovers(journal: Journal, leftovers: Leftovers) -> None:
    """Remove them. The journal forgets a job first, so that a kill leaves files without a job, never the reverse.

    Raises BackendError `journal.failed`, LatentManError `storage.*`.
    """
    for job_id in leftovers.jobs:
        journal.remove(job_id)
    for path in (*leftovers.folders, *leftovers.inputs):
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        except OSError as error:
            raise storage_error(error, path.parent) from error


def _named_by_digest(folder: Path) -> list[Path]:
    """What the backend put there; anything else in the folder is not its own and stays."""
    return sorted(path for path in folder.glob("*") if is_digest(path.name))
