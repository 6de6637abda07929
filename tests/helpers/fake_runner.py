"""A stand-in for `backend.jobs.runner` that draws one-pixel frames; the prompt says how it behaves.

Words `name=value` in the prompt: `step_s` seconds a step, `die_at` frame at which the process kills itself once,
`die=always`, `wait_at` frame at which the first attempt goes on reporting progress until it is stopped, `quiet=yes`
that without a word, `hang=cancel` (deaf to cancel), `hang=term` (deaf to SIGTERM too), `fail=` one of `_FAILURES`,
`noise=stdout`, `preview=yes`, `pad` zero bytes behind each frame, `skip_frame` a frame that is silently left out,
`atlas=yes` leaves that file beside the frames, `note` is a note of the job. Each computed frame is noted in
`computed.txt`.
"""

from __future__ import annotations

import hashlib
import os
import signal
import struct
import time
import zlib
from pathlib import Path

from backend.jobs.runners import Asked, Emit
from shared.errors import CancelledError, InputError, ModelError
from shared.files.digest import sha256_bytes, sha256_file
from shared.files.frame_files import frame_name, write_atomic
from shared.jobs.job import Job, parse_job
from shared.jobs.result_files import RESULT_FILES
from shared.jobs.reuse import segment_spans
from shared.models.files import ModelFiles
from shared.protocol.job_events import Done, FileDone, FrameDone, Preview, Progress
from shared.protocol.worker_memory import WorkerMemory


def one_pixel_png(colour: bytes) -> bytes:
    """A 1x1 RGB PNG file."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" + colour)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def expected_png(job: Job, index: int) -> bytes:
    """The frame that this runner makes: its colour is a digest of the seed and of the frame's pass."""
    return one_pixel_png(expected_preview(job, index))


def expected_preview(job: Job, index: int) -> bytes:
    """The preview of that frame: its one pixel."""
    seed = f"{job.seed} {job.inputs.passes[index]}"
    return hashlib.sha256(seed.encode()).digest()[:3]


def expected_atlas(job: Job) -> bytes:
    """The atlas of a job that has one."""
    return one_pixel_png(hashlib.sha256(str(job.seed).encode()).digest()[:3])


HELD_BYTES = 3 << 30

_FAILURES = {
    "model": ModelError("model.test", "The model is not there.", "Bring it."),
    "input": InputError("sample.size", "The picture is too small.", "Use a larger one."),
    "boom": ValueError("boom"),
}


class FakeRunner:
    """The runner; what it plays to have as its model is a name."""

    def __init__(self) -> None:
        self._model = ""

    def prepare(self, model: str, files: ModelFiles) -> None:
        """Have the model, and note it with its LoRAs."""
        self._model = " ".join((model, *(lora.path for lora in files.loras)))

    def release(self) -> None:
        """Have it no more."""
        self._model = ""

    def memory(self) -> WorkerMemory:
        """Three GiB while there is a model; the device is its name."""
        held = HELD_BYTES if self._model else 0
        return WorkerMemory(self._model or "no model", "card", bool(self._model), held, 5 << 30, 8 << 30, held)

    def run(self, folder: Path, emit: Emit, cancelled: Asked, segment: int | None = None) -> None:
        """Draw the job's frames, or those of one segment, leaving out those that are there."""
        job = parse_job((folder / "job.json").read_bytes())
        self.prepare(job.model, job.model_files)
        wishes = dict(word.split("=", 1) for word in job.prompt.split() if "=" in word)
        _misbehave(wishes)
        span = (0, len(job.frames)) if segment is None else segment_spans(len(job.frames), job.segment_frames)[segment]
        for index in range(*span):
            _draw(folder, job, index, wishes, emit, cancelled)
        if "atlas" in wishes:
            write_atomic(folder / RESULT_FILES["atlas"], expected_atlas(job))
            emit(FileDone("atlas", sha256_bytes(expected_atlas(job))))
        if "note" in wishes:
            emit(Done((wishes["note"],)))


RUNNER = FakeRunner()


def _draw(folder: Path, job: Job, index: int, wishes: dict[str, str], emit: Emit, cancelled: Asked) -> None:
    frame = job.frames[index]
    path = folder / "frames" / frame_name(frame)
    if path.is_file():
        emit(FrameDone(frame, sha256_file(path)))
        return
    if wishes.get("skip_frame") == str(frame):
        return
    _steps(job, index, wishes, emit, cancelled)
    _maybe_die(folder, frame, wishes)
    _maybe_wait(folder, job, index, wishes, emit, cancelled)
    data = (folder / "inputs" / job.inputs.passes[index]).read_bytes()
    if sha256_bytes(data) != job.inputs.passes[index]:
        raise ModelError("passes.digest", "An input is not what it is called.")
    png = expected_png(job, index) + bytes(int(wishes.get("pad", "0")))
    write_atomic(path, png)
    with (folder / "computed.txt").open("a") as log:
        log.write(f"{frame}\n")
    emit(FrameDone(frame, sha256_bytes(png)))


def _steps(job: Job, index: int, wishes: dict[str, str], emit: Emit, cancelled: Asked) -> None:
    for step in range(job.steps):
        while "hang" in wishes:
            time.sleep(0.05)
        if cancelled():
            raise CancelledError("job.cancelled", "Stopped.")
        time.sleep(float(wishes.get("step_s", "0")))
        emit(Progress("denoise", step + 1, job.steps, index, len(job.frames), None))
    if "preview" in wishes:
        emit(Preview(job.frames[index], 1, 1, expected_preview(job, index)))


def _misbehave(wishes: dict[str, str]) -> None:
    if wishes.get("noise") == "stdout":
        print("a library that prints", flush=True)
        os.write(1, b'{"event": "done"}\n')
    if wishes.get("hang") == "term":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "fail" in wishes:
        raise _FAILURES[wishes["fail"]]
    if wishes.get("die") == "always":
        os.kill(os.getpid(), signal.SIGKILL)


def _maybe_die(folder: Path, frame: int, wishes: dict[str, str]) -> None:
    marker = folder / "died.txt"
    if wishes.get("die_at") == str(frame) and not marker.exists():
        marker.write_text("once")
        os.kill(os.getpid(), signal.SIGKILL)


def _maybe_wait(folder: Path, job: Job, index: int, wishes: dict[str, str], emit: Emit, cancelled: Asked) -> None:
    marker = folder / "waited.txt"
    if wishes.get("wait_at") != str(job.frames[index]) or marker.exists():
        return
    marker.write_text("once")
    while not cancelled():
        if "quiet" not in wishes:
            emit(Progress("waiting", 0, job.steps, index, len(job.frames), None))
        time.sleep(0.05)
    raise CancelledError("job.cancelled", "Stopped.")
