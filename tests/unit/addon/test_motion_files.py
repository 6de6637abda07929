"""The add-on opens motion files in one way only: pickles never inside Blender."""

from __future__ import annotations

import ast
from pathlib import Path

ADDON = Path(__file__).resolve().parents[3] / "blender_addon"
# What opens a motion file where it runs, and where each may be named.
OPENERS = frozenset(
    {"open_motion", "read_motion", "read_people", "contents_of", "open_pickled", "unpickle", "parse_npy"}
)
ALLOWED = frozenset({"rig/motion_files.py"})


def taken_from_shared(source: str) -> set[str]:
    """The names that a module takes from `shared`."""
    found = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom))
    return {one.name for node in found if "shared" in (node.module or "").split(".") for one in node.names}


def test_only_one_module_opens_motion_files() -> None:
    modules = {path.relative_to(ADDON).as_posix(): path.read_text(encoding="utf-8") for path in ADDON.rglob("*.py")}
    opening = {name for name, source in modules.items() if taken_from_shared(source) & OPENERS}
    assert opening == ALLOWED
    assert "read_in_child" in modules["rig/motion_files.py"]


def test_the_check_finds_an_import() -> None:
    assert taken_from_shared("def f():\n    from ..shared.motion.reader import read_motion as x") == {"read_motion"}
