"""The copy of the add-on that mypy reads: the same lines, `shared` by its own name, nothing left of removed files."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def check_types() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_types", ROOT / ".ci" / "check_types.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_copy_has_the_lines_of_the_original_and_names_shared_itself(
    check_types: ModuleType, tmp_path: Path
) -> None:
    check_types.lay_out(tmp_path)
    originals = sorted((ROOT / "blender_addon").rglob("*.py"))
    copies = [tmp_path / path.relative_to(ROOT) for path in originals]
    assert sorted(tmp_path.rglob("*.py")) == copies and len(copies) > 50
    named = 0
    for original, copy in zip(originals, copies, strict=True):
        before, after = original.read_text(encoding="utf-8"), copy.read_text(encoding="utf-8")
        assert before.count("\n") == after.count("\n")
        for node in ast.walk(ast.parse(after)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "shared":
                assert node.level == 0, f"{copy}:{node.lineno}"
                named += 1
    assert named > 100


def test_what_is_gone_leaves_and_what_is_unchanged_stays(check_types: ModuleType, tmp_path: Path) -> None:
    check_types.lay_out(tmp_path)
    kept, stale = tmp_path / "blender_addon" / "compat.py", tmp_path / "blender_addon" / "gone.py"
    written = kept.stat().st_mtime_ns
    stale.write_text("")
    check_types.lay_out(tmp_path)
    assert not stale.exists() and kept.stat().st_mtime_ns == written
