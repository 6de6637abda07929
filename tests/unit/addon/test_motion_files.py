"""The add-on opens motion files in one way only: pickles never inside Blender."""

from __future__ import annotations

import ast
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

from build_addon import ABI3, TARGETS, build_zip

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


def test_in_the_installed_add_on_the_process_finds_what_it_needs(tmp_path: Path) -> None:
    """`shared` lies inside the add-on there, whose own package needs Blender."""
    target = next(target for target in TARGETS if target.abi is ABI3)
    package = tmp_path / "extensions" / "latentman"
    with zipfile.ZipFile(build_zip(target, tmp_path)) as archive:
        archive.extractall(package)
    file = tmp_path / "a.pkl"
    file.write_bytes(pickle.dumps({"a": [1, 2]}))
    program = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "from latentman.shared.files import open_in_child as opening\n"
        "print(opening.open_in_child(Path(sys.argv[2]), opening.Wanted()), opening.__file__)"
    )
    command = [sys.executable, "-I", "-c", program, str(package.parent), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("{'a': [1, 2]} " + str(package)), done.stderr
