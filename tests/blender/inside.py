"""Loaded as a pytest plugin in the processes in which Blender tests run; writes tests and their outcomes to files.

Files, not the exit code: the `bpy` modules before 5.0 crash when a process ends in which a class was registered.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--outcomes", default="", help="file to which every test's outcome is written, a JSON line each")
    parser.addoption("--collected", default="", help="file to which every test's name is written, a JSON line each")


class _Outcomes:
    def __init__(self, path: Path) -> None:
        self._path = path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            line = {"test": report.nodeid, "outcome": report.outcome, "text": str(report.longrepr or "")}
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


class _Collected:
    def __init__(self, path: Path) -> None:
        self._path = path

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        entries = [{"test": item.nodeid, "slow": item.get_closest_marker("slow") is not None} for item in session.items]
        self._path.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    for option, plugin in (("--outcomes", _Outcomes), ("--collected", _Collected)):
        path = config.getoption(option)
        if path:
            config.pluginmanager.register(plugin(Path(path)))
