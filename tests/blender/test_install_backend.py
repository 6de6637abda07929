"""The backend in the preferences: found or missing, installed by the button, removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blender.test_panels import drawn
from tests.helpers.tiny_backend import tiny_wheel

INSTALL = "bpy.ops.latentman.install_backend"


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A tiny wheel, no package index, and a folder of the user's own."""
    monkeypatch.setenv("BLENDER_USER_RESOURCES", str(tmp_path / "blender"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return str(tiny_wheel(tmp_path / "wheels"))


def preferences(scenario: str, wheel: str) -> tuple[str, set[str]]:
    """All texts of the drawn preferences in one line, and the operators of the buttons."""
    texts, operators = drawn("tests.blender.draw_preferences", scenario, wheel)
    return " ".join(texts), operators


def test_a_folder_without_a_backend_is_named_beside_the_button_that_installs_one(wheel: str) -> None:
    texts, operators = preferences("missing", wheel)
    assert "There is no latentman program in the folder" in texts
    wanted = {"choose_backend", "install_backend", "copy_install_commands", "remove_backend", "open_preferences"}
    assert {f"bpy.ops.latentman.{name}" for name in wanted} <= operators
    assert "bpy.ops.latentman.cancel_install" not in operators


def test_an_installation_under_way_shows_its_stage_in_preferences_and_panel(wheel: str) -> None:
    texts, operators = preferences("begun", wheel)
    before, after = texts.split("PANEL")
    assert "Looking for a Python (1 of 4)" in before and "Looking for a Python (1 of 4)" in after
    assert "install.log" in before and "bpy.ops.latentman.cancel_install" in operators


def test_a_failed_one_says_why_and_can_be_tried_again(wheel: str) -> None:
    texts, _ = preferences("failed", wheel)
    assert "is neither a wheel (.whl) nor a project's folder" in texts


def test_an_installed_one_is_shown_with_its_version(wheel: str) -> None:
    texts, operators = preferences("installed", wheel)
    assert "The backend is installed and works" in texts and "version 0.1.0" in texts
    assert "Install Again" in texts and INSTALL in operators


def test_it_is_removed_again(wheel: str) -> None:
    texts, _ = preferences("removed", wheel)
    assert "Install Again" not in texts and "version 0.1.0" not in texts
