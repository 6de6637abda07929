"""In a checkout the add-on's `shared` is the `shared` beside it: one module under two names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

_BOTH_NAMES = """
import sys
{first}
{second}
from blender_addon.shared.errors import InputError
import shared.errors
assert InputError is shared.errors.InputError
assert shared.errors.__spec__.name == shared.errors.__name__ == "shared.errors"
import blender_addon.client.backend_process, blender_addon.shared.motion.readers.table, shared.motion.reading.clip
names = [name for name in sys.modules if name.startswith("blender_addon.shared")]
assert "blender_addon.shared.protocol.client.transport" in names
assert [name for name in names if sys.modules[name] is not sys.modules[name.removeprefix("blender_addon.")]] == []
assert isinstance(sys.modules["shared"].errors, type(sys))
print("one")
"""

_AS_CHILD = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("latentman_child", {init!r}, submodule_search_locations=[{folder!r}])
sys.modules["latentman_child"] = package = importlib.util.module_from_spec(spec)
spec.loader.exec_module(package)
import latentman_child.passes.spec, latentman_child.shared.errors
found = sys.modules["latentman_child.shared.errors"]
copies = [name for name in sys.modules if name.endswith("shared.errors") and sys.modules[name] is not found]
print(copies, found.__file__ == {errors!r})
"""


def run(code: str, folder: Path, path: Path | None) -> str:
    """What a fresh Python prints; without the project's own installation, so that `path` alone says what it finds."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    lines = f"import sys\nsys.meta_path = [one for one in sys.meta_path if 'editable' not in repr(one)]\n{code}"
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run(
        [sys.executable, "-c", lines], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("import blender_addon.shared.errors", "import shared.errors"),
        ("import shared.errors", "import blender_addon.shared.errors"),
        ("import shared.protocol.client.session", "import blender_addon.client.generate_job"),
        ("import blender_addon", "blender_addon.__spec__.loader.exec_module(blender_addon)"),
    ],
)
def test_both_names_are_the_same_modules_in_either_order(first: str, second: str) -> None:
    assert run(_BOTH_NAMES.format(first=first, second=second), ROOT, ROOT) == "one"


@pytest.mark.parametrize("path", ["checkout", "nothing", "other"])
def test_the_childs_package_has_one_copy_wherever_shared_is_found(tmp_path: Path, path: str) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "__init__.py").write_text('"""Another project\'s."""\n')
    (tmp_path / "empty").mkdir()
    addon = ROOT / "blender_addon"
    code = _AS_CHILD.format(
        init=str(addon / "__init__.py"), folder=str(addon), errors=str(ROOT / "shared" / "errors.py")
    )
    places = {"checkout": ROOT, "nothing": None, "other": tmp_path}
    assert run(code, tmp_path / "empty", places[path]) == "[] True"
