"""The version stands in one place, and everything that shows one shows that."""

from __future__ import annotations

import importlib
import re
import tomllib
from pathlib import Path

import pytest

from backend.cli import main
from backend.commands.base.connection import CLIENT_NAME
from backend.server.versions import SERVER_NAME
from shared.version import VERSION

ROOT = Path(__file__).resolve().parents[2]


def test_the_command_line_tells_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"latentman {VERSION}\n"


def test_both_sides_of_the_wire_tell_it() -> None:
    assert [SERVER_NAME, CLIENT_NAME] == [f"latentman {part} {VERSION}" for part in ("backend", "command line")]


def test_the_package_takes_it() -> None:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in document["project"] and document["project"]["dynamic"] == ["version"]
    module, _, name = document["tool"]["setuptools"]["dynamic"]["version"]["attr"].rpartition(".")
    assert getattr(importlib.import_module(module), name) == VERSION


def test_no_other_source_spells_it() -> None:
    """A second place would be forgotten at the next release."""
    sources = [ROOT / "build_addon.py", ROOT / "pyproject.toml", ROOT / "blender_addon" / "blender_manifest.toml"]
    sources += [path for folder in ("shared", "backend", "blender_addon") for path in (ROOT / folder).rglob("*.py")]
    spelled = re.compile(rf"(?<![\d.]){re.escape(VERSION)}(?![\d.])")
    found = [path.relative_to(ROOT).as_posix() for path in sources if spelled.search(path.read_text(encoding="utf-8"))]
    assert found == ["shared/version.py"]
