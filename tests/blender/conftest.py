"""Blender tests: each module runs in a process of its own, because `bpy` and torch must not meet in one process.

`pytest tests/blender` collects all modules in one child process, because starting Blender takes longer than collecting,
and runs each module in a child of its own; each test is reported on its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Collected:
    """All tests of the folder, which of them are slow, and what the collecting process printed."""

    tests: tuple[dict[str, Any], ...]
    output: str


def _collect(config: pytest.Config, folder: Path) -> Collected:
    with tempfile.TemporaryDirectory() as scratch:
        listing = Path(scratch) / "collected.jsonl"
        options = ["--collect-only", "--continue-on-collection-errors", "--collected", str(listing)]
        result = _pytest(config, [*options, str(folder)])
        lines = listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
    return Collected(tuple(map(json.loads, lines)), result.stdout[-4000:] + result.stderr[-4000:])


class BlenderModule(pytest.File):
    """A test module that is collected and run in child processes."""

    def collect(self) -> Iterator[BlenderTest]:
        if _COLLECTED not in self.config.stash:
            self.config.stash[_COLLECTED] = _collect(self.config, self.path.parent)
        collected = self.config.stash[_COLLECTED]
        own = [entry for entry in collected.tests if entry["test"].partition("::")[0].endswith(self.path.name)]
        if not own:
            raise self.CollectError(collected.output)
        for entry in own:
            test = BlenderTest.from_parent(self, name=entry["test"].partition("::")[2])
            if entry["slow"]:
                test.add_marker(pytest.mark.slow)
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


_COLLECTED: pytest.StashKey[Collected] = pytest.StashKey()
_OUTCOMES: pytest.StashKey[dict[str, dict[str, dict[str, str]]]] = pytest.StashKey()


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if parent.config.pluginmanager.has_plugin(_INSIDE):
        return None
    return BlenderModule.from_parent(parent, path=module_path)
