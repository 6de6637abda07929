"""What the add-on and a backend that it starts say to each other over stdin and stdout, and the connection file.

Keys are CURVE keys in Z85 text. They go over the pipe or lie in a file that only its owner can read; never in
arguments or the environment.
"""

from __future__ import annotations

import dataclasses
import json
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from ..errors import BackendError, InputError, LatentManError, error_of, told
from ..files.strict_json import StrictJSONError, convert, dump_json, is_text, parse_json

Z85_KEY_LENGTH = 40
_BYTES_MARK = "bytes:"


def path_text(path: str | Path) -> str:
    """A path of this machine as JSON can hold it: one whose name is not UTF-8 has its bytes as %XX behind a mark."""
    text = str(path)
    return text if is_text(text) else _BYTES_MARK + quote_from_bytes(os.fsencode(text))


def path_from(text: str) -> Path:
    """The path that `path_text` wrote."""
    marked = text.startswith(_BYTES_MARK)
    return Path(os.fsdecode(unquote_to_bytes(text.removeprefix(_BYTES_MARK))) if marked else text)


@dataclass(frozen=True, slots=True)
class LaunchRequest:
    """One line on the backend's stdin: who may connect, the server's own secret, where it keeps its work
    (`path_text`), and which program starts it: its name and process, empty where it does not say."""

    client_public_key: str
    server_secret_key: str
    work_folder: str
    protocol: int
    client: str = ""
    client_pid: int = 0

    def line(self) -> bytes:
        """The request as it is written, newline included."""
        return dump_json(self) + b"\n"


@dataclass(frozen=True, slots=True)
class LaunchReply:
    """One line on the backend's stdout: it listens on this port of 127.0.0.1."""

    port: int
    protocol: int
    pid: int

    def line(self) -> bytes:
        """The reply as it is written, newline included."""
        return dump_json(self) + b"\n"


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """A connection file: how to reach a backend that was started by hand. Holds a secret; its file has mode 0600."""

    host: str
    port: int
    server_public_key: str
    client_secret_key: str

    @property
    def address(self) -> str:
        """The ZeroMQ address to connect to."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class LaunchFailure:
    """Why the backend cannot start: one line on its stdout in place of the reply."""

    code: str = ""
    message: str = ""
    hint: str = ""
    kind: str = ""


def failure_line(error: LatentManError) -> bytes:
    """The line on the backend's stdout when it cannot start."""
    return dump_json({"error": dataclasses.asdict(LaunchFailure(*told(error)))}) + b"\n"


def parse_request(line: bytes) -> LaunchRequest:
    """Read the line that starts a backend. Raises BackendError."""
    try:
        request = convert(parse_json(line), LaunchRequest)
    except StrictJSONError as error:
        raise BackendError("backend.launch", f"The backend's start line cannot be read: {error}.") from error
    if len(request.client_public_key) != Z85_KEY_LENGTH or len(request.server_secret_key) != Z85_KEY_LENGTH:
        raise BackendError("backend.launch", "The backend's start line contains no CURVE keys.")
    return request


def parse_reply(line: bytes) -> LaunchReply:
    """Read the backend's first line. Raises the error that the backend names, or BackendError."""
    try:
        value = parse_json(line)
        if isinstance(value, dict) and "error" in value:
            raise error_of(convert(value["error"], LaunchFailure), unsaid=BackendError)
        return convert(value, LaunchReply)
    except StrictJSONError as error:
        raise BackendError(
            "backend.launch",
            "The program that was started as the backend does not answer like one.",
            "Check the backend command in the preferences: it may name another program, or an old backend.",
        ) from error


def read_connection_file(path: Path) -> ConnectionInfo:
    """Read a connection file. Raises InputError where it is missing, open to other users or not one."""
    try:
        if sys.platform != "win32" and stat.S_IMODE(os.stat(path).st_mode) & 0o077:
            raise InputError(
                "connection.open", f"Other users can read the connection file {path}.", f"Run: chmod 600 {path}"
            )
        info = convert(parse_json(path.read_bytes()), ConnectionInfo)
    except OSError as error:
        raise InputError(
            "connection.missing",
            f"The connection file {path} cannot be read: {error.strerror or error}.",
            "Start a backend with: latentman serve --connection-file FILE",
        ) from error
    except StrictJSONError as error:
        raise InputError("connection.invalid", f"{path} is not a connection file: {error}.") from error
    if not 0 < info.port < 65536 or {len(info.server_public_key), len(info.client_secret_key)} != {Z85_KEY_LENGTH}:
        raise InputError("connection.invalid", f"{path} is not a connection file: its port or keys are not valid.")
    return info


def connection_json(info: ConnectionInfo) -> bytes:
    """The content of a connection file."""
    return json.dumps(
        {
            "client_secret_key": info.client_secret_key,
            "host": info.host,
            "port": info.port,
            "server_public_key": info.server_public_key,
        },
        indent=1,
    ).encode("utf-8")
