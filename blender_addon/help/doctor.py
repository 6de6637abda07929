"""`latentman doctor`, asked from the add-on: a process that is looked at now and then, never waited for."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from typing import IO

from ..client.backend_process import BackendCommand

_LINE_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report; `mend` is what helps, empty where all is well."""

    name: str
    works: bool
    text: str
    mend: str = ""


class Doctor:
    """One consultation at a time; the last report is kept."""

    def __init__(self) -> None:
        self.findings: tuple[Finding, ...] = ()
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the report is still to come."""
        return self._process is not None

    def ask(self, command: BackendCommand) -> None:
        """Start it; `step` brings the report."""
        self.close()
        self.findings = ()
        output = tempfile.TemporaryFile()
        try:
            self._process = subprocess.Popen(
                command.other("doctor", "--json"),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=command.folder,
            )
        except OSError as error:
            output.close()
            self.findings = (Finding("backend", False, f"{command.words[0]} cannot be started: {error.strerror}"),)
            return
        self._output = output

    def step(self) -> None:
        """Take the report once it is there."""
        if self._process is None or self._process.poll() is None or self._output is None:
            return
        self._output.seek(0)
        self.findings = _read(self._output.read().decode("utf-8", "replace"))
        self.close()

    def close(self) -> None:
        """End what runs. Harmless when called twice."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()
        if self._output is not None:
            self._output.close()
        self._process = self._output = None


def _read(text: str) -> tuple[Finding, ...]:
    """The findings in what the doctor printed: one JSON list on the last line."""
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        rows = json.loads(lines[-1])
        return tuple(Finding(str(r["name"]), bool(r["works"]), str(r["text"]), str(r.get("mend", ""))) for r in rows)
    except (IndexError, ValueError, KeyError, TypeError, AttributeError):
        said = lines[-1][:_LINE_LENGTH] if lines else "nothing"
        return (Finding("backend", False, f"the doctor did not report; it said: {said}"),)
