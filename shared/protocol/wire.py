"""How a message lies on the wire: `[b"latentman/1", header, payload...]`.

The header is strict JSON: `{"type", "id", "reply_to", "body", "payloads": [{"sha256", "size"}]}`. The receiver checks
frame count, sizes and digests against it before it hands a payload on.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from ..errors import ProtocolError
from ..files.digest import sha256_bytes
from ..files.strict_json import StrictJSONError, convert, dump_json, parse_json
from .messages import WIRE_NAMES, Message

WIRE_VERSION = b"latentman/1"
MAX_WIRE_FRAMES = 4
MAX_HEADER_BYTES = 4 << 20
# A finished frame or preview travels whole; inputs travel in chunks.
MAX_PAYLOAD_BYTES = 64 << 20

M = TypeVar("M", bound=Message)
Buffer = bytes | memoryview
Converter = Callable[[Any, type[Any]], Any]


@dataclass(frozen=True, slots=True)
class PayloadInfo:
    """What the header says of one payload."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Header:
    """A message's header before its body is read; `id` numbers the sender's messages, `reply_to` is 0 or an id."""

    type: str
    id: int
    reply_to: int = 0
    payloads: tuple[PayloadInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class Received(Generic[M]):
    """A checked message."""

    message: M
    id: int
    reply_to: int
    payloads: tuple[Buffer, ...]


class WireError(ProtocolError):
    """A message that cannot be read; `reply_to` is its id, 0 where even that is unknown."""

    def __init__(self, code: str, message: str, reply_to: int = 0) -> None:
        super().__init__(code, message)
        self.reply_to = reply_to


def encode(
    message: Message,
    message_id: int,
    reply_to: int = 0,
    payloads: Sequence[Buffer] = (),
    digests: Sequence[str] = (),
) -> list[Buffer]:
    """The wire frames of a message; `digests` are the payloads' SHA-256 where they are known."""
    known = digests or [sha256_bytes(payload) for payload in payloads]
    header = {
        "type": WIRE_NAMES[type(message)],
        "id": message_id,
        "reply_to": reply_to,
        "body": dataclasses.asdict(message),
        "payloads": [{"size": len(payload), "sha256": digest} for payload, digest in zip(payloads, known, strict=True)],
    }
    return [WIRE_VERSION, dump_json(header), *payloads]


def decode(
    frames: Sequence[Buffer],
    known: Mapping[str, tuple[type[M], int]],
    converter: Converter = convert,
    max_payload_bytes: int = MAX_PAYLOAD_BYTES,
) -> Received[M]:
    """Check and read one message of the types `known`. Raises WireError; payloads are views, not copies.

    `converter` lays parsed JSON into a dataclass and raises ValueError (the backend hands in msgspec's).
    """
    header, raw = _header(frames, converter)
    if header.type not in known:
        raise WireError("protocol.unknown_type", f"Unknown message type {header.type[:40]!r}.", header.id)
    kind, count = known[header.type]
    _check_payloads(header, frames[2:], count, max_payload_bytes)
    try:
        message = converter(raw.get("body", {}), kind)
    except ValueError as error:
        raise WireError("protocol.body", f"{header.type}: {error}.", header.id) from error
    return Received(cast(M, message), header.id, header.reply_to, tuple(frames[2:]))


def _header(frames: Sequence[Buffer], converter: Converter) -> tuple[Header, dict[str, Any]]:
    if not 2 <= len(frames) <= MAX_WIRE_FRAMES:
        raise WireError(
            "protocol.frames", f"A message must have 2 to {MAX_WIRE_FRAMES} frames; this one has {len(frames)}."
        )
    if bytes(frames[0][:64]) != WIRE_VERSION:
        raise WireError(
            "protocol.version",
            "The add-on and the backend are of different versions and do not understand each other "
            f"({WIRE_VERSION.decode()} here, {bytes(frames[0][:20])!r} there).",
        )
    if len(frames[1]) > MAX_HEADER_BYTES:
        raise WireError(
            "protocol.header_size", f"A message's header has {len(frames[1])} bytes; the limit is {MAX_HEADER_BYTES}."
        )
    try:
        raw = parse_json(frames[1])
        header = converter(raw, Header)
    except (StrictJSONError, ValueError) as error:
        raise WireError("protocol.header", f"A message's header cannot be read: {error}.") from error
    return header, raw


def _check_payloads(header: Header, payloads: Sequence[Buffer], count: int, max_payload_bytes: int) -> None:
    if not len(header.payloads) == len(payloads) == count:
        raise WireError(
            "protocol.payloads",
            f"{header.type} has {count} payloads, but {len(header.payloads)} were announced and {len(payloads)} sent.",
            header.id,
        )
    for info, payload in zip(header.payloads, payloads, strict=True):
        if len(payload) != info.size or len(payload) > max_payload_bytes:
            raise WireError(
                "protocol.payload_size",
                f"{header.type}: a payload has {len(payload)} bytes; the header says {info.size}, and the limit "
                f"is {max_payload_bytes}.",
                header.id,
            )
        if sha256_bytes(payload) != info.sha256:
            raise WireError(
                "protocol.payload_digest", f"{header.type}: a payload does not match its digest.", header.id
            )
