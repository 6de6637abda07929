"""Opens a pickled file in a process of its own (`unpickling_child`), for the process that the user works in."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..errors import ERROR_KINDS, CancelledError, InputError, LatentManError, error_of
from .containers import Wanted
from .handed_over import taken_over
from .pickle_reading import told_as
from .safe_load import file_fault
from .strict_json import as_text, convert, dump_json, parse_json
from .unpickling_child import Request

_SHARED: Final = Path(__file__).resolve().parents[1]
# `shared` is put in front by its folder: in the add-on's zip it is a sub-package of a package that needs Blender.
_PROGRAM: Final = (
    f"import sys; sys.path.insert(0, sys.argv.pop(1)); from {_SHARED.name}.files.unpickling_child import main; main()"
)
_LOOK_S: Final = 0.05
_LIMIT_S: Final = 300.0
_NO_WINDOW: Final = 0x08000000 if sys.platform == "win32" else 0


def open_in_child(
    path: Path,
    wanted: Wanted,
    *,
    error: type[InputError] = InputError,
    python: str = sys.executable,
    cancelled: Callable[[], bool] = lambda: False,
    limit_s: float = _LIMIT_S,
) -> object:
    """What `containers.open_pickled` gives, read by a process of its own with `python` and its NumPy.

    The process ends with this call, however it ends. Raises `error` with the same codes, `file.reader_failed` where
    the process dies, `file.too_slow` after `limit_s`; CancelledError once `cancelled` says so.
    """
    kind = next(name for name, known in ERROR_KINDS.items() if known is error)
    request = Request(as_text(path.name), kind, tuple(sorted(wanted.entries)), tuple(sorted(wanted.skip)))
    try:
        with path.open("rb") as stream:
            process = _started(python, request, stream.fileno(), error)
    except OSError as fault:
        raise file_fault(path, fault, error) from fault
    try:
        answer, said = _awaited(process, path.name, error, cancelled, limit_s)
    finally:
        _ended(process)
    return _content(answer, said, process.returncode, path.name, error)


def _started(python: str, request: Request, file: int, error: type[InputError]) -> subprocess.Popen[bytes]:
    """The process, without the user's settings of Python: isolated, with one thread for NumPy."""
    command = [python, "-I", "-c", _PROGRAM, str(_SHARED.parent), dump_json(request).decode()]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        return subprocess.Popen(
            command,
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            creationflags=_NO_WINDOW,
        )
    except (OSError, ValueError) as fault:
        what = f"{request.name} cannot be opened: the Python that would read it, {python!r}, cannot be started."
        raise error("file.reader_failed", what, "Install Blender again, or save the file as .npz.") from fault


def _awaited(
    process: subprocess.Popen[bytes],
    name: str,
    error: type[InputError],
    cancelled: Callable[[], bool],
    limit_s: float,
) -> tuple[bytes, bytes]:
    """What the process has written to its two outputs, once it has ended."""
    end = time.monotonic() + limit_s
    while True:
        try:
            return process.communicate(timeout=_LOOK_S)
        except subprocess.TimeoutExpired:
            if cancelled():
                raise CancelledError("file.cancelled", f"Opening {name} was stopped.") from None
            if time.monotonic() > end:
                what = f"{name} was not opened within {limit_s:g} s."
                raise error("file.too_slow", what, "Shorten it to the frames that you need.") from None


def _ended(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    process.wait()


@dataclass(frozen=True, slots=True)
class _Failure:
    """The error in the process's answer."""

    code: str
    message: str
    hint: str
    kind: str


def _content(answer: bytes, said: bytes, status: int, name: str, error: type[InputError]) -> object:
    """The value in the answer, or its error raised."""
    if status != 0:
        last = said.decode("utf-8", "replace").strip().rpartition("\n")[2]
        what = f"{name} cannot be opened: the process that reads it ended with status {status}."
        raise error("file.reader_failed", what, last or "It may need more memory than there is.")
    failure = _failure(answer)
    if failure is not None:
        raise failure
    with told_as(error, name):
        return taken_over(answer)


def _failure(answer: bytes) -> LatentManError | None:
    if not answer.startswith(b'{"error":'):
        return None
    return error_of(convert(parse_json(answer)["error"], _Failure))
