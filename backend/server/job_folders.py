"""Job folders: everything that running one job needs and makes, so that a folder can be run anywhere.

`job.json`, `inputs/<sha256>`, `frames/0001.png ...`, `segments/`, `result.json`, and the files of
`shared.jobs.result_files`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from backend.server.store import InputStore
from shared.errors import ProtocolError
from shared.files.digest import is_digest, sha256_bytes
from shared.files.frame_files import PNG_SIGNATURE, frame_name, link_or_copy, storage_error, write_atomic
from shared.jobs.job import Job, canonical_json
from shared.jobs.result_files import MAX_RESULT_BYTES, result_file_name
from shared.protocol.job_events import FileDone, FrameDone


class JobFolders:
    """The folders of all jobs of one supervisor."""

    def __init__(self, folder: Path, store: InputStore) -> None:
        self._folder = folder
        self._store = store
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(error, folder) from error

    def path(self, job_id: str) -> Path:
        """The folder of a job. Raises ProtocolError where `job_id` is none."""
        if not is_digest(job_id):
            raise ProtocolError("protocol.job_id", f"{job_id[:70]!r} is not a job's id.")
        return self._folder / job_id

    def missing(self, job_id: str, job: Job) -> tuple[str, ...]:
        """Inputs that lie neither in the job's folder nor in the store."""
        inputs = self.path(job_id) / "inputs"
        return tuple(
            digest for digest in job.inputs.digests() if not (inputs / digest).is_file() and not self._store.has(digest)
        )

    def prepare(self, job_id: str, job: Job) -> None:
        """Make the job's folder with its file and inputs. Raises LatentManError `storage.*`."""
        folder = self.path(job_id)
        try:
            for name in ("inputs", "frames", "segments"):
                (folder / name).mkdir(parents=True, exist_ok=True)
            for digest in job.inputs.digests():
                target = folder / "inputs" / digest
                if not target.is_file():
                    link_or_copy(self._store.path(digest), target)
        except OSError as error:
            raise storage_error(error, folder) from error
        write_atomic(folder / "job.json", canonical_json(job))

    def frame_path(self, job_id: str, frame: int) -> Path:
        """Where a frame's PNG lies."""
        return self.path(job_id) / "frames" / frame_name(frame)

    def read_frame(self, job_id: str, frame: int, sha256: str) -> bytes | None:
        """A frame's PNG, None where it is missing or differs from its digest."""
        data = _picture(self.frame_path(job_id, frame))
        return data if data is not None and sha256_bytes(data) == sha256 else None

    def digest_of_frame(self, job_id: str, frame: int) -> str | None:
        """The digest of a frame's PNG as it lies on disk, None where there is no PNG."""
        data = _picture(self.frame_path(job_id, frame))
        return None if data is None else sha256_bytes(data)

    def read_file(self, job_id: str, name: str, sha256: str) -> bytes | None:
        """A result file, None where it is missing, too large, no picture or differs from its digest. Raises
        ProtocolError where `name` is none."""
        path = self.path(job_id) / result_file_name(name)
        data = _picture(path) if _size(path) <= MAX_RESULT_BYTES else None
        return data if data is not None and sha256_bytes(data) == sha256 else None

    def damaged_files(self, job_id: str, files: Iterable[FileDone]) -> list[str]:
        """Which of these result files are missing or differ from their digests."""
        return [done.name for done in files if self.read_file(job_id, done.name, done.sha256) is None]

    def damaged(self, job_id: str, frames: Iterable[FrameDone]) -> list[int]:
        """Which of these frames are missing or differ from their digests; what is left of them is removed."""
        found = [done.frame for done in frames if self.read_frame(job_id, done.frame, done.sha256) is None]
        for frame in found:
            self.frame_path(job_id, frame).unlink(missing_ok=True)
        return found


def _picture(path: Path) -> bytes | None:
    """The contents of a PNG file, None if there is none."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data if data.startswith(PNG_SIGNATURE) else None


def _size(path: Path) -> int:
    """How many bytes a file has, 0 where it is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
