"""The digest of a model: SHA-256 over its files' names and contents; part of every job's id.

Hashing gigabytes takes seconds, so it runs in a thread, and each file's digest is remembered by size and time.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import msgspec

from shared.digest import sha256_file
from shared.errors import ModelError
from shared.frame_files import write_atomic

EMBEDDED = "embedded"
EMBEDDED_FOLDER = Path(__file__).resolve().parents[1] / "embedded"


@dataclass(frozen=True, slots=True)
class _Known:
    size: int
    mtime_ns: int
    sha256: str


def model_path(model: str) -> Path:
    """Where a model lies: `embedded` or a local folder or .safetensors file. Raises ModelError."""
    path = EMBEDDED_FOLDER if model == EMBEDDED else Path(model)
    if not path.exists():
        raise ModelError(
            "model.missing",
            f'The backend has no model "{model[:200]}".',
            'Give "embedded", or a folder or .safetensors file on the machine that the backend runs on.',
        )
    return path


class ModelDigests:
    """Digests of models, computed one at a time in the background."""

    def __init__(self, cache_file: Path) -> None:
        self._cache_file = cache_file
        self._known: dict[str, _Known] = _read_cache(cache_file)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model-digest")

    def request(self, model: str) -> Future[str]:
        """The model's digest as a future; its error is ModelError. Files that changed since are hashed anew."""
        return self._pool.submit(self.compute, model)

    def compute(self, model: str) -> str:
        """The model's digest, in the calling thread. Raises ModelError."""
        path = model_path(model)
        try:
            files = [path] if path.is_file() else sorted(item for item in path.rglob("*") if item.is_file())
            total = hashlib.sha256()
            for file in files:
                name = file.name if file == path else file.relative_to(path).as_posix()
                total.update(f"{name}\0{self._file_digest(file)}\n".encode())
        except OSError as error:
            raise ModelError(
                "model.unreadable", f'The model "{model[:200]}" cannot be read: {error.strerror or error}.'
            ) from error
        if not files:
            raise ModelError("model.empty", f'The model folder "{model[:200]}" is empty.', "Copy it there again.")
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
    """What was known; a cache that cannot be read is only slow, so it is begun anew."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, _Known])
    except (OSError, msgspec.DecodeError):
        return {}
