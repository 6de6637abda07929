"""What the embedded model is judged by: the judge's bookkeeping, and the shots that steadiness is measured on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.correspondence.chart_index import chart_index
from backend.correspondence.surface import match_surface
from backend.correspondence.types import Matches
from backend.make.training.judging.figures import check_judge
from backend.make.training.judging.judge import (
    QUESTIONS,
    UNNAMED,
    Verdict,
    accuracy,
    mean_iou,
    shown_views,
    truths,
)
from backend.make.training.judging.judge_training import JudgePlan, mirror, train_judge
from backend.make.training.judging.trial_shot import Staging, TrialShot, render_trial_shot
from backend.make.training.prompts import Scene, rng_for
from backend.make.training.renders.figure import load_training_body
from backend.make.training.renders.render import SIZE, render_pair
from backend.make.training.renders.views import (
    BODY_SIDE,
    FIGURE_SIDE,
    MARGIN,
    Views,
    cut,
    figure_box,
    read_views,
    write_views,
)
from backend.make.training.training_loop import Crew
from backend.measure.judging.steadiness import Row, _figures, smoothed_over_body
from backend.measure.metrics.h_mse import h_mse
from backend.passes.shot_passes import depth_pictures
from shared.errors import InputError
from tests.helpers.synthetic_passes import all_parts

PAIRS, SEED = 3, 11
PARTS = {"right_hand": 3, "left_hand": 4}  # DensePose's numbers
SCENES = [Scene("robot", "red", "walking", "moon"), Scene("clown", None, "dancing", "stage")]


@pytest.fixture(scope="module")
def shot() -> TrialShot:
    return render_trial_shot(load_training_body(), "wave", Scene("robot", "red", "waving", "moon"), 3, 0)


@pytest.fixture(scope="module")
def views_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("views")
    assert list(write_views(folder, PAIRS, SEED, 1)) == [0, PAIRS]
    return folder


@pytest.fixture(scope="module")
def views(views_folder: Path) -> Views:
    return read_views(views_folder)


def test_an_open_colour_is_not_counted() -> None:
    right = truths(SCENES)
    assert right["colour"].tolist() == [QUESTIONS["colour"].index("red"), UNNAMED]
    wrong_place = (right["place"] + np.array([0, 1])) % len(QUESTIONS["place"])
    answers = {"character": right["character"], "colour": np.array([right["colour"][0], 5]), "place": wrong_place}
    verdict = Verdict(answers, np.zeros((2, FIGURE_SIDE, FIGURE_SIDE), bool))
    assert accuracy(verdict, right) == {"character": 1.0, "colour": 1.0, "place": 0.5, "colour_family": 1.0}


@pytest.mark.parametrize(
    ("named", "shown", "strict", "family"),
    [("grey", "white", 0.0, 1.0), ("gold", "yellow", 0.0, 1.0), ("gold", "silver", 0.0, 0.0), ("red", "red", 1.0, 1.0)],
)
def test_colours_that_differ_by_brightness_are_one_family(named: str, shown: str, strict: float, family: float) -> None:
    right = {"colour": np.array([QUESTIONS["colour"].index(named), UNNAMED])}
    answers = {"colour": np.array([QUESTIONS["colour"].index(shown), 0])}
    found = accuracy(Verdict(answers, np.zeros((2, FIGURE_SIDE, FIGURE_SIDE), bool)), right)
    assert found == {"colour": strict, "colour_family": family}


def test_the_overlap_of_masks_is_by_hand() -> None:
    figures, found = (np.zeros((1, FIGURE_SIDE, FIGURE_SIDE), bool) for _ in range(2))
    figures[0, :2, :2] = True
    found[0, 0, :4] = True  # shares 2 of 4 with the truth's 4
    assert mean_iou(Verdict({}, found), figures) == pytest.approx(2 / 6)


def test_a_box_holds_the_body_in_its_middle_and_cutting_it_out_keeps_what_is_there() -> None:
    body = np.zeros((256, 256), bool)
    body[100:140, 60:80] = True
    box = figure_box(body)
    assert box.tolist() == pytest.approx([70, 120, MARGIN * 20])
    ramp = torch.arange(256.0).expand(1, 1, 256, 256) + 0.5  # its value is x
    piece = cut(ramp, box[None], 10)
    side = 2 * MARGIN * 20 / 10
    assert piece[0, 0, 5].tolist() == pytest.approx([70 + side * (k - 4.5) for k in range(10)], abs=1e-3)
    with pytest.raises(InputError, match="no body"):
        figure_box(np.zeros((8, 8), bool))


def test_views_show_what_the_pairs_of_their_seed_show(views: Views) -> None:
    body = load_training_body()
    for row in range(PAIRS):
        pair = render_pair(body, rng_for(SEED, row))
        for frame in range(2):
            view = 2 * row + frame
            assert views.scenes[view] == pair.scene
            x, y, half = views.poses.box[view]
            for cell in ((BODY_SIDE // 2, BODY_SIDE // 2), (BODY_SIDE // 3, BODY_SIDE // 2), (0, 0)):
                down, right = (
                    int(m + ((c + 0.5) / BODY_SIDE * 2 - 1) * half // 1) for m, c in zip((y, x), cell, strict=True)
                )
                inside = 0 <= down < SIZE and 0 <= right < SIZE
                expected = pair.bare_part[frame, down, right] if inside else 0
                assert views.poses.part[view][cell] == expected
            assert np.array_equal(pair.bare_part[frame] > 0, np.isfinite(pair.depth_m[frame]))
            shares = views.poses.figure[view].mean() * (2 * half) ** 2, pair.figure[frame].sum()
            assert shares[0] == pytest.approx(shares[1], rel=0.05)


@pytest.mark.slow
def test_a_judge_learns_what_it_is_shown_and_is_read_back(views: Views, views_folder: Path, tmp_path: Path) -> None:
    plan = JudgePlan(steps=40, batch=2 * PAIRS, log_every=1, save_every=30)
    judge = train_judge(Crew(0, 1, torch.device("cpu")), views_folder, tmp_path, plan)
    losses = [json.loads(line)["loss"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert losses[-1] < 0.2 * losses[0]
    body = load_training_body()
    pictures = np.concatenate([render_pair(body, rng_for(SEED, row)).rgb for row in range(PAIRS)])
    verdict = judge.look_at(pictures, views.poses)
    assert {name: found.shape for name, found in verdict.answers.items()} == dict.fromkeys(QUESTIONS, (2 * PAIRS,))
    found = check_judge(judge, views)
    assert found["judge_pictures"] == views.seen.sum() and found["judge_character"] == 1.0
    assert found["judge_mask_iou"] == pytest.approx(mean_iou(verdict, views.poses.figure), abs=5e-5)
    (tmp_path / "judge.pt").unlink()
    for judge in (
        train_judge(Crew(0, 1, torch.device("cpu")), views_folder, tmp_path, plan),  # on from the checkpoint
        train_judge(Crew(0, 1, torch.device("cpu")), views_folder, tmp_path, plan),  # read back
    ):
        again = judge.look_at(pictures, views.poses)
        assert all(np.array_equal(again.answers[name], verdict.answers[name]) for name in QUESTIONS)
        assert np.array_equal(again.mask, verdict.mask)
    steps = [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert steps == [*range(1, 41), *range(31, 41)]


def test_a_mirrored_view_is_that_of_the_mirrored_body(views: Views) -> None:
    pose = views.poses
    shown = shown_views(views.close, views.whole, pose.part, pose.rest)
    masks, which = torch.from_numpy(pose.figure).float(), torch.tensor([True, False] * PAIRS)
    mirrored, turned = mirror(shown, masks, which)
    assert torch.equal(mirrored.close[1::2], shown.close[1::2]) and torch.equal(turned[1::2], masks[1::2])
    assert torch.equal(mirrored.close[::2], shown.close[::2].flip(-1))
    assert torch.equal(turned[::2], masks[::2].flip(-1))
    body = mirrored.part[::2] > 0
    assert torch.equal(body, (shown.part[::2] > 0).flip(-1))
    # A left hand becomes a right one, and what lies left of the T-posed body's middle lies right of it.
    left, right = PARTS["left_hand"], PARTS["right_hand"]
    assert torch.equal(mirrored.part[::2] == left, (shown.part[::2] == right).flip(-1))
    side = [part.sign() for part in (mirrored.rest[::2, 0], shown.rest[::2, 0].flip(-1))]
    assert torch.equal(side[0], -side[1]) and bool((side[0] != 0).any())
    back, masks_back = mirror(mirrored, turned, which)
    assert torch.equal(back.part, shown.part) and torch.equal(back.rest, shown.rest) and torch.equal(masks_back, masks)


def test_a_trial_shot_says_what_it_shows_and_fits_its_passes(shot: TrialShot) -> None:
    assert shot.prompt == "a red robot waving on the moon"
    depth = depth_pictures(shot.passes, shot.passes.positions)
    assert depth.shape == shot.renders.shape[:3] and depth.max() == 1.0
    index = chart_index(shot.passes.charts)
    matches = [match_surface(shot.passes, index, frame, frame - 1, 256, 256) for frame in (1, 2)]
    assert min(map(len, matches)) > 0.5 * (shot.passes.frame(0).part > 0).sum()
    followed = h_mse(shot.renders, matches).mean
    swapped = h_mse(shot.renders[::-1], [matches[1], matches[0]]).mean  # the same matches on the wrong frames
    assert followed is not None and swapped is not None and followed < swapped


def test_a_shot_may_turn_the_body_or_move_the_camera(shot: TrialShot) -> None:
    scene = Scene("robot", "red", "waving", "moon")
    turned, circled = (
        render_trial_shot(load_training_body(), "wave", scene, 3, 0, staging)
        for staging in (Staging(turn=60.0), Staging(orbit=60.0))
    )
    # The middle frame is as it was; by 30 degrees a frame the body has turned, or the camera gone round it.
    cosine, sine = np.cos(np.pi / 6), np.sin(np.pi / 6)
    there = shot.passes.vertices[2]
    expected = np.stack([cosine * there[:, 0] + sine * there[:, 2], -sine * there[:, 0] + cosine * there[:, 2]], axis=1)
    assert turned.passes.vertices[2][:, [0, 2]] == pytest.approx(expected, abs=1e-4)
    assert turned.passes.vertices[1] == pytest.approx(shot.passes.vertices[1])
    assert circled.passes.vertices == pytest.approx(shot.passes.vertices)
    forward = circled.passes.shot.camera.world_to_camera[:, 2, :3]
    assert [forward[k] @ forward[k + 1] for k in range(2)] == pytest.approx([cosine, cosine], abs=0.01)
    for one in (turned, circled):
        index = chart_index(one.passes.charts)
        still = match_surface(one.passes, index, 1, 0, SIZE, SIZE)
        assert len(still) > 1000
        part = all_parts(one.passes).reshape(3, -1)
        assert (part[1, still.current] == part[0, still.reference]).mean() > 0.95
        body = all_parts(one.passes) > 0
        assert one.figure.shape == body.shape and (one.figure | ~body).mean() > 0.99


def test_steadiness_has_the_background_beside_the_body(shot: TrialShot) -> None:
    """Frames that grow brighter by 3 levels off the body change by 9 there; the body's figures stay as they are."""
    lags: tuple[list[Matches], list[Matches]] = (
        [match_surface(shot.passes, chart_index(shot.passes.charts), k, k - 1, 256, 256) for k in (1, 2)],
        [],
    )
    off_body = (all_parts(shot.passes) == 0)[..., None]
    still = np.where(off_body, np.uint8(100), shot.renders)
    lit = np.where(off_body, (100 + 3 * np.arange(3, dtype=np.uint8))[:, None, None, None], shot.renders)
    before, after = (Row("renders", *_figures(pictures, shot.passes, lags)) for pictures in (still, lit))
    assert (before.background, after.background) == (0, 9)
    assert (after.lag_1, after.look_1, after.sharpness) == (before.lag_1, before.look_1, before.sharpness)


def test_smoothing_over_the_body_takes_nothing_from_outside_and_averages_inside() -> None:
    rng = np.random.default_rng(2)
    part = np.zeros((1, 24, 20), np.uint8)
    part[0, 6:18, 5:16] = rng.integers(1, 25, (12, 11))
    picture = rng.integers(0, 256, (1, 24, 20, 3)).astype(np.uint8)
    smooth = smoothed_over_body(picture, part, 1.5)[0]
    inside = part[0] > 0
    assert (smooth[~inside] == 0).all()
    rows, columns = np.nonzero(inside)
    for row, column in ((6, 5), (11, 9), (17, 15)):
        weights = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * 1.5**2))
        expected = (weights[:, None] * picture[0, rows, columns]).sum(0) / weights.sum()
        np.testing.assert_allclose(smooth[row, column], expected, atol=0.5)  # SciPy's window ends at 4 sigma

    plain = np.where(inside[None, ..., None], np.uint8(77), picture)
    np.testing.assert_allclose(smoothed_over_body(plain, part, 1.5)[0][inside], 77)
