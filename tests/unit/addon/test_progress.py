"""The bar: it starts at 0, ends at 1, and every kind of progress moves it on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from blender_addon.client.progress import GenerateProgress, GenerateState

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


def test_the_text_names_method_stage_step_and_frame() -> None:
    shown = replace(BASE, method="latentman", stage="sampling", step=3, steps=20, frame=4, seconds_left=61.4)
    assert shown.text == "latentman: sampling, step 3 of 20, frame 4 of 8, 61 s left"
    assert replace(BASE, state=GenerateState.CANCELLING).text == "Cancelling"


def test_what_a_cancel_keeps_are_the_frames_of_whole_segments() -> None:
    assert BASE.kept == "Cancel now keeps 0 of 8 frames"
    assert replace(BASE, frame=6).kept == "Cancel now keeps 4 of 8 frames"
    assert replace(BASE, frame=8).kept == "Cancel now keeps 8 of 8 frames"
    assert replace(BASE, segment_frames=8, frame=3).kept == "Cancel now keeps 0 of 8 frames: the shot is one segment"
