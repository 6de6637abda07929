"""`latentman doctor`, asked from the add-on."""

from __future__ import annotations

from ..client.backend_command import BackendCommand
from ..client.doctor_report import Finding, read_report
from .answer import Answer


class Doctor:
    """One consultation at a time; the last report is kept."""

    def __init__(self) -> None:
        self.findings: tuple[Finding, ...] = ()
        self._answer = Answer()

    @property
    def running(self) -> bool:
        """Whether the report is still to come."""
        return self._answer.running

    def ask(self, command: BackendCommand) -> None:
        """Start it; `step` brings the report."""
        self.findings = ()
        try:
            self._answer.ask(command, "doctor", "--json")
        except OSError as error:
            self.findings = (Finding("backend", False, f"{command.words[0]} cannot be started: {error.strerror}"),)

    def step(self) -> None:
        """Take the report once it is there."""
        text = self._answer.take()
        if text is not None:
            self.findings = read_report(text)

    def close(self) -> None:
        """End what runs. Harmless when called twice."""
        self._answer.close()
