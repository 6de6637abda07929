"""Standing feet are held where they stand, and nothing else moves."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.make.motion.library.action import Variation
from backend.make.motion.library.clip import make_clip
from backend.make.motion.library.table import BY_ACTION
from backend.motion.embedded.planting import planted
from shared.motion.humanml.decode import decode
from shared.motion.humanml.encode import encode
from shared.motion.humanml.layout import CONTACTS, HUMANML_FPS, STEP
from shared.motion.humanml.skeleton import bones
from shared.motion.skeleton import JOINT_INDEX

Array = NDArray[np.float64]

FEET = [JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"]]
LEGS = [JOINT_INDEX[f"{side}_{name}"] for side in ("left", "right") for name in ("knee", "ankle", "foot")]


def features_of(action: str) -> Array:
    return encode(make_clip(BY_ACTION[action], Variation(seed=4)).joints, continued=True).features


def slide_cm_per_s(features: Array) -> float:
    feet = decode(features)[:, FEET]
    speed = np.linalg.norm(np.diff(feet[..., [0, 2]], axis=0), axis=-1) * HUMANML_FPS
    stands = (features[1:, [CONTACTS.start + 1, CONTACTS.start + 3]] > 0.5) & (feet[1:, :, 1] < 0.03)
    return float(100.0 * speed[stands].mean())


@pytest.fixture
def sliding() -> Array:
    """A person who waves while the whole body drifts 10 cm a second."""
    features = features_of("wave")
    features[:, STEP.start] += 0.005
    return features


def test_a_foot_that_stands_slides_no_more(sliding: Array) -> None:
    before = slide_cm_per_s(sliding[:40])
    after = slide_cm_per_s(planted(sliding[:40], np.zeros(40, dtype=bool)))
    assert before > 8.0
    assert after < 0.25 * before


def test_bones_keep_their_lengths(sliding: Array) -> None:
    made = decode(planted(sliding[:40], np.zeros(40, dtype=bool)))
    lengths = np.linalg.norm(bones(made), axis=-1)
    np.testing.assert_allclose(lengths, np.broadcast_to(lengths[:1], lengths.shape), atol=2e-3)


def test_only_legs_move(sliding: Array) -> None:
    given = np.zeros(len(sliding), dtype=bool)
    moved = np.abs(decode(planted(sliding, given)) - decode(sliding)).max(axis=(0, 2))
    assert moved[LEGS].max() > 0.01
    assert np.delete(moved, LEGS).max() < 1e-9


def test_given_frames_stay_bit_for_bit(sliding: Array) -> None:
    given = np.zeros(len(sliding), dtype=bool)
    given[:12] = True
    np.testing.assert_array_equal(planted(sliding, given)[given], sliding[given])


def test_a_clip_of_the_library_hardly_changes() -> None:
    features = features_of("walk")
    moved = np.abs(decode(planted(features, np.zeros(len(features), dtype=bool))) - decode(features))
    assert np.median(moved.max(axis=(1, 2))) < 0.03


def test_a_foot_below_the_floor_comes_up() -> None:
    features = features_of("idle")
    low = features.copy()
    low[:, 3] -= 0.03  # the root's height
    for joint in LEGS:
        low[:, 4 + 3 * (joint - 1) + 1] -= 0.03
    made = decode(planted(low, np.zeros(len(low), dtype=bool)))
    assert made[:, FEET, 1].min() > decode(low)[:, FEET, 1].min() + 0.02
