"""The client's half of jobs: what to submit or attach to, which events are new, and one end for every ticket."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from ...errors import JobError, LatentManError, error_of
from ...jobs.job import Job, job_values, normal_job, validate_job
from ...jobs.result_files import RESULT_FILES
from .. import messages as wire_messages
from ..job_events import extended
from ..messages import Accepted, Attach, Cancel, JobEvent, Submit
from ..preview import is_preview
from . import events as events
from .events import ClientEvent


@dataclass(slots=True)
class _Track:
    job: Job | None
    job_id: str = ""
    last_seq: int = 0
    have_frames: dict[int, str] = field(default_factory=dict)
    kept: tuple[int, ...] = ()
    asked: bool = False  # SUBMIT or ATTACH is on its way on this connection
    attached: bool = False
    cancel_wanted: bool = False
    cancel_sent: bool = False
    ended: bool = False


class JobTracks:
    """Tickets and what each has seen of its job."""

    def __init__(self) -> None:
        self._tracks: dict[int, _Track] = {}
        self._tickets = itertools.count(1)
        self._events: list[ClientEvent] = []
        self._last_words: list[Cancel] = []

    @property
    def open_tickets(self) -> tuple[int, ...]:
        """Tickets that have not ended."""
        return tuple(ticket for ticket, track in self._tracks.items() if not track.ended)

    def submit(self, job: Job, have_frames: dict[int, str]) -> int:
        """A new ticket for a job. Raises InputError where the job is not valid."""
        validate_job(job)
        return self._add(_Track(normal_job(job), have_frames=have_frames))

    def attach(self, job_id: str, after_seq: int) -> int:
        """A new ticket for a job that the server knows."""
        return self._add(_Track(None, job_id, after_seq))

    def cancel(self, ticket: int) -> None:
        """Wish a job's end; one that was never sent ends here."""
        track = self._tracks[ticket]
        track.cancel_wanted = True
        if not track.ended and not track.asked and not track.job_id:
            track.ended = True
            self._events.append(events.Cancelled(ticket, ""))

    def needing(self, digest: str) -> list[int]:
        """Open tickets whose job reads this input."""
        return [
            ticket
            for ticket, track in self._tracks.items()
            if not track.ended and track.job is not None and digest in track.job.inputs.digests()
        ]

    def end_locally(self, ticket: int, error: LatentManError) -> list[ClientEvent]:
        """Fail a ticket on this side; the server is told to stop waiting for its inputs."""
        track = self._tracks[ticket]
        if track.ended:
            return []
        track.ended = True
        if track.job_id:
            self._last_words.append(Cancel(track.job_id))
        return [events.Failed(ticket, track.job_id, error)]

    def reset(self) -> None:
        """A new connection: ask again for every open ticket."""
        for track in self._tracks.values():
            track.asked = track.attached = track.cancel_sent = False

    def take_events(self) -> list[ClientEvent]:
        """Events that arose without the server."""
        taken, self._events = self._events, []
        return taken

    def take_due(self) -> list[tuple[Submit | Attach | Cancel, int]]:
        """Messages that are due, each with its ticket (0: nobody waits for the answer)."""
        due: list[tuple[Submit | Attach | Cancel, int]] = [(cancel, 0) for cancel in self._last_words]
        self._last_words = []
        for ticket, track in self._tracks.items():
            if track.ended:
                continue
            if not track.asked:
                track.asked = True
                due.append((self._opening(track), ticket))
            if track.cancel_wanted and track.attached and not track.cancel_sent:
                track.cancel_sent = True
                due.append((Cancel(track.job_id), ticket))
        return due

    def accepted(self, ticket: int, accepted: Accepted) -> list[ClientEvent]:
        """The server's ACCEPTED: attach to the job, leaving out the frames that are on this side's disk."""
        track = self._tracks.get(ticket)
        if track is None or track.ended:
            return []
        track.job_id = accepted.job_id
        done = {item.frame: item.sha256 for item in accepted.done_frames}
        track.kept = tuple(frame for frame, sha256 in done.items() if track.have_frames.get(frame) == sha256)
        track.asked = False
        return [
            events.Accepted(ticket, accepted.job_id, accepted.state, accepted.attempt, len(done), track.kept),
        ]

    def attached(self, ticket: int) -> None:
        """The server's ATTACHED: what comes now comes in order."""
        if ticket in self._tracks:
            self._tracks[ticket].attached = True

    def refused(self, ticket: int, error: LatentManError) -> list[ClientEvent]:
        """An ERROR to SUBMIT, ATTACH or CANCEL. A server that lost the job gets it submitted again."""
        track = self._tracks.get(ticket)
        if track is None or track.ended:
            return []
        if error.code == "job.unknown" and track.job is not None and track.job_id:
            track.job_id, track.last_seq, track.kept = "", 0, ()
            track.asked = track.attached = track.cancel_sent = False
            return []
        track.ended = True
        return [events.Failed(ticket, track.job_id, error)]

    def event(self, event: wire_messages.ServerMessage, payload: bytes) -> list[ClientEvent]:
        """One journaled event, told once to every open ticket of its job; a preview of a wrong size is not told, nor a
        file that this side does not know."""
        if not isinstance(event, JobEvent):
            return []
        if isinstance(event, wire_messages.PreviewPicture) and not is_preview(event.width, event.height, payload):
            return []
        if isinstance(event, wire_messages.File) and event.name not in RESULT_FILES:
            return []
        told: list[ClientEvent] = []
        for ticket, track in self._tracks.items():
            # Before ATTACHED an event may be meant for another ticket of the same job and be far ahead of this one.
            if track.job_id == event.job_id and track.attached and not track.ended and event.seq > track.last_seq:
                track.last_seq = event.seq
                track.ended = isinstance(
                    event, wire_messages.JobDone | wire_messages.JobFailed | wire_messages.JobCancelled
                )
                told.append(_told(event, ticket, payload))
        return told

    def _add(self, track: _Track) -> int:
        ticket = next(self._tickets)
        self._tracks[ticket] = track
        return ticket

    def _opening(self, track: _Track) -> Submit | Attach:
        if track.job_id or track.job is None:
            return Attach(track.job_id, track.last_seq, track.kept)
        return Submit(job_values(track.job))


def _told(event: JobEvent, ticket: int, payload: bytes) -> ClientEvent:
    """A wire event in the application's words."""
    match event:
        case wire_messages.State(job_id, _, state, attempt, reason):
            return events.StateChanged(ticket, job_id, state, attempt, reason)
        case wire_messages.ProgressReport():
            return extended(event, events.Progress, ticket=ticket)
        case wire_messages.PreviewPicture():
            return extended(event, events.Preview, ticket=ticket, rgb=payload)
        case wire_messages.Frame():
            return extended(event, events.FrameReady, ticket=ticket, png=payload)
        case wire_messages.File():
            return extended(event, events.FileReady, ticket=ticket, data=payload)
        case wire_messages.JobDone():
            return extended(event, events.Done, ticket=ticket)
        case wire_messages.JobFailed():
            return events.Failed(ticket, event.job_id, error_of(event, unsaid=JobError))
        case wire_messages.JobCancelled(job_id, _):
            return events.Cancelled(ticket, job_id)
