"""Training clips of the motion model, its training and its export, at a small size."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.make.motion.library.action import SPEEDS, Variation
from backend.make.motion.library.clip import make_clip
from backend.make.motion.library.table import ACTIONS, BY_ACTION
from backend.make.motion.training.clips import ClipSet, ClipStore, clip_features, write_clips
from backend.make.motion.training.export import export_motion
from backend.make.motion.training.judge import JudgePlan, load_judge, save_judge, train_judge
from backend.make.motion.training.losses import Weights, losses, world_ways
from backend.make.motion.training.mirror import mirrored
from backend.make.motion.training.plans import draw_plan, held_out
from backend.make.motion.training.statistics import KINDS, statistics_of
from backend.make.motion.training.train import MotionPlan, train_motion
from backend.make.training.training_loop import Budget, Crew
from backend.motion.embedded.model import open_embedded
from backend.motion.generate import make_motion
from backend.motion.timing import timed
from shared.motion.humanml.decode import decode
from shared.motion.humanml.encode import encode
from shared.motion.humanml.facing import turn_about_y
from shared.motion.humanml.layout import FEATURE_COUNT, PLACES, STEP, TURN
from shared.motion.skeleton import JOINT_INDEX, JOINT_NAMES

TINY = MotionPlan(Budget(5.0, 4), batch=3, width=16, layers=1, heads=2, feedforward=16, save_every=2, check_every=3)
CREW = Crew(0, 1, torch.device("cpu"))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    list(write_clips(folder / "clips", ClipSet(len(ACTIONS), 1), 1))
    list(write_clips(folder / "held_out", ClipSet(4, 2, only_held_out=True), 1))
    return folder


def test_training_never_draws_a_held_out_combination() -> None:
    random = np.random.default_rng(0)
    plans = [draw_plan(random, action) for action in ACTIONS for _ in range(20)]
    assert not [p for p in plans if held_out(p.action, p.variation.style, p.variation.speed)]


def test_some_combinations_are_held_out_at_high_speeds_alone() -> None:
    pairs = [(action.name, style) for action in ACTIONS for style in action.styles]
    share = np.mean([held_out(*pair, SPEEDS[1]) for pair in pairs])
    assert 0.1 < share < 0.25
    assert not any(held_out(*pair, 1.0) for pair in pairs)


def test_a_clip_is_the_same_whenever_it_is_made() -> None:
    content = ClipSet(100, 7)
    first, second = clip_features(content, 3), clip_features(content, 3)
    assert first[0] == second[0]
    np.testing.assert_array_equal(first[1], second[1])


def test_a_clip_may_begin_with_the_end_of_another_action() -> None:
    content = ClipSet(100, 7)
    plans = [clip_features(content, number)[0] for number in range(30)]
    assert any(plan.before for plan in plans)
    assert all(BY_ACTION[p.before].end == BY_ACTION[p.action].start for p in plans if p.before)


def test_features_mirrored_are_those_of_the_mirrored_motion() -> None:
    joints = make_clip(BY_ACTION["wave"], Variation(seed=3)).joints
    other = {"left": "right", "right": "left"}
    swapped = [
        JOINT_INDEX[f"{other[name.split('_')[0]]}_{name.partition('_')[2]}"] if "_" in name else JOINT_INDEX[name]
        for name in JOINT_NAMES[:22]
    ]
    image = joints[:, swapped] * [-1.0, 1.0, 1.0]
    features = encode(joints, continued=True).features.astype(np.float32)
    # The data set's left and right bones differ by up to 1.5 cm.
    np.testing.assert_allclose(mirrored(features), encode(image, continued=True).features, atol=0.035)
    np.testing.assert_array_equal(mirrored(mirrored(features)), features)


def test_each_kind_of_feature_has_one_spread() -> None:
    features = clip_features(ClipSet(10, 1), 1)[1]
    mean, spread = statistics_of([features])
    np.testing.assert_allclose(mean, features.mean(axis=0), atol=1e-4)
    assert all(np.ptp(spread[kind]) == 0.0 for kind in KINDS)
    np.testing.assert_allclose(spread[PLACES][0], features[:, PLACES].std(axis=0).mean(), rtol=1e-4)


def test_world_ways_are_those_of_the_decoded_motion() -> None:
    features = encode(make_clip(BY_ACTION["walk_curve"], Variation(seed=2)).joints, continued=True).features
    found = world_ways(torch.from_numpy(features[None]))[0].numpy()
    turns = np.concatenate([[0.0], 2.0 * np.cumsum(features[:-1, TURN])])
    wanted = turn_about_y(turns[1:, None], np.diff(decode(features), axis=0))[:, 1:]
    # A root's step is told, and its height's change is in the places.
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_the_loss_vanishes_for_the_clip_itself_and_sees_a_sliding_foot() -> None:
    features = torch.from_numpy(clip_features(ClipSet(10, 1), 0)[1][None])
    mean, spread = torch.zeros(FEATURE_COUNT), torch.ones(FEATURE_COUNT)
    padding = torch.zeros(features.shape[:2], dtype=torch.bool)
    nothing, _ = losses(features, features, padding, mean, spread, Weights())
    sliding = features.clone()
    sliding[..., STEP.start] += 0.02
    _, terms = losses(sliding, features, padding, mean, spread, Weights())
    assert float(nothing) == 0.0
    assert terms["foot"] > 0.1


def test_frames_beyond_a_clip_do_not_count() -> None:
    features = torch.randn(1, 20, FEATURE_COUNT)
    padding = torch.arange(20)[None] >= 12
    other = features.clone()
    other[:, 12:] += 5.0
    total, _ = losses(other, features, padding, torch.zeros(FEATURE_COUNT), torch.ones(FEATURE_COUNT), Weights())
    assert float(total) == 0.0


def test_a_training_goes_on_from_its_checkpoint_and_what_it_exports_makes_motions(root: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train_motion(CREW, root / "clips", root / "held_out", run, TINY)
    train_motion(CREW, root / "clips", root / "held_out", run, replace(TINY, budget=Budget(5.0, 6)))
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "held_out" in line] == [3, 6]
    size = export_motion(run, root / "clips", tmp_path / "model", TINY, 1.5)
    assert 0 < size < 15_000_000
    model = open_embedded(tmp_path / "model")
    assert model.config.trained_steps == 6
    made = make_motion(model, timed(model, ["a person waves"]).clauses)
    assert np.isfinite(made.positions).all()


def test_a_training_keeps_the_actions_that_it_began_with(root: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    names = [action.name for action in ACTIONS]
    (run / "layout.json").write_text(json.dumps({"actions": names[::-1], "styles": ["neutral", *STYLES]}))
    train_motion(CREW, root / "clips", root / "held_out", run, TINY)
    export_motion(run, root / "clips", tmp_path / "model", TINY, 1.5)
    assert [action.name for action in open_embedded(tmp_path / "model").config.actions] == names[::-1]


def test_a_judge_learns_actions_and_is_the_same_when_it_is_read_back(root: Path, tmp_path: Path) -> None:
    store = ClipStore(root / "clips")
    actions = tuple(BY_ACTION)
    judge = train_judge(store, actions, JudgePlan(rounds=40, batch=16, width=96))
    named = judge.name(store.features)
    assert np.mean([name == request.action for name, request in zip(named, store.requests, strict=True)]) > 0.9
    save_judge(judge, tmp_path / "judge.pt")
    assert load_judge(tmp_path / "judge.pt").name(store.features) == named


STYLES = tuple(style for style in BY_ACTION["walk"].styles if style != "neutral")
