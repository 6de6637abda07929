"""The page of the methods is what the command makes of the declarations."""

from __future__ import annotations

import dataclasses

from backend.make.method_tables import PAGE, page
from shared.methods import METHODS
from shared.methods.setting import declared
from tests.helpers.toy_method import TOY


def test_the_page_is_what_the_command_makes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(METHODS.values()), "run: make docs"


def test_each_setting_has_a_row() -> None:
    text = page(METHODS.values())
    for method in METHODS.values():
        assert f"| `{method.name}` | {method.label} | {method.description} |" in text
        assert all(f"\n| `{name}` | " in text for name in declared(method.settings))


def test_a_new_method_is_in_it_with_all_that_it_declares() -> None:
    text = page((*METHODS.values(), TOY))
    assert "| `toy` | Toy | Frames are made of bricks | depth, body parts | its own segment; an" in text
    assert "## Settings of Toy" in text
    assert "| `guide_strength` | Toy strength | 2 | 0 to 8 bricks | How strongly the toy pulls. |" in text
    assert (
        "| `colour` | Toy colour | `red` | `red`, `blue` | What the toy looks like. `red`: As a fire engine. |" in text
    )
    assert "| `toy_blue` | Blue toy | A blue one | 5 | `colour` `blue` |" in text
    assert "## Settings of Plain" not in page([dataclasses.replace(METHODS["per_frame"], label="Plain")])
