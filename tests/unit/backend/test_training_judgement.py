"""What the embedded model is judged by: the judge's bookkeeping, and the shots that steadiness is measured on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from backend.correspondence.chart_index import chart_index
from backend.correspondence.surface import match_surface
from backend.metrics.h_mse import h_mse
from backend.passes import depth_pictures
from backend.training.figure import load_training_body
from backend.training.judge import (
    MARGIN,
    MASK_SIDE,
    QUESTIONS,
    UNNAMED,
    Judge,
    Verdict,
    accuracy,
    body_mask,
    cut,
    figure_boxes,
    mean_iou,
    truths,
)
from backend.training.prompts import Scene
from backend.training.trial_shot import TrialShot, render_trial_shot
from shared.errors import InputError

SCENES = [Scene("robot", "red", "walking", "moon"), Scene("clown", None, "dancing", "stage")]


@pytest.fixture(scope="module")
def shot() -> TrialShot:
    return render_trial_shot(load_training_body(), "wave", Scene("robot", "red", "waving", "moon"), 3, 0)


def test_an_open_colour_is_not_counted() -> None:
    right = truths(SCENES)
    assert right["colour"].tolist() == [QUESTIONS["colour"].index("red"), UNNAMED]
    wrong_place = (right["place"] + np.array([0, 1])) % len(QUESTIONS["place"])
    answers = {"character": right["character"], "colour": np.array([right["colour"][0], 5]), "place": wrong_place}
    verdict = Verdict(answers, np.zeros((2, MASK_SIDE, MASK_SIDE), bool))
    assert accuracy(verdict, right) == {"character": 1.0, "colour": 1.0, "place": 0.5}


def test_masks_are_cells_half_covered_and_their_overlap_is_by_hand() -> None:
    depth = np.zeros((1, 256, 256), np.uint16)
    depth[0, :8, :6] = 1  # two rows of cells: one whole column, half of the next
    cells = body_mask(depth, np.array([[128, 128, 128]], np.float32))  # the whole picture
    assert cells[0, :2, :3] == pytest.approx(np.array([[1.0, 0.5, 0.0]] * 2))
    found = np.zeros((1, MASK_SIDE, MASK_SIDE), bool)
    found[0, 0, :4] = True  # shares 2 of 4 with the truth's 4
    assert mean_iou(Verdict({}, found), cells) == pytest.approx(2 / 6)


def test_a_box_holds_the_body_in_its_middle_and_cutting_it_out_keeps_what_is_there() -> None:
    depth = np.zeros((1, 256, 256), np.uint16)
    depth[0, 100:140, 60:80] = 1
    boxes = figure_boxes(depth)
    assert boxes[0].tolist() == pytest.approx([70, 120, MARGIN * 20])
    ramp = torch.arange(256.0).expand(1, 1, 256, 256) + 0.5  # its value is x
    piece = cut(ramp, boxes, 10)
    side = 2 * MARGIN * 20 / 10
    assert piece[0, 0, 5].tolist() == pytest.approx([70 + side * (k - 4.5) for k in range(10)], abs=1e-3)
    with pytest.raises(InputError, match="no body"):
        figure_boxes(np.zeros((1, 8, 8), np.uint16))


def test_an_untrained_judge_answers_every_question() -> None:
    boxes = np.array([[128, 128, 100]] * 2, np.float32)
    verdict = Judge().eval().look(np.zeros((2, 256, 256, 3), np.uint8), boxes)
    assert {name: found.shape for name, found in verdict.answers.items()} == dict.fromkeys(QUESTIONS, (2,))
    assert verdict.mask.shape == (2, MASK_SIDE, MASK_SIDE)


def test_a_trial_shot_says_what_it_shows_and_fits_its_passes(shot: TrialShot) -> None:
    assert shot.prompt == "a red robot waving on the moon"
    depth = depth_pictures(shot.passes)
    assert depth.shape == shot.renders.shape[:3] and depth.max() == 1.0
    index = chart_index(shot.passes.charts)
    matches = [match_surface(shot.passes, index, frame, frame - 1, 256, 256) for frame in (1, 2)]
    assert min(map(len, matches)) > 0.5 * (shot.passes.part[0] > 0).sum()
    followed = h_mse(shot.renders, matches).mean
    swapped = h_mse(shot.renders[::-1], [matches[1], matches[0]]).mean  # the same matches on the wrong frames
    assert followed is not None and swapped is not None and followed < swapped
