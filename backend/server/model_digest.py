"""The digest of a model: SHA-256 over the names and contents of all its files; part of every job's id.

Hashing gigabytes takes seconds, so it runs in a thread, and each file's digest is remembered by size and time.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import msgspec

from backend.models.sources import find_sources, unreadable
from shared.errors import ModelError
from shared.files.digest import sha256_file
from shared.files.frame_files import write_atomic
from shared.models.files import ModelFiles


@dataclass(frozen=True, slots=True)
class _Known:
    size: int
    mtime_ns: int
    sha256: str


class ModelDigests:
    """Digests of models, computed one at a time in the background."""

    def __init__(self, cache_file: Path) -> None:
        self._cache_file = cache_file
        self._known: dict[str, _Known] = _read_cache(cache_file)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model-digest")

    def request(self, model: str, files: ModelFiles | None = None) -> Future[str]:
        """The digest as a future; its error is ModelError. Files that changed since are hashed again."""
        return self._pool.submit(self.compute, model, files)

    def compute(self, model: str, files: ModelFiles | None = None) -> str:
        """The digest of a model and of the files beside it, in the calling thread. Raises ModelError."""
        sources = find_sources(model, files)
        total, count = hashlib.sha256(), 0
        try:
            for name, file in sources.files():
                total.update(f"{name}\0{self._file_digest(file)}\n".encode())
                count += 1
        except OSError as error:
            raise unreadable(sources.model, error) from error
        if not count:
            raise ModelError(
                "model.empty", f'The model folder "{model[:200]}" is empty.', "Copy the model there again."
            )
        return total.hexdigest()

    def close(self) -> None:
        """Stop; a digest under way is given up at the process's end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _file_digest(self, file: Path) -> str:
        stat = file.stat()
        known = self._known.get(str(file))
        if known is not None and (known.size, known.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
            return known.sha256
        digest = sha256_file(file)
        self._known[str(file)] = _Known(stat.st_size, stat.st_mtime_ns, digest)
        write_atomic(self._cache_file, msgspec.json.encode(self._known))
        return digest


def _read_cache(path: Path) -> dict[str, _Known]:
    """What was known; a cache that cannot be read is only slow, so a new one is begun."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, _Known])
    except (OSError, msgspec.DecodeError):
        return {}
