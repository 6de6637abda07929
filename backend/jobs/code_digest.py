"""A digest of the code that some modules run: their own source and that of all they import of this program."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from shared.files.digest import sha256_bytes

PROGRAM = Path(__file__).resolve().parents[2]
PACKAGES = frozenset({"backend", "shared"})


@cache
def code_digest(modules: tuple[str, ...], program: Path = PROGRAM) -> str:
    """The digest of the import closure of `modules`, looked for in the folder `program`; computed once a process."""
    files = import_closure(modules, program)
    names = (f"{name} {sha256_bytes(files[name].read_bytes())}" for name in sorted(files))
    return sha256_bytes("\n".join(names).encode())


def import_closure(modules: tuple[str, ...], program: Path = PROGRAM) -> dict[str, Path]:
    """The file of every module of this program that importing `modules` may run, wherever the import stands.

    A module's packages belong to it, for their `__init__` runs first. Raises FileNotFoundError for a module that is not
    there.
    """
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = _file(name, program)
        parent = name.rpartition(".")[0]
        waiting += [parent, *_imports(name, found[name], program)] if parent else _imports(name, found[name], program)
    return found


def _file(name: str, program: Path) -> Path:
    path = program.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _imports(name: str, file: Path, program: Path) -> Iterator[str]:
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    for node in _statements(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            candidates = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node, package)
            candidates = [module, *(f"{module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (one for one in candidates if one.split(".")[0] in PACKAGES and _file(one, program).is_file())


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """All statements below a node. Expressions, which are most of a tree, hold no import."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield child
            yield from _statements(child)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """The module that names are imported from; each dot beyond the first goes one package up."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    return ".".join(parts[: len(parts) - node.level + 1] + ([node.module] if node.module else []))
