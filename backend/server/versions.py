"""The backend's name and version, and what a program of another version is told."""

from __future__ import annotations

from shared.errors import ProtocolError
from shared.protocol import messages
from shared.version import named

SERVER_NAME = named("backend")


def version_error(client: str, lowest: int, highest: int) -> ProtocolError:
    """The refusal of a client that speaks the protocols `lowest` to `highest`, none of them ours: which side is older,
    and which to update."""
    low, high = messages.PROTOCOL_MIN, messages.PROTOCOL_MAX
    newer = highest < low
    age = "newer" if newer else "older"
    return ProtocolError(
        "protocol.version",
        f"The backend ({SERVER_NAME}) is {age} than {client}, and the two do not understand each other (protocol "
        f"{_span(low, high)} there, {_span(lowest, highest)} here).",
        f"Update {client if newer else 'the backend'}, or choose a backend of the same version in the preferences.",
    )


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"
