"""The bar on the timeline: which frames have which colour, where they are drawn, and that it is taken away again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import blender_addon
from blender_addon.look import check_bar
from blender_addon.look.check_bar import Bar, bars_of, corners_of
from blender_addon.rig.stack.problem_frames import Problems
from shared.motion.checks import Found, check_named
from tests.blender.scenes import empty_scene, operators


@pytest.fixture
def scene() -> Iterator[Any]:
    made = empty_scene()
    blender_addon.register()
    yield made
    blender_addon.unregister()


def found(name: str, values: list[float]) -> Found:
    check = check_named(name)
    assert check is not None
    return Found(check, np.array(values))


def test_a_frame_has_the_colour_of_its_worst_problem() -> None:
    slide = found("foot_slide", [0, 0, 20, 20, 40, 0, 0])  # the threshold is 15
    floor = found("below_floor", [0, 0, 0, 7, 0, 0, 4])  # 3
    bars = list(bars_of(Problems(11, (slide, floor))))
    assert [(bar.first, bar.last) for bar in bars] == [(13, 13), (14, 15), (17, 17)]
    assert bars[0].colour == bars[2].colour != bars[1].colour


def test_joints_outside_the_picture_are_yellow_however_many() -> None:
    bars = list(bars_of(Problems(1, (found("out_of_picture", [0, 1, 24]),))))
    assert [(bar.first, bar.last) for bar in bars] == [(2, 3)]


def test_nothing_found_draws_nothing() -> None:
    assert list(bars_of(Problems(1, ()))) == [] and list(bars_of(Problems(1, (found("jitter", [0, 0]),)))) == []


def test_a_bar_covers_its_frames_and_is_seen_where_a_frame_is_less_than_a_pixel() -> None:
    wide = corners_of(Bar(10, 12, (1, 1, 1, 1)), lambda frame: 10 * frame, top=50, height=6)
    assert min(x for x, _ in wide) == 95 and max(x for x, _ in wide) == 125
    assert {y for _, y in wide} == {44, 50} and len(wide) == 6
    narrow = corners_of(Bar(10, 10, (1, 1, 1, 1)), lambda frame: 0.01 * frame, top=50, height=6)
    assert max(x for x, _ in narrow) - min(x for x, _ in narrow) == pytest.approx(1.5)


def test_the_bar_is_switched_on_and_off_and_goes_with_the_add_on(scene: Any) -> None:
    assert not check_bar.bar_is_shown()  # the background has no timeline
    assert operators.latentman.show_problems() == {"FINISHED"} and check_bar.bar_is_shown()
    assert operators.latentman.show_problems() == {"FINISHED"} and not check_bar.bar_is_shown()
    check_bar.show_bar()
    check_bar.show_bar()
    check_bar.unregister()
    assert not check_bar.bar_is_shown()
    check_bar.unregister()
