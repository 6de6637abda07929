"""The pages on file formats say what the program declares."""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.make.format_tables import PAGES, class_table, with_tables
from blender_addon.client import job_file
from shared.errors import InputError
from shared.jobs.job import Job, parse_job
from shared.shot import (
    DEPTH_CHANNEL,
    JOINT_COUNT,
    PART_CHANNEL,
    U_CHANNEL,
    V_CHANNEL,
    Shot,
    ShotCamera,
    ShotCharacter,
    shot_json,
)
from tests.helpers.markdown import DOCS, table

FORMATS = DOCS / "formats"


def examples(page: str) -> list[dict[str, Any]]:
    """The JSON examples of a page."""
    text = (FORMATS / page).read_text("utf-8")
    return [json.loads(one) for one in re.findall(r"```json\n(.+?)```", text, re.DOTALL)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tables_are_what_the_command_makes(page: Path) -> None:
    text = page.read_text("utf-8")
    assert with_tables(text, PAGES[page]) == text, "run: make docs"


def test_each_page_is_in_the_index() -> None:
    index = (FORMATS / "README.md").read_text("utf-8")
    pages = {path.name for path in FORMATS.glob("*.md")} - {"README.md"}
    assert {name for name in re.findall(r"\]\(([a-z_]+\.md)\)", index)} == pages


def test_a_field_without_words_stops_the_command() -> None:
    @dataclass(frozen=True)
    class Toy:
        bricks: int = 3
        colour: str = "red"

    words = {"bricks": "how many", "colour": "of all"}
    assert "| `bricks` | whole number | `3` | how many |" in class_table(Toy, words)
    with pytest.raises(ValueError, match="differ in colour"):
        class_table(Toy, {"bricks": "how many"})
    with pytest.raises(ValueError, match="differ in weight"):
        class_table(Toy, words | {"weight": "in kg"})


def test_the_shot_files_fields_and_defaults_are_documented() -> None:
    rows = table("formats/job.md", "Shot")
    assert rows.keys() == job_file._DOCUMENT_FIELDS
    for one in dataclasses.fields(job_file._Document):
        wanted = "needed" if one.default is dataclasses.MISSING else f"`{json.dumps(one.default)}`"
        assert rows[one.name][1] == wanted, one.name
    assert rows["latentman_shot"][2].startswith(f"version of this format, {job_file.SHOT_SCHEMA};")


def test_the_settings_of_a_shot_are_documented() -> None:
    text = (FORMATS / "job.md").read_text("utf-8")
    listed = re.search(r"and no other:\n(.+?)\. Frames", text, re.DOTALL)
    assert listed is not None
    assert set(re.findall(r"`(\w+)`", listed[1])) == job_file._SETTINGS


def test_the_examples_are_read(tmp_path: Path) -> None:
    job, shot = examples("job.md")
    file = tmp_path / "shot.json"
    file.write_text(json.dumps(shot))
    read = job_file.read_job_file(file)
    assert read.blend == tmp_path / "shot.blend" and read.job.frames == (*range(1, 31), 47)
    digest = "0" * 64
    inputs = {"passes": [digest, digest], "shot": digest, "vertices": digest, "charts": digest}
    assert parse_job(json.dumps(job | {"inputs": inputs}).encode()).frames == (1, 2)
    with pytest.raises(InputError, match=r"inputs"):
        parse_job(json.dumps(job).encode())


def test_an_unknown_field_of_a_shot_is_an_error_and_one_of_a_job_is_not(tmp_path: Path) -> None:
    job, shot = examples("job.md")
    file = tmp_path / "shot.json"
    file.write_text(json.dumps(shot | {"colour": "red"}))
    with pytest.raises(InputError, match="colour"):
        job_file.read_job_file(file)
    digest = "0" * 64
    inputs = {"passes": [digest, digest], "shot": digest, "vertices": digest, "charts": digest}
    given = job | {"inputs": inputs, "colour": "red"}
    assert isinstance(parse_job(json.dumps(given).encode()), Job)


def test_the_shots_keys_are_documented() -> None:
    rows = table("formats/shot.md", "shot.json")
    assert rows.keys() == set(_keys(json.loads(shot_json(_shot()))))


def test_the_channels_are_documented() -> None:
    rows = table("formats/passes.md", "The file")
    assert list(rows) == [DEPTH_CHANNEL, PART_CHANNEL, U_CHANNEL, V_CHANNEL]


def _shot() -> Shot:
    camera = ShotCamera(np.eye(4)[None], np.eye(3)[None])
    joints = np.zeros((1, JOINT_COUNT, 3))
    character = ShotCharacter("Character", 0, 1, joints, joints[..., :2])
    return Shot(1, 24.0, 8, 8, (1,), 1.0, 2.0, camera, (character,))


def _keys(value: dict[str, Any], before: str = "") -> list[str]:
    """The keys of nested objects, with dots; those of a list's objects behind `[]`."""
    found = []
    for key, one in value.items():
        name = f"{before}{key}"
        if isinstance(one, dict):
            found += _keys(one, f"{name}.")
        elif isinstance(one, list) and one and isinstance(one[0], dict):
            found += _keys(one[0], f"{name}[].")
        else:
            found.append(name)
    return found
