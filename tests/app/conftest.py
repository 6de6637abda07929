"""Fixtures of the real-Blender tests: each test runs once in every Blender that tests.app.provision can set up."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .provision import SUITES, Suite, suite_folder
from .ready import built_zip, installed
from .real_blender import PROJECT, RealBlender

_NOT_RUN = "NOT RUN"
_START_LIMIT_S = 60.0


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tests that could not run must not look like tests that passed."""
    skipped = [r for r in terminalreporter.stats.get("skipped", []) if _NOT_RUN in str(r.longrepr)]
    if skipped:
        reasons = sorted({str(report.longrepr[2]) for report in skipped})
        terminalreporter.section(f"{len(skipped)} TESTS IN REAL BLENDERS WERE NOT RUN", red=True, bold=True)
        for reason in reasons:
            terminalreporter.write_line(reason, red=True)


@pytest.fixture(scope="session", params=SUITES, ids=lambda suite: f"blender-{suite.series}")
def suite(request: pytest.FixtureRequest) -> Suite:
    """A Debian suite whose Blender is set up here."""
    wanted: Suite = request.param
    if not suite_folder(wanted).is_dir():
        pytest.skip(f"{_NOT_RUN}: no real Blender {wanted.series}; run: python -m tests.app.provision {wanted.name}")
    return wanted


@pytest.fixture(scope="session")
def zip_file(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension's zip for the suite's Python."""
    return built_zip(suite, tmp_path_factory.mktemp("zip"))


@pytest.fixture(scope="session")
def blender(suite: Suite, zip_file: Path, tmp_path_factory: pytest.TempPathFactory) -> RealBlender:
    """A real Blender into which the built zip was installed as a user does it."""
    return installed(suite, suite_folder(suite), zip_file, tmp_path_factory.mktemp(f"blender-{suite.name}"))


@dataclass(frozen=True, slots=True)
class Served:
    """A backend that runs outside of Blender, and the file that lets Blender connect to it."""

    connection: Path
    work: Path


@pytest.fixture(scope="session")
def served(blender: RealBlender) -> Iterator[Served]:
    """A real backend on this machine's loopback, with its worker process and the embedded model."""
    work = blender.scratch / "work"
    connection = blender.scratch / "connection.json"
    log = blender.scratch / "serve.log"
    command = [sys.executable, "-m", "backend", "serve", "--connection-file", str(connection), "--work", str(work)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=PROJECT, stderr=output, stdin=subprocess.DEVNULL)
    try:
        limit = time.monotonic() + _START_LIMIT_S
        while not connection.is_file():
            assert process.poll() is None and time.monotonic() < limit, log.read_text(errors="replace")
            time.sleep(0.05)
        yield Served(connection, work)
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def output(blender: RealBlender, request: pytest.FixtureRequest) -> Path:
    """An output folder of the test's own, inside the scratch folder."""
    name = str(request.node.name)
    return blender.scratch / "out" / name.replace("[", "-").replace("]", "")
