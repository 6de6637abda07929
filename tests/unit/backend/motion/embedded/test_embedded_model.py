"""The embedded motion model on a small random network: its files, its clauses, and its motions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from backend.contract.motion_model import KnownFeatures, MotionAsk
from backend.models.mdm.network import MDM
from backend.motion.embedded.config import FORMAT, WEIGHTS_FILE, KnownAction, MotionConfig, write_config
from backend.motion.embedded.model import EmbeddedMotionModel, open_embedded, request_of
from backend.motion.generate import make_motion
from backend.motion.models import open_motion_model
from backend.motion.timing import timed
from backend.words.reading import read_clause
from shared.errors import InputError, ModelError
from shared.motion.humanml.layout import FEATURE_COUNT
from shared.motion.humanml.statistics import MEAN_FILE, STD_FILE


def action(name: str, phrase: str, **other: object) -> KnownAction:
    known = KnownAction(name, (phrase,), loops=False, sided=True, start="stand", end="stand", seconds=2.0)
    return replace(known, **other)  # type: ignore[arg-type]


CONFIG = MotionConfig(
    latentman_motion=FORMAT,
    width=16,
    layers=1,
    heads=2,
    feedforward=16,
    steps=4,
    guidance_scale=1.5,
    styles=("neutral", "happy"),
    actions=(
        action("walk", "a person walks", loops=True, sided=False),
        action("wave", "a person waves"),
        action("jump", "a person jumps"),
        action("sit_down", "a person sits down", end="seated"),
        action("stand_up", "a person stands up", start="seated"),
        action("kneel", "a person kneels", end="kneeling"),
        action("rise_from_knee", "a kneeling person stands up", start="kneeling"),
    ),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    weights = {name: tensor.half() for name, tensor in MDM(CONFIG.shape).state_dict().items()}
    save_file(weights, tmp_path / WEIGHTS_FILE)
    np.save(tmp_path / MEAN_FILE, np.zeros(FEATURE_COUNT, np.float32))
    np.save(tmp_path / STD_FILE, np.full(FEATURE_COUNT, 0.1, np.float32))
    write_config(tmp_path, CONFIG)
    return tmp_path


@pytest.fixture
def model(folder: Path) -> EmbeddedMotionModel:
    return open_embedded(folder)


def test_a_folder_of_ours_is_told_from_other_models(folder: Path) -> None:
    assert open_motion_model(folder).facts.label == "embedded motion model"


def test_the_clauses_of_a_text_have_the_time_that_their_actions_take(model: EmbeddedMotionModel) -> None:
    walk, wave = model.read("a knight walks for 3 seconds, then waves")
    assert (walk.seconds, wave.seconds) == (3.0, 2.3)


def test_fast_actions_take_less_time(model: EmbeddedMotionModel) -> None:
    (usual,), (fast,) = model.read("he waves"), model.read("he waves quickly")
    assert usual.seconds is not None and fast.seconds is not None
    assert fast.seconds < usual.seconds


def test_an_action_is_made_as_often_as_the_text_says(model: EmbeddedMotionModel) -> None:
    assert len(model.read("she jumps three times")) == 3


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("she sits down and then waves", ["she sits down", "a person stands up", "waves"]),
        ("he kneels, then stands up", ["he kneels", "a kneeling person stands up"]),
        ("he sits down, then stands up", ["he sits down", "stands up"]),
    ],
)
def test_a_pose_is_left_before_what_starts_from_another(
    text: str, wanted: list[str], model: EmbeddedMotionModel
) -> None:
    assert [clause.text for clause in model.read(text)] == wanted


def test_what_was_put_between_is_said(model: EmbeddedMotionModel) -> None:
    notes = [clause.note for clause in model.read("she sits down and then waves")]
    assert notes == ["", "Stand up comes before wave.", ""]


def test_a_request_has_the_clauses_manner(model: EmbeddedMotionModel) -> None:
    phrases = {known.name: known.phrases for known in CONFIG.actions}
    request = request_of(read_clause("he waves happily with his left hand", phrases, CONFIG.styles), CONFIG)
    assert (request.action, request.style, request.side) == ("wave", "happy", "left")


def test_a_speed_beyond_the_trained_ones_is_the_highest_of_them(model: EmbeddedMotionModel) -> None:
    phrases = {known.name: known.phrases for known in CONFIG.actions}
    assert request_of(read_clause("he walks very fast", phrases, CONFIG.styles), CONFIG).speed == 1.4


def test_an_unknown_action_is_refused(model: EmbeddedMotionModel) -> None:
    with pytest.raises(InputError, match="knows no action"):
        model.read("a person kicks a ball")


def test_equal_seeds_make_equal_motions(model: EmbeddedMotionModel) -> None:
    clauses = timed(model, ["a knight waves, then jumps"]).clauses
    first, again, other = (make_motion(model, clauses, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.features, again.features)
    assert np.abs(first.features - other.features).max() > 1e-3


def test_given_features_stay_bit_for_bit(model: EmbeddedMotionModel) -> None:
    values = np.random.default_rng(1).normal(size=(30, FEATURE_COUNT)).astype(np.float32)
    mask = np.zeros(values.shape, dtype=bool)
    mask[:10], mask[:, :40] = True, True
    ask = MotionAsk("a person waves", 30, 1.5, KnownFeatures(values, mask))
    made = model.generate(ask, torch.Generator().manual_seed(0), lambda _done: None)
    np.testing.assert_array_equal(made[mask], values[mask])
    assert np.isfinite(made).all()


def test_weights_that_do_not_fit_are_named(folder: Path) -> None:
    write_config(folder, replace(CONFIG, width=32))
    with pytest.raises(ModelError, match=WEIGHTS_FILE):
        open_embedded(folder)


@pytest.mark.parametrize(("key", "value"), [("latentman_motion", 99), ("width", "wide"), ("actions", None)])
def test_a_wrong_configuration_is_named(folder: Path, key: str, value: object) -> None:
    file = folder / "config.json"
    content = json.loads(file.read_text())
    content[key] = value
    file.write_text(json.dumps(content))
    with pytest.raises(ModelError, match=r"config\.json"):
        open_embedded(folder)
