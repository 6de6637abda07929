"""Who may import what: shared <- blender_addon, shared <- backend, and no torch in the supervisor."""

from __future__ import annotations

import ast
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from build_addon import (
    ABI3,
    ADDON_IMPORTS,
    CHECKOUT_ONLY,
    TARGETS,
    addon_import_faults,
    build_zip,
    import_faults,
    imported_modules,
    shared_imports,
)

ROOT = Path(__file__).resolve().parents[2]
HEAVY = frozenset({"torch", "diffusers", "transformers", "scipy", "smplx", "safetensors", "av", "OpenEXR"})


def modules(package: str) -> dict[str, str]:
    """Every module of a top-level package: {path inside the package: source}."""
    folder = ROOT / package
    return {path.relative_to(folder).as_posix(): path.read_text() for path in sorted(folder.rglob("*.py"))}


def test_shared_imports_only_numpy_and_the_standard_library_and_its_client_zmq() -> None:
    sources = modules("shared")
    assert sources
    faults = []
    for name, source in sources.items():
        faults += import_faults(name, source, shared_imports(name), name.count("/"))
    assert faults == []


def test_the_addon_imports_only_what_blender_and_the_zip_hold() -> None:
    addon = {name: source for name, source in modules("blender_addon").items() if name not in CHECKOUT_ONLY}
    sources = addon | {f"shared/{name}": source for name, source in modules("shared").items()}
    assert addon_import_faults(sources) == []


def test_the_backend_never_imports_the_addon() -> None:
    for name, source in modules("backend").items():
        for node in ast.walk(ast.parse(source)):
            found = {(module or "").split(".")[0] for module in imported_modules(node, {})}
            assert not found & {"blender_addon", "bpy", "mathutils"}, f"backend/{name}: {sorted(found)}"


def test_the_built_zip_keeps_the_rule(tmp_path: Path) -> None:
    target = next(target for target in TARGETS if target.abi is ABI3)
    with zipfile.ZipFile(build_zip(target, tmp_path)) as archive:
        sources = {name: archive.read(name).decode() for name in archive.namelist() if name.endswith(".py")}
    assert "shared/errors.py" in sources and "checkout.py" not in sources
    assert addon_import_faults(sources) == []


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("client/bad.py", "import torch", "imports torch"),
        ("client/bad.py", "def later():\n    from scipy import ndimage", ":2 imports scipy"),
        ("client/bad.py", "import backend.cli", "imports backend.cli"),
        ("client/bad.py", "from ...backend import cli", "from above its package"),
        ("client/bad.py", "import importlib\nimportlib.import_module('torch')", "imports torch"),
        ("client/bad.py", "def load(name):\n    return __import__(name)", "only known at run time"),
        ("client/bad.py", "B = 'backend'\nimportlib.import_module(f'{B}.cli')", "imports backend.cli"),
        ("client/bad.py", "for n in 'xy':\n    importlib.import_module(f'{n}.z')", "known at run time"),
        ("client/bad.py", "import zmq", "imports zmq"),
        ("shared/protocol/bad.py", "import zmq", "imports zmq"),
        ("shared/protocol/client/bad.py", "import bpy", "imports bpy"),
        ("shared/motion/bad.py", "from ...client import transport", "from above its package"),
    ],
)
def test_the_rule_catches_a_bad_module(name: str, source: str, words: str) -> None:
    faults = addon_import_faults({name: source})
    assert len(faults) == 1
    assert words in faults[0]


def test_the_rule_lets_good_modules_pass() -> None:
    source = "import json\nimport numpy\nimport bpy\nfrom ..shared.errors import InputError\nfrom . import transport"
    dynamic = "from importlib import import_module\nfor name in 'ab':\n    import_module(f'.{name}', __package__)"
    assert import_faults("client/good.py", source, ADDON_IMPORTS, 1) == []
    assert import_faults("registration.py", dynamic, ADDON_IMPORTS, 0) == []
    assert addon_import_faults({"shared/protocol/client/good.py": "import zmq\nfrom ..wire import Buffer"}) == []


def top_level_nodes(tree: ast.Module) -> Iterator[ast.AST]:
    """What runs when the module is imported: not the bodies of functions, not `if TYPE_CHECKING`."""
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        yield node
        typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        if not typing_only and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending += ast.iter_child_nodes(node)


def local_file(module: str) -> Path | None:
    """The source of a module of this project, or None."""
    path = ROOT / module.replace(".", "/")
    found = [file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()]
    return found[0] if found else None


def direct_imports(file: Path) -> set[str]:
    """The modules that a module of the backend imports when it is imported."""
    found: set[str] = set()
    package = file.relative_to(ROOT).parent.parts
    for node in top_level_nodes(ast.parse(file.read_text())):
        found |= {module for module in imported_modules(node, {}) if module}
        if isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join((*package[: len(package) - node.level + 1], *([base] if base else [])))
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found


def import_closure(start: set[str]) -> set[str]:
    """All that importing the modules of `start` imports, as far as this project's own modules go."""
    seen: set[str] = set()
    pending = set(start)
    while pending:
        module = pending.pop()
        seen.add(module)
        file = local_file(module)
        if file is not None:
            pending |= direct_imports(file) - seen
    return seen


def test_the_supervisor_never_imports_torch() -> None:
    server = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in (ROOT / "backend" / "server").rglob("*.py")
    }
    closure = import_closure({"backend.cli", "backend.__main__"} | server)
    assert "backend.cli" in closure
    assert {module for module in closure if module.split(".")[0] in HEAVY} == set()


def test_starting_the_command_line_loads_no_torch() -> None:
    script = "import sys, backend.cli; print(sorted({'torch', 'diffusers', 'scipy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_compat_asks_for_blenders_version() -> None:
    for name, source in modules("blender_addon").items():
        asks = [
            node
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Attribute)
            and node.attr in ("version", "version_file")
            and isinstance(node.value, ast.Attribute)
            and node.value.attr == "app"
        ]
        assert name == "compat.py" or not asks, f"blender_addon/{name}:{asks[0].lineno}"
