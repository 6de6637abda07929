"""What `shared.protocol.client.job_client.JobClient` tells its application: one frozen dataclass an event.

`ticket` is the number that `submit` or `attach` returned. Every ticket ends in exactly one of `Done`, `Failed`,
`Cancelled`, unless the connection is given up (`GaveUp`), which ends all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import LatentManError
from .. import job_events
from ..messages import JobInfo, JobStateName
from ..worker_memory import WorkerMemory


@dataclass(frozen=True, slots=True)
class Connected:
    """The server welcomed us."""

    server: str
    protocol: int


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """No answer in time. The transport closes its socket, opens a new one when `now >= retry_at` and calls
    `JobClient.connected(now)`; uploads, jobs and finished frames go on from where they were."""

    error: LatentManError
    retry_at: float


@dataclass(frozen=True, slots=True)
class GaveUp:
    """Fatal: refused by the server (ProtocolError names both versions), or not reached again in time (BackendError)."""

    error: LatentManError


@dataclass(frozen=True, slots=True)
class InputStored:
    """The server has this input, whole and verified; `sent` tells whether it had to be sent by this client."""

    digest: str
    sent: bool


@dataclass(frozen=True, slots=True)
class InputFailed:
    """The server could not take this input (disk full, too large, a file that changed); jobs that need it fail too."""

    digest: str
    error: LatentManError


@dataclass(frozen=True, slots=True)
class Accepted:
    """The job has its name. `kept_frames` are finished on the server and equal to the files that `submit` was told of;
    they are not sent again. `done_frames` counts all that are finished on the server, those included."""

    ticket: int
    job_id: str
    state: JobStateName
    attempt: int
    done_frames: int
    kept_frames: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The job is waiting (for inputs), queued or running; `attempt` counts from 1. `reason` says what became of the
    worker that had it, where it died: the rest of a sentence that begins with "The worker"."""

    ticket: int
    job_id: str
    state: JobStateName
    attempt: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(job_events.Progress):
    """How far the job is."""

    ticket: int
    job_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview(job_events.Preview):
    """A small picture of a frame in the making."""

    ticket: int
    job_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameReady(job_events.FrameDone):
    """A finished frame, verified; write it with `frame_files.put_frame`. May come twice after a reconnect."""

    ticket: int
    job_id: str
    png: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReady(job_events.FileDone):
    """A result file of the job, verified; write it with `result_files.put_result_file`. May come twice after a
    reconnect."""

    ticket: int
    job_id: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(job_events.Done):
    """Terminal: every frame is finished and was handed over (or kept)."""

    ticket: int
    job_id: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Terminal: `error` is what to raise or show; `job_id` is empty where the server refused the job."""

    ticket: int
    job_id: str
    error: LatentManError


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Terminal: stopped on request."""

    ticket: int
    job_id: str


@dataclass(frozen=True, slots=True)
class JobsListed:
    """The answer to `request_status`, and to `release_models`: the memory there is what was held before."""

    jobs: tuple[JobInfo, ...]
    workers: int
    memory: tuple[WorkerMemory, ...] = ()


@dataclass(frozen=True, slots=True)
class ReleaseRefused:
    """The server did not release its models; `error` says why."""

    error: LatentManError


JobClientEvent = Accepted | StateChanged | Progress | Preview | FrameReady | FileReady | Done | Failed | Cancelled
ClientEvent = (
    Connected | ConnectionLost | GaveUp | InputStored | InputFailed | JobsListed | ReleaseRefused | JobClientEvent
)
