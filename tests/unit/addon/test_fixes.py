"""Every family of errors that a panel can show has its buttons."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from blender_addon.help.fixes import FIXES, fixes_for

ROOT = Path(__file__).resolve().parents[3]
# Families of commands that no panel runs.
OF_COMMANDS = {"arguments", "bench", "clean", "convert", "eval", "metrics", "report", "serve", "shot", "training"}
# Only the user can mend these: the message says what to type, or to wait.
WITHOUT_BUTTON = {
    "backend.stopping",
    "export.failed",
    "export.hidden",
    "export.no_exporter",
    "export.no_file",
    "export.scaled",
    "generate.busy",
    "generate.no_prompt",
    "help.no_file",
    "motion.edit",
    "motion.gap",
    "motion.guidance",
    "motion.mirrored",
    "motion.no_keys",
    "motion.no_text",
    "motion.not_filled",
    "motion.not_fitted",
    "motion.nothing_to_fit",
    "motion.output",
    "motion.scaled_away",
    "motion.seconds",
    "motion.seed",
    "motion.spans",
    "motion.unknown_action",
    "passes.size",
    "repair.refused",
    "rig.source",
    "video.busy",
}


def raised_codes() -> set[str]:
    """The codes of all errors that are made in the source: the first argument where a class `...Error` is called."""
    codes = set()
    for folder in ("shared", "backend", "blender_addon"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                    code = node.args[0].value
                    if name.endswith("Error") and isinstance(code, str) and code.count(".") == 1 and " " not in code:
                        codes.add(code)
    return codes


def test_each_error_that_a_panel_can_show_has_a_button() -> None:
    codes = {code for code in raised_codes() if code.split(".")[0] not in OF_COMMANDS}
    assert {"backend.busy", "motion.empty", "storage.full"} <= codes
    assert {code for code in codes if not fixes_for(code)} == WITHOUT_BUTTON


def test_each_entry_of_the_table_is_the_beginning_of_an_error() -> None:
    # Failures of a job that are reported without being raised.
    codes = raised_codes() | {"job.error", "job.memory", "job.worker_died"}
    assert [prefix for prefix in FIXES if not any(code.startswith(prefix) for code in codes)] == []


@pytest.mark.parametrize(
    ("code", "operators"),
    [
        ("backend.not_found", ["latentman.install_backend", "latentman.open_preferences"]),
        ("backend.start_failed", ["latentman.show_log", "latentman.doctor", "latentman.open_preferences"]),
        ("backend.silent", ["latentman.start_backend", "latentman.show_log"]),
        ("job.model_files", ["latentman.reset_setting", "latentman.reset_hidden"]),
        ("model.tiny_decoder", ["latentman.reset_setting", "latentman.open_preferences"]),
        ("motion.empty", ["latentman.import_motion"]),
        ("motion.not_finite", ["latentman.import_motion"]),
        ("backend.command_failed", ["latentman.doctor", "latentman.open_preferences"]),
        ("nothing.known", []),
    ],
)
def test_the_longest_code_decides_about_the_buttons(code: str, operators: list[str]) -> None:
    assert [fix.operator for fix in fixes_for(code)] == operators
