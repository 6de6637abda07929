"""Which code decides a frame: what the modules that compute import, and nothing else."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from backend.jobs.code_digest import PROGRAM, code_digest, import_closure
from backend.jobs.engines import COMPUTING
from backend.methods.latentman.method import LatentMan

LATENTMAN = (*COMPUTING, LatentMan.__module__)
# What `engines` imports that decides no picture: the contract's types and the tables it looks into.
NOT_COMPUTING = {"backend.contract.engine", "backend.methods.table", "backend.models.sources"}


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A copy of the program's source."""
    for package in ("backend", "shared"):
        for path in (PROGRAM / package).rglob("*.py"):
            copy = tmp_path / path.relative_to(PROGRAM)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    return tmp_path


def after_a_change(program: Path, file: str) -> str:
    """The digest with a comment more in a file; the file is put back."""
    path = program / file
    before = path.read_bytes()
    path.write_bytes(before + b"# changed\n")
    code_digest.cache_clear()
    changed = code_digest(LATENTMAN, program)
    path.write_bytes(before)
    code_digest.cache_clear()
    return changed


def test_a_change_of_what_computes_is_seen(program: Path) -> None:
    plain = code_digest(LATENTMAN, program)
    assert plain == code_digest(LATENTMAN)
    for file in (
        "backend/methods/masactrl/method.py",  # what LatentMan may build on
        "backend/correspondence/lap_paths.py",  # four imports away
        "backend/models/sd15/fused/norm.py",
        "backend/passes/exr.py",
        "backend/loop/__init__.py",  # runs before the package's modules
        "shared/shot.py",  # the depth picture's levels
    ):
        assert after_a_change(program, file) != plain, file


def test_a_change_of_anything_else_is_not(program: Path) -> None:
    plain = code_digest(LATENTMAN, program)
    for file in (
        "backend/server/supervisor.py",
        "backend/commands/serve.py",
        "backend/measure/metrics/consistency.py",
        "backend/make/training/training_loop.py",
        "backend/jobs/worker.py",
        "backend/methods/shared_noise/method.py",  # another method
        "shared/motion/reader.py",
        "shared/protocol/messages.py",
    ):
        assert after_a_change(program, file) == plain, file


def test_everything_that_an_engine_is_made_of_counts() -> None:
    tree = ast.parse((PROGRAM / "backend/jobs/engines.py").read_bytes())
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    made_of = {name for name in imported if name.startswith("backend.") and not name.startswith("backend.jobs.")}
    assert made_of - NOT_COMPUTING <= import_closure(LATENTMAN).keys()
    assert NOT_COMPUTING <= made_of


def test_imports_are_followed_wherever_they_stand(tmp_path: Path) -> None:
    sources = {
        "shared/__init__.py": "",
        "shared/room/__init__.py": "from .one import value\n",
        "shared/room/one.py": "from ..other import thing as name\nfrom . import two\nimport json\n",
        "shared/room/two.py": "def later():\n    try:\n        import backend.far\n    finally:\n        pass\n",
        "shared/other.py": 'value: "backend.never" = 1\n',
        "shared/unused.py": "",
        "backend/__init__.py": "",
        "backend/far.py": "match 1:\n    case 1:\n        from shared import deep\n",
        "backend/never.py": "",
        "shared/deep.py": "import backend.far\n",  # a circle ends
    }
    for name, text in sources.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = {path.relative_to(tmp_path).as_posix() for path in import_closure(("shared.room",), tmp_path).values()}
    assert found == sources.keys() - {"shared/unused.py", "backend/never.py"}


def test_a_module_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        code_digest(("backend.nowhere",))
