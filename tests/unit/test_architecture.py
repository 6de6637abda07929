"""The page and the picture of the architecture name what is there."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from backend.contract.engine import Engine
from backend.loop.method import Parts
from backend.make.architecture_picture import PICTURE, PROCESSES, digest, drawn_digest
from tests.helpers.markdown import DOCS, table
from tests.unit.test_import_order import ORDERS

ROOT = Path(__file__).resolve().parents[2]
PAGE = DOCS / "architecture.md"


def test_the_picture_is_drawn_from_the_tables() -> None:
    assert drawn_digest(PICTURE.read_text("utf-8")) == digest(), "run: make docs"


def test_a_picture_without_a_digest_is_not_current() -> None:
    assert drawn_digest("<svg></svg>") == ""


def test_the_pictures_rooms_exist() -> None:
    rooms = [folder for process in PROCESSES for room in process.rooms for folder in room.folders]
    assert len(rooms) > 10
    assert [folder for folder in rooms if not (ROOT / folder).is_dir()] == []


@pytest.mark.parametrize("side", ORDERS)
def test_each_room_is_in_its_table(side: str) -> None:
    text = PAGE.read_text("utf-8")
    (rows,) = re.findall(rf"^\| `{side}/` \|.*\n\|.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    named = {name.rstrip("/") for name in re.findall(r"`([\w/]+)`", rows)}
    rooms = {room for level in ORDERS[side] for room in level} - {"shared", "__init__", "__main__"}
    assert rooms - named == set()


def test_paths_on_the_page_exist() -> None:
    named = re.findall(r"`((?:shared|backend|blender_addon|tests)/[\w/.]+)`", PAGE.read_text("utf-8"))
    assert len(named) > 25
    assert [name for name in named if "NAME" not in name and not (ROOT / name).exists()] == []


def test_a_methods_parts_and_an_engines_calls_are_on_the_page() -> None:
    text = PAGE.read_text("utf-8")
    for part in dataclasses.fields(Parts):
        assert f"| `Parts.{part.name}` |" in text
    calls = {name for name in vars(Engine) if not name.startswith("_")}
    assert {name.split("(")[0] for name in table("architecture.md", "From a job to frames")} == calls
