"""The bar: it starts at 0, ends at 1, and every kind of progress moves it on."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from blender_addon.client.progress import GenerateProgress, GenerateState, duration_text
from shared.protocol.stages import STAGES

ROOT = Path(__file__).resolve().parents[3]

BASE = GenerateProgress(GenerateState.GENERATING, frames=8, methods=2, segment_frames=4, passes_done=8)


def test_it_starts_at_nothing_and_ends_at_all() -> None:
    start = GenerateProgress(GenerateState.RENDERING, frames=8, methods=2)
    assert start.estimate() == 0.0
    assert replace(BASE, state=GenerateState.DONE).estimate() == 1.0
    assert replace(BASE, methods_done=2).estimate() == pytest.approx(1.0)


@pytest.mark.parametrize(
    "further",
    [
        {"stage": "sampling", "step": 1, "steps": 20},
        {"stage": "decoding", "step": 20, "steps": 20, "frame": 1},
        {"methods_done": 1},
    ],
)
def test_each_kind_of_progress_moves_it_on(further: dict[str, Any]) -> None:
    assert BASE.estimate() < replace(BASE, **further).estimate() < 1.0


def test_a_whole_segment_of_sampling_counts_less_than_its_finished_frames() -> None:
    sampled = replace(BASE, stage="sampling", step=20, steps=20)
    assert sampled.estimate() < replace(BASE, frame=4).estimate()


def test_what_a_cancel_keeps_are_the_frames_of_whole_segments() -> None:
    assert BASE.kept == "Cancel now keeps 0 of 8 frames"
    assert replace(BASE, frame=6).kept == "Cancel now keeps 4 of 8 frames"
    assert replace(BASE, frame=8).kept == "Cancel now keeps 8 of 8 frames"
    assert replace(BASE, segment_frames=8, frame=3).kept == "Cancel now keeps 0 of 8 frames: the shot is one segment"


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (
            {"stage": "sampling", "step": 3, "steps": 20, "frame": 4, "seconds_left": 61.4},
            "Denoising, step 3 of 20, frames 5 to 8 of 8, about 61 s left",
        ),
        ({"stage": "sampling", "step": 1, "steps": 20, "frame": 7}, "Denoising, step 1 of 20, frame 8 of 8"),
        (
            {"stage": "correspondence", "step": 2, "steps": 7, "seconds_left": 150.0},
            "Matching the frames, pair 2 of 7, frames 1 to 4 of 8, about 2 min left",
        ),
        ({"stage": "decoding", "step": 20, "steps": 20, "frame": 2}, "Decoding, frame 3 of 8"),
        ({"stage": "decoding", "step": 20, "steps": 20, "frame": 8}, "Decoding"),
        ({"stage": "loading", "steps": 20}, "Loading the model"),
        ({"stage": "of_tomorrow", "step": 1, "steps": 2}, "Of_tomorrow, step 1 of 2, frame 1 of 8"),
        ({}, "Waiting for the backend"),
        ({"methods": 2, "stage": "loading"}, "LatentMan: Loading the model"),
        ({"state": GenerateState.CANCELLING}, "Cancelling"),
        ({"state": GenerateState.RENDERING, "passes_kept": 3}, "Rendering passes, frame 8 of 8, 3 unchanged"),
    ],
)
def test_the_text_says_in_words_what_is_done_to_which_frames(shown: dict[str, Any], text: str) -> None:
    assert replace(BASE, **{"methods": 1, "method": "latentman", **shown}).text == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (119.0, "119 s"), (120.0, "2 min"), (7100.0, "118 min"), (9000.0, "2.5 h")]
)
def test_a_duration_is_said_in_the_unit_that_people_use(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_each_stage_that_the_backend_reports_has_its_words() -> None:
    reported = set()
    for path in (ROOT / "backend").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name in ("Progress", "on_frame"):
                    reported.add(node.args[0].value)
    assert reported == set(STAGES)
