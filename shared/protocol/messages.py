"""Every message of the wire: one frozen dataclass a type, its docstring says who sends it and when.

The header of a message is JSON; payloads (raw bytes) follow as frames of their own (`wire`, beside this). Unknown
fields are ignored, so that fields may be added; an unknown type is answered with ERROR, so that no request hangs. What
tells of an error has its kind beside the code (`shared.errors.ERROR_KINDS`); a side that is older than the kinds says
none.
No file name crosses the wire: inputs go by digest, frames by number, result files by a name of
`shared.jobs.result_files`, jobs by id.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ..models.files import ModelFiles
from .job_events import Done, Failed, FileDone, FrameDone, PreviewSize, Progress
from .worker_memory import WorkerMemory

PROTOCOL_MIN = 1
PROTOCOL_MAX = 1
MAX_LISTED_JOBS = 200

JobStateName = Literal["waiting", "queued", "running", "done", "failed", "cancelled"]
TERMINAL_STATES: tuple[JobStateName, ...] = ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one side takes at most, in bytes (WELCOME)."""

    max_header_bytes: int = 4 << 20
    max_chunk_bytes: int = 1 << 20
    max_input_bytes: int = 2 << 30


@dataclass(frozen=True, slots=True)
class JobInfo:
    """One row of JOBS."""

    job_id: str
    state: JobStateName
    attempt: int
    method: str
    prompt: str
    frames: int
    done_frames: int


# ---- Client to server


@dataclass(frozen=True, slots=True)
class Hello:
    """Client, first on every connection: the protocol versions it speaks and the payload bytes it is ready to take."""

    proto_min: int
    proto_max: int
    client: str
    credit: int


@dataclass(frozen=True, slots=True)
class Have:
    """Client: which of these inputs are missing on the server? Answered by MISSING."""

    digests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Put:
    """Client, within its credit: one chunk (payload 0) of the input `digest` of `size` bytes, at `offset`.

    Chunks come in order from offset 0; after the last the server verifies the digest and answers STORED or ERROR.
    """

    digest: str
    size: int
    offset: int


@dataclass(frozen=True, slots=True)
class Prepare:
    """Client, at any time: load this model, with a job's own files, now, so that loading overlaps with rendering.

    Not answered.
    """

    model: str
    model_files: ModelFiles = field(default_factory=ModelFiles)


@dataclass(frozen=True, slots=True)
class Release:
    """Client: unload the models of all workers; the next job loads again. Answered by JOBS, or by ERROR
    `backend.busy` while a job runs."""


@dataclass(frozen=True, slots=True)
class Submit:
    """Client: run this job. Idempotent; a failed or cancelled job is queued again. Answered by ACCEPTED.

    `job` is what a job file has (`job_values`): of what class its settings are, its method says.
    """

    job: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attach:
    """Client, after ACCEPTED or a reconnect: send the job's events after `after_seq`, then each as it comes.

    Answered by ATTACHED, behind which those events follow. Frames in `have_frames` lie on the client's disk already
    and are not sent.
    """

    job_id: str
    after_seq: int
    have_frames: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Cancel:
    """Client: stop this job. Its one terminal event answers; a job that has ended stays as it is."""

    job_id: str


@dataclass(frozen=True, slots=True)
class Status:
    """Client: what jobs are there, at most so many, and what memory do the workers hold? Answered by JOBS."""

    jobs: int = MAX_LISTED_JOBS


@dataclass(frozen=True, slots=True)
class Ping:
    """Client, when nothing else was sent for a second. Answered by PONG."""


# ---- Both ways


@dataclass(frozen=True, slots=True)
class Credit:
    """Either side, after it has written or used payloads: the other may send so many payload bytes more."""

    bytes: int


@dataclass(frozen=True, slots=True)
class Error:
    """Either side: the message numbered by the header's `reply_to` could not be served."""

    code: str
    message: str
    hint: str = ""
    kind: str = ""


# ---- Server to client


@dataclass(frozen=True, slots=True)
class Welcome:
    """Server, to HELLO: the protocol spoken from here on, the server's limits and the client's first credit."""

    proto: int
    server: str
    limits: Limits
    credit: int


@dataclass(frozen=True, slots=True)
class Reject:
    """Server, to HELLO: no common protocol; `message` names both versions and which side to update."""

    code: str
    message: str
    hint: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """Server, to HAVE: those of the asked inputs that it lacks."""

    digests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """Server, after the last PUT of an input: it is on disk, whole and verified."""

    digest: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """Server, to SUBMIT: the job's name and state, the inputs still missing and the frames already finished.

    A job with missing inputs waits; it is queued by itself when the last has been PUT.
    """

    job_id: str
    state: JobStateName
    attempt: int
    missing: tuple[str, ...]
    done_frames: tuple[FrameDone, ...]


@dataclass(frozen=True, slots=True)
class Attached:
    """Server, to ATTACH: from here on the job's events come in order, none left out that the client asked for."""

    job_id: str


@dataclass(frozen=True, slots=True)
class Pong:
    """Server, to PING; by the supervisor, so that a busy GPU never looks dead."""


@dataclass(frozen=True, slots=True)
class Jobs:
    """Server, to STATUS: its jobs, newest first, how many worker processes run, and the memory of those that have said
    what they hold."""

    jobs: tuple[JobInfo, ...]
    workers: int
    memory: tuple[WorkerMemory, ...] = ()


# ---- Events of a job: numbered, journaled before they are sent, sent at least once


@dataclass(frozen=True, slots=True)
class State:
    """Server: the job is waiting, queued or running (attempt counts from 1). `reason` says what became of the worker
    that had it, where it is queued again because that worker died: the rest of a sentence that begins with "The
    worker"."""

    job_id: str
    seq: int
    state: JobStateName
    attempt: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressReport(Progress):
    """Server, now and then: only the newest is kept."""

    job_id: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewPicture(PreviewSize):
    """Server, now and then: only the newest is kept. Payload 0 is the picture's bytes (`shared.protocol.preview`)."""

    job_id: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame(FrameDone):
    """Server: its PNG file is payload 0."""

    job_id: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class File(FileDone):
    """Server: a result file of the job is payload 0."""

    job_id: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDone(Done):
    """Server, terminal: every frame is finished."""

    job_id: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailed(Failed):
    """Server, terminal."""

    job_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class JobCancelled:
    """Server, terminal: stopped because a client asked for it. Finished frames stay."""

    job_id: str
    seq: int


ClientMessage = Hello | Have | Put | Prepare | Release | Submit | Attach | Cancel | Status | Ping | Credit | Error
JobEvent = State | ProgressReport | PreviewPicture | Frame | File | JobDone | JobFailed | JobCancelled
ServerMessage = Welcome | Reject | Missing | Stored | Accepted | Attached | Pong | Jobs | Credit | Error | JobEvent
Message = ClientMessage | ServerMessage

# Wire name -> (class, number of payloads).
CLIENT_MESSAGES: dict[str, tuple[type[ClientMessage], int]] = {
    "HELLO": (Hello, 0),
    "HAVE": (Have, 0),
    "PUT": (Put, 1),
    "PREPARE": (Prepare, 0),
    "RELEASE": (Release, 0),
    "SUBMIT": (Submit, 0),
    "ATTACH": (Attach, 0),
    "CANCEL": (Cancel, 0),
    "STATUS": (Status, 0),
    "PING": (Ping, 0),
    "CREDIT": (Credit, 0),
    "ERROR": (Error, 0),
}

EVENT_MESSAGES: dict[str, tuple[type[JobEvent], int]] = {
    "STATE": (State, 0),
    "PROGRESS": (ProgressReport, 0),
    "PREVIEW": (PreviewPicture, 1),
    "FRAME": (Frame, 1),
    "FILE": (File, 1),
    "DONE": (JobDone, 0),
    "FAILED": (JobFailed, 0),
    "CANCELLED": (JobCancelled, 0),
}

SERVER_MESSAGES: dict[str, tuple[type[ServerMessage], int]] = {
    "WELCOME": (Welcome, 0),
    "REJECT": (Reject, 0),
    "MISSING": (Missing, 0),
    "STORED": (Stored, 0),
    "ACCEPTED": (Accepted, 0),
    "ATTACHED": (Attached, 0),
    "PONG": (Pong, 0),
    "JOBS": (Jobs, 0),
    "CREDIT": (Credit, 0),
    "ERROR": (Error, 0),
    **EVENT_MESSAGES,
}

WIRE_NAMES: dict[type[Message], str] = {
    kind: name for table in (CLIENT_MESSAGES, SERVER_MESSAGES) for name, (kind, _) in table.items()
}
