"""Blender tests: each module runs in a process of its own, because `bpy` and torch must not meet in one process.

`pytest tests/blender` collects every module in a child process and runs it there; each test is reported on its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_INSIDE = "tests.blender.inside"
_MODULE_LIMIT_S = 1200  # each test inside has its own limit, from the project's settings


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bpy-python", default=sys.executable, help="the Python whose bpy the tests run in")


def _pytest(config: pytest.Config, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    command = [config.getoption("--bpy-python"), "-m", "pytest", "-p", _INSIDE, "-q", *arguments]
    return subprocess.run(
        command, cwd=config.rootpath, capture_output=True, text=True, timeout=_MODULE_LIMIT_S, check=False
    )


class BlenderModule(pytest.File):
    """A test module that is collected and run in a child process."""

    def collect(self) -> Iterator[BlenderTest]:
        with tempfile.TemporaryDirectory() as folder:
            listing = Path(folder) / "collected.txt"
            result = _pytest(self.config, ["--collect-only", "--collected", str(listing), str(self.path)])
            if not listing.exists():
                raise self.CollectError(result.stdout[-4000:] + result.stderr[-4000:])
            names = listing.read_text(encoding="utf-8").splitlines()
        for line in names:
            file, separator, name = line.partition("::")
            if separator and file.endswith(self.path.name):
                test = BlenderTest.from_parent(self, name=name)
                test.add_marker(pytest.mark.timeout(_MODULE_LIMIT_S + 60))  # the first one waits for the whole module
                yield test

    def outcome(self, item: BlenderTest) -> dict[str, str]:
        """The outcome of one test; the first call runs all tests of the module that were selected."""
        outcomes = self.config.stash.setdefault(_OUTCOMES, {})
        if self.nodeid not in outcomes:
            chosen = [other.nodeid for other in self.session.items if other.parent is self]
            outcomes[self.nodeid] = self._run(chosen)
        missing = {"outcome": "failed", "text": "the test process ended before this test; see the first failure"}
        found: dict[str, str] = outcomes[self.nodeid].get(item.nodeid, missing)
        return found

    def _run(self, tests: list[str]) -> dict[str, dict[str, str]]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "outcomes.jsonl"
            result = _pytest(self.config, ["--outcomes", str(path), *tests])
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        found: dict[str, dict[str, str]] = {}
        for entry in map(json.loads, lines):
            if found.get(entry["test"], entry)["outcome"] == entry["outcome"] or entry["outcome"] == "failed":
                found[entry["test"]] = entry
        if len(found) < len(tests):  # it died
            first = next(test for test in tests if test not in found)
            text = f"exit code {result.returncode}\n{result.stdout[-3000:]}\n{result.stderr[-3000:]}"
            found[first] = {"test": first, "outcome": "failed", "text": text}
        return found


class BlenderTest(pytest.Item):
    """One test of a `BlenderModule`."""

    def runtest(self) -> None:
        assert isinstance(self.parent, BlenderModule)
        outcome = self.parent.outcome(self)
        if outcome["outcome"] == "skipped":
            pytest.skip(outcome["text"])
        if outcome["outcome"] != "passed":
            raise BlenderTestFailed(outcome["text"])

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, BlenderTestFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name


class BlenderTestFailed(Exception):
    """A test failed in its child process; the text is that process' report."""


_OUTCOMES: pytest.StashKey[dict[str, dict[str, dict[str, str]]]] = pytest.StashKey()


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if parent.config.pluginmanager.has_plugin(_INSIDE):
        return None
    return BlenderModule.from_parent(parent, path=module_path)
