"""The motion model that ships: its size, what it knows, and one motion of it."""

from __future__ import annotations

import numpy as np
import pytest

from backend.make.motion.library.table import BY_ACTION
from backend.measure.motion.physics import physics_of
from backend.motion.embedded.model import EMBEDDED_FOLDER, EmbeddedMotionModel
from backend.motion.generate import make_motion
from backend.motion.models import open_motion_model
from backend.motion.timing import timed
from shared.motion.skeleton import JOINT_INDEX

MOST_BYTES = 15_000_000


@pytest.fixture(scope="module")
def model() -> EmbeddedMotionModel:
    found = open_motion_model(None)
    assert isinstance(found, EmbeddedMotionModel)
    return found


def test_it_is_small() -> None:
    assert sum(file.stat().st_size for file in EMBEDDED_FOLDER.iterdir()) < MOST_BYTES


def test_it_knows_actions_of_the_library_and_no_held_out_phrase(model: EmbeddedMotionModel) -> None:
    actions = model.config.actions
    assert len(actions) >= 24
    for action in actions:
        assert not set(action.phrases) & set(BY_ACTION[action.name].held_out)


def test_a_text_becomes_its_actions_with_feet_that_stand(model: EmbeddedMotionModel) -> None:
    clauses = timed(model, ["a knight waves, then bows"]).clauses
    positions = make_motion(model, clauses, seed=1).positions
    assert len(positions) == clauses[-1].stop
    head, wrist = (positions[:, JOINT_INDEX[name], 1] for name in ("head", "right_wrist"))
    waving, bowing = slice(0, clauses[0].stop), slice(clauses[1].start, None)
    assert (wrist - head)[waving].max() > -0.2  # the hand comes up,
    assert head[waving].min() - head[bowing].min() > 0.15  # and the head goes down
    assert physics_of(positions).slide_cm_per_s < 2.0


def test_clauses_meet_without_a_jump(model: EmbeddedMotionModel) -> None:
    clauses = timed(model, ["a person walks, then waves"]).clauses
    positions = make_motion(model, clauses, seed=2).positions
    ways = np.linalg.norm(np.diff(positions, axis=0), axis=-1).max(axis=1)
    seam = clauses[0].stop
    assert ways[seam - 1 : seam + 1].max() < 0.12  # metres a frame, as a walking foot has
