"""The documents name what exists: pages and headings that are linked to, and the program's error codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([a-z]+\.[a-z_]+)`")


def text_of(page: Path) -> str:
    """A page without its blocks of code."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """The names by which a link reaches the page's headings."""
    titles = re.findall(r"^#+ +(.+?) *$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(text_of(page)):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name}: {link}"
        assert not anchor or anchor in anchors(target), f"{page.name}: {link}"


def test_the_error_codes_of_the_troubleshooting_page_are_the_programs() -> None:
    sources = "\n".join(
        path.read_text(encoding="utf-8")
        for room in ("shared", "backend", "blender_addon")
        for path in (ROOT / room).rglob("*.py")
    )
    named = set(_CODE.findall(text_of(ROOT / "docs/troubleshooting.md")))
    assert len(named) > 25
    assert sorted(code for code in named if f'"{code}"' not in sources) == []


def test_the_index_lists_every_page() -> None:
    index = text_of(ROOT / "docs/index.md")
    missing = [page.name for page in (ROOT / "docs").glob("*.md") if page.name != "index.md" and page.name not in index]
    assert missing == []
