"""Every panel, drawn into a real layout: what an animator reads and which buttons there are."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def drawn(*scenario: str) -> tuple[list[str], set[str]]:
    """The texts of all panels in order, and the operators of their buttons, as a module of the tests draws them."""
    command = [sys.executable, "-m", *scenario]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr[-2000:]
    assert "not found" not in done.stderr, done.stderr[-2000:]  # a property that is not there is only printed
    line = next(line for line in done.stdout.splitlines() if line.startswith("DRAWN "))
    items = list(_items(json.loads(line.removeprefix("DRAWN "))))
    texts = [item["draw_string"] for item in items if item.get("draw_string")]
    return texts, {item["operator"].split("(")[0] for item in items if item.get("operator")}


def _items(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for one in value:
            yield from _items(one)
    elif "items" in value:
        yield from _items(value["items"])
    else:
        yield value


def test_an_empty_scene_shows_where_to_begin() -> None:
    texts, operators = drawn("tests.blender.draw_panels", "empty")
    assert "Not running" in texts
    assert {"bpy.ops.latentman.import_motion", "bpy.ops.latentman.generate"} <= operators
    assert "bpy.ops.latentman.clear_error" not in operators


def test_a_full_scene_shows_facts_changes_takes_and_what_mends_the_error() -> None:
    texts, operators = drawn("tests.blender.draw_panels", "full")
    whole = " ".join(texts)
    assert "walk_smpl_params.npy, 20 fps" in whole and "Frames 1 to 106: 106 frames, 4.4 s" in whole
    assert "Plant Feet, strength 0.50" in texts and "Feet go up to 20 cm below the floor; Put on Floor helps" in whole
    repairing = ("plant_feet", "smooth_motion", "put_on_floor", "remove_repair", "next_problem", "show_problems")
    assert {f"bpy.ops.latentman.{name}" for name in repairing} <= operators
    assert "Steps: 7 (preset: 20)" in texts
    assert {"Lock:", "Background:", "Upscale:"} <= set(texts)
    assert "Prompts at frames 1, 30" in texts
    assert "The backend ended with code -9." in texts
    assert texts.index("take-002 latentman") < texts.index("take-001 latentman")
    assert "Seed 7, 7 steps, channel 2" in texts
    assert texts.count("A plate was taken.") == 1
    assert texts.index("take-002 latentman") < texts.index("A plate was taken.") < texts.index("take-001 latentman")
    assert "The view shows 1280 x 720, the pictures are 256 x 256" in whole
    wanted = ("start_backend", "show_log", "doctor", "clear_error", "show_take", "redo_take", "take_background")
    of_takes = ("use_picture_size", "resume", "delete_take", "save_video")
    assert {f"bpy.ops.latentman.{name}" for name in (*wanted, *of_takes)} <= operators
    assert texts.index("take-003, not readable") < texts.index("take-002 latentman")


def test_what_hides_the_character_is_a_warning_with_its_buttons() -> None:
    texts, operators = drawn("tests.blender.draw_panels", "hidden")
    assert re.search(r"Cube hides \d+ % of the character", " ".join(texts))
    assert texts.count("Leave Out") == 1 and {"Left out: wall", "Kept: chair"} <= set(texts)
    assert "Also in the picture: chair" in texts
    assert {f"bpy.ops.latentman.{name}" for name in ("leave_out", "keep_in_picture", "take_back")} <= operators


def test_a_new_method_has_its_fields_in_the_panel_by_its_declaration() -> None:
    texts, _ = drawn("tests.blender.draw_toy_method")
    assert {"Toy strength: 2.00", "Toy colour:"} <= set(texts) and "Guide by:" not in texts
    assert "Method: Toy (preset: LatentMan)" in texts and "Steps: 5 (preset: 25)" in texts


def test_an_armature_shows_the_button_and_the_table_of_its_bones() -> None:
    texts, operators = drawn("tests.blender.draw_panels", "armature")
    assert "From Armature: Armature" in texts
    assert {"Pelvis:", "Left Hip:", "Spine 1:", "Right Hand:"} <= set(texts)
    assert any(text.startswith("Armature: ") and text.endswith(" of 24 joints") for text in texts)
    names = ("motion_from_armature", "guess_bones", "save_bone_map", "load_bone_map")
    assert {f"bpy.ops.latentman.{name}" for name in names} <= operators
