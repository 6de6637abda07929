"""HumanML3D's features: against a slow twin, there and back, and against forward kinematics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.body import free_body
from shared.errors import MotionError
from shared.motion import SAMPLE_NAMES, read_motion, sample_path
from shared.motion.humanml.decode import decode, root_path
from shared.motion.humanml.encode import encode, features_of, put_in_place
from shared.motion.humanml.layout import CONTACTS, LOWER_BODY, PLACES, SPEEDS, TURNS
from shared.motion.humanml.skeleton import BODY_PARENTS, BONE_LENGTHS_M, OFFSETS, REST_DIRECTIONS
from shared.motion.quality import motion_joints
from tests.reference import humanml as twin

Array = NDArray[Any]


def sample_joints(name: str) -> Array:
    rest = free_body().joints(np.zeros(10))
    return motion_joints(read_motion(sample_path(name)), rest)[:, :22]


@pytest.fixture(params=SAMPLE_NAMES)
def joints(request: pytest.FixtureRequest) -> Array:
    return sample_joints(request.param)


def turned_about_y(points: Array, degrees: float) -> Array:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    result: Array = points @ np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]]).T
    return result


def test_the_features_are_the_twins() -> None:
    placed, _ = put_in_place(sample_joints("dance")[:30])
    np.testing.assert_allclose(features_of(placed), twin.features(placed, REST_DIRECTIONS), atol=1e-9)


def test_a_clip_in_place_stands_on_the_floor_at_the_origin_and_faces_z(joints: Array) -> None:
    placed, _ = put_in_place(turned_about_y(joints, 130.0) + [3.0, -0.4, 2.0])
    assert placed[..., 1].min() == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(placed[0, 0, [0, 2]], 0.0, atol=1e-12)
    across = placed[0, 1] - placed[0, 2] + placed[0, 16] - placed[0, 17]
    assert across[0] > 0.0
    assert across[2] == pytest.approx(0.0, abs=1e-12)
    lengths = np.linalg.norm(placed[:, 1:] - placed[:, list(BODY_PARENTS[1:])], axis=-1)
    np.testing.assert_allclose(lengths, np.broadcast_to(BONE_LENGTHS_M[1:], lengths.shape), atol=1e-9)


def test_decoding_gives_the_clip_back(joints: Array) -> None:
    placed, _ = put_in_place(joints)
    features = features_of(placed)
    assert features.shape == (len(joints) - 1, 263)
    np.testing.assert_allclose(decode(features), placed[:-1], atol=1e-12)


def test_encoding_a_decoded_clip_gives_the_features_back_but_at_its_end() -> None:
    features = encode(sample_joints("walk")).features
    again = encode(decode(features)).features
    # The facing is smoothed over 80 frames each way, so the missing last frame is felt from the end.
    np.testing.assert_allclose(again[:8], features[:8], atol=2e-4)
    np.testing.assert_array_equal(again[:, CONTACTS], features[:-1, CONTACTS])


def test_the_placement_leads_back(joints: Array) -> None:
    moved = turned_about_y(joints, -75.0) + [1.0, 0.2, -4.0]
    encoded = encode(moved, continued=True)
    back = encoded.placement.back(decode(encoded.features))
    assert len(back) == len(moved)
    np.testing.assert_allclose(back[:, 0], moved[:, 0], atol=1e-9)
    assert np.linalg.norm(back - moved, axis=-1).mean() < 0.04  # the skeleton's proportions remain


def test_the_places_and_the_rotations_tell_the_same_motion(joints: Array) -> None:
    features = encode(joints[:40]).features
    np.testing.assert_allclose(decode(features), twin.positions_from_rotations(features, OFFSETS), atol=1e-9)


def test_a_whole_turn_keeps_its_sense() -> None:
    pose = sample_joints("squat")[:1]
    clip = np.concatenate([turned_about_y(pose, 3.0 * frame) for frame in range(260)])
    turns = root_path(encode(clip).features).turns
    # Away from the ends, where the smoothing has frames enough.
    assert np.degrees(turns[170] - turns[90]) == pytest.approx(-3.0 * 80, abs=0.1)


def test_many_clips_are_decoded_at_once() -> None:
    features = encode(sample_joints("jump")).features[:20]
    both = decode(np.stack([features, features[::-1]]))
    np.testing.assert_array_equal(both[0], decode(features))
    np.testing.assert_array_equal(both[1], decode(features[::-1]))


def test_the_lower_body_is_root_legs_and_contacts() -> None:
    assert LOWER_BODY[:4].all()
    assert LOWER_BODY[CONTACTS].all()
    legs = [1, 2, 4, 5, 7, 8, 10, 11]
    assert np.flatnonzero(LOWER_BODY[PLACES].reshape(21, 3).all(axis=1)).tolist() == [joint - 1 for joint in legs]
    assert np.flatnonzero(LOWER_BODY[TURNS].reshape(21, 6).all(axis=1)).tolist() == [joint - 1 for joint in legs]
    assert np.flatnonzero(LOWER_BODY[SPEEDS].reshape(22, 3).all(axis=1)).tolist() == [0, *legs]
    assert LOWER_BODY.sum() == 4 + 8 * 3 + 8 * 6 + 9 * 3 + 4


@pytest.mark.parametrize(
    ("positions", "code"),
    [
        (np.zeros((4, 21, 3)), "motion.wrong_shape"),
        (np.zeros((1, 22, 3)), "motion.too_short"),
        (np.full((4, 22, 3), np.nan), "motion.not_finite"),
        (np.zeros((4, 22, 3)), "motion.no_skeleton"),
    ],
)
def test_what_cannot_be_encoded_is_refused(positions: Array, code: str) -> None:
    with pytest.raises(MotionError) as caught:
        encode(positions)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("features", "code"),
    [(np.zeros((4, 251)), "motion.features"), (np.full((4, 263), np.inf), "motion.not_finite")],
)
def test_what_cannot_be_decoded_is_refused(features: Array, code: str) -> None:
    with pytest.raises(MotionError) as caught:
        decode(features)
    assert caught.value.code == code
