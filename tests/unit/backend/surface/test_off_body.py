"""Whether there is a plate: words, the camera, what is asked for, and what a plate would cut."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from backend.surface.beside import REACH
from backend.surface.off_body import (
    EDGE,
    MOST_CUT,
    STANDING_OFF,
    BackgroundChoice,
    chosen_background,
    cut_share,
    named_off_body,
)
from shared.shot import Shot, ShotCamera
from tests.helpers.clips import sliding_square
from tests.helpers.hatted_head import FRAMES, SIZE, around, hat


def shot() -> Shot:
    return sliding_square(3).shot


def moving(*, lens: bool = False, by: float = 0.01) -> Shot:
    """The shot with a camera that moves or zooms a little at its last frame."""
    camera = shot().camera
    matrices, intrinsics = camera.world_to_camera.copy(), camera.intrinsics.copy()
    if lens:
        intrinsics[-1, 0, 0] *= 1 + by
    else:
        matrices[-1, 0, 3] += by
    return dataclasses.replace(shot(), camera=ShotCamera(matrices, intrinsics))


@pytest.mark.parametrize(
    ("prompt", "word"),
    [
        ("a knight in a red Cape, on the moon", "cape"),
        ("two scarves and a scarf", "scarves"),
        ("an angel with WINGS", "wings"),
        ("a samurai with swords drawn", "swords"),
        ("a girl with torches and brooms", "brooms"),
        ("a woman in dresses", "dresses"),
    ],
)
def test_what_stands_off_the_body_is_found_in_prompts(prompt: str, word: str) -> None:
    assert named_off_body([prompt]) == word
    assert named_off_body(["a robot", prompt, "a king in a robe"]) == word


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "a robot dancing",
        "a wizard with a pointed hat",
        "a man who escapes",
        "long hair",
        "a landscape",
        "bunny",
        "a helmet",
    ],
)
def test_what_is_no_reason_is_not_found(prompt: str) -> None:
    """A hat stays beside the head and is kept by `beside`; a word inside another is no word."""
    assert named_off_body([prompt]) is None


def test_words_are_lower_case_and_told_once() -> None:
    assert len(set(STANDING_OFF)) == len(STANDING_OFF)
    assert all(word.isalpha() and word.islower() for word in STANDING_OFF)


def test_a_camera_that_moves_or_zooms_does_not_stand_still() -> None:
    assert shot().camera.stands_still()
    assert not moving().camera.stands_still()
    assert not moving(lens=True).camera.stands_still()
    assert moving(by=1e-8).camera.stands_still()


@pytest.mark.parametrize(
    ("wish", "prompt", "still", "choice"),
    [
        ("keep", "a robot", True, BackgroundChoice.ASKED_KEEP),
        ("keep", "a cape", False, BackgroundChoice.ASKED_KEEP),
        ("plate", "a cape", True, BackgroundChoice.ASKED_PLATE),
        ("plate", "a robot", False, BackgroundChoice.MOVING_CAMERA),
        ("auto", "a robot", True, BackgroundChoice.PLATE),
        ("auto", "a cape", True, BackgroundChoice.NAMED),
        ("auto", "a robot", False, BackgroundChoice.MOVING_CAMERA),
    ],
)
def test_the_choice_by_wish_words_and_camera(wish: str, prompt: str, still: bool, choice: BackgroundChoice) -> None:
    found = chosen_background(wish, [prompt], still)
    assert found is choice
    assert found.plate == (choice in (BackgroundChoice.ASKED_PLATE, BackgroundChoice.PLATE))


def test_each_choice_has_a_sentence_of_its_own() -> None:
    sentences = [choice.sentence(["a hero with a cape"]) for choice in BackgroundChoice]
    assert len(set(sentences)) == len(BackgroundChoice)
    assert all(sentence.startswith("Background: ") and sentence.endswith(".") for sentence in sentences)
    assert "cape" in BackgroundChoice.NAMED.sentence(["a hero with a cape"])
    assert [BackgroundChoice(number) for number in range(len(BackgroundChoice))] == list(BackgroundChoice)


def test_the_cut_share_is_that_of_the_rings_outer_edge() -> None:
    nothing = [np.zeros(SIZE, np.float32)] * FRAMES
    assert cut_share(nothing, around()) == 0
    reach = REACH * SIZE[0]
    edges = [(ring.distance_px > EDGE * reach) & (ring.distance_px <= reach) for ring in around()]
    assert cut_share([edge.astype(np.float32) for edge in edges], around()) == pytest.approx(1)
    half = [np.full(SIZE, 0.5, np.float32), *nothing[1:]]
    wanted = 0.5 * edges[0].sum() / sum(edge.sum() for edge in edges)
    assert cut_share(half, around()) == pytest.approx(wanted, rel=1e-5)
    inside = [(ring.distance_px <= EDGE * reach).astype(np.float32) for ring in around()]
    assert cut_share(inside, around()) == 0


def test_a_hat_is_not_cut() -> None:
    assert cut_share([hat(frame).astype(np.float32) for frame in range(FRAMES)], around()) < MOST_CUT


def test_no_body_means_nothing_is_cut() -> None:
    far = [dataclasses.replace(ring, distance_px=np.full(SIZE, 200, np.float32)) for ring in around()]
    assert cut_share([np.ones(SIZE, np.float32)] * FRAMES, far) == 0
