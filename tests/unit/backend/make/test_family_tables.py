"""The manual's tables of model families: as committed, and with one more family."""

from __future__ import annotations

import pytest

from backend.make.family_tables import PAGE, with_tables
from shared.models.sd15 import SD15
from tests.helpers.toy_family import TOY


def test_the_page_is_what_the_declarations_make() -> None:
    page = PAGE.read_text("utf-8")
    assert with_tables(page) == page


def test_one_more_family_is_in_the_tables() -> None:
    page = PAGE.read_text("utf-8")
    more = with_tables(page, (SD15, TOY))
    added = set(more.splitlines()) - set(page.splitlines())
    assert "| toy guide | `--controlnet PLACE`, `controlnet` | a folder, or one file of `guide.` weights |" in added
    assert any(
        line.startswith("| `network/` | network | plays | `ToyNetwork` | `config.json` | yes; ") for line in added
    )
    assert any(
        "latents with 3 channels, one cell for 2x2 pixels" in line and "`guide/` with skeleton pictures" in line
        for line in added
    )
    assert with_tables(more) == page


def test_a_page_without_its_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="made: parts"):
        with_tables(PAGE.read_text("utf-8").replace("<!-- end: parts -->", ""))
