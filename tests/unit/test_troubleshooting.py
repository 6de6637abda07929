"""The troubleshooting page names errors that the program raises, each once."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.helpers.markdown import DOCS

ROOT = DOCS.parent
PAGE = DOCS / "troubleshooting.md"
_CODE_CELL = re.compile(r"^\|.+?\| `([a-z_.]+)` \|", re.MULTILINE)


@cache
def raised_codes() -> frozenset[str]:
    """The codes of all errors in the sources: first arguments of calls that say a sentence behind them."""
    return frozenset(code for folder in ("shared", "backend", "blender_addon") for code in _codes_in(ROOT / folder))


def _codes_in(folder: Path) -> Iterator[str]:
    for source in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(node, ast.Call) and len(node.args) > 1 and _makes_an_error(node.func):
                code = node.args[0]
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    yield code.value


def _makes_an_error(function: ast.expr) -> bool:
    """Whether a call's function is an error's class, or one of the readers' that make one for a file."""
    name = ast.unparse(function).rpartition(".")[2]
    return name.endswith("Error") or name in ("error", "fault")


CODES = _CODE_CELL.findall(PAGE.read_text("utf-8"))


@pytest.mark.parametrize("code", CODES)
def test_an_error_of_the_page_is_raised(code: str) -> None:
    assert code in raised_codes()


def test_the_page_explains_each_error_once() -> None:
    assert len(CODES) >= 25
    assert len(set(CODES)) == len(CODES)


def test_a_code_that_no_error_has_is_found() -> None:
    assert "motion.not_finite" in raised_codes()
    assert "motion.no_such_error" not in raised_codes()
