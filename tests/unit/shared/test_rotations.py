"""Rotations: round trips over random rotations, and agreement with the written-out twins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from shared import rotations as rot
from shared.errors import MotionError
from tests.reference import rotations as twin

PLAIN = st.floats(-1.0, 1.0, allow_subnormal=False)
VECTORS = arrays(np.float64, (3,), elements=PLAIN)
ANGLES = st.floats(1e-7, np.pi - 1e-6)


@st.composite
def axis_angles(draw: st.DrawFn) -> NDArray[Any]:
    axis = draw(VECTORS.filter(lambda vector: np.linalg.norm(vector) > 1e-2))
    vector: NDArray[Any] = axis / np.linalg.norm(axis) * draw(ANGLES)
    return vector


@st.composite
def quaternions(draw: st.DrawFn) -> NDArray[Any]:
    values = draw(arrays(np.float64, (4,), elements=PLAIN).filter(lambda q: np.linalg.norm(q) > 1e-2))
    unit: NDArray[Any] = values / np.linalg.norm(values)
    return unit


@given(axis_angles())
def test_axis_angle_comes_back_through_quaternion_and_matrix(vector: NDArray[Any]) -> None:
    np.testing.assert_allclose(rot.quaternion_to_axis_angle(rot.axis_angle_to_quaternion(vector)), vector, atol=1e-9)
    np.testing.assert_allclose(rot.matrix_to_axis_angle(rot.axis_angle_to_matrix(vector)), vector, atol=1e-8)


@given(axis_angles())
def test_matrices_agree_with_the_power_series(vector: NDArray[Any]) -> None:
    np.testing.assert_allclose(rot.axis_angle_to_matrix(vector), twin.matrix_from_axis_angle(vector), atol=1e-12)


@given(quaternions())
def test_quaternions_come_back_through_matrices_up_to_sign(quaternion: NDArray[Any]) -> None:
    back = rot.matrix_to_quaternion(rot.quaternion_to_matrix(quaternion))
    assert abs(abs(float(back @ quaternion)) - 1.0) < 1e-12
    assert back[0] >= 0.0


@pytest.mark.parametrize("axis", np.eye(3).tolist() + [[1 / 3, 2 / 3, -2 / 3]])
def test_half_turns_keep_their_axis(axis: list[float]) -> None:
    matrix = 2.0 * np.outer(axis, axis) - np.eye(3)
    back = rot.matrix_to_axis_angle(matrix)
    np.testing.assert_allclose(np.linalg.norm(back), np.pi, atol=1e-12)
    np.testing.assert_allclose(np.abs(back @ np.array(axis)), np.pi, atol=1e-12)


def test_no_rotation_is_exactly_zero_and_tiny_ones_keep_their_size() -> None:
    assert (rot.matrix_to_axis_angle(np.eye(3)) == 0.0).all()
    tiny = np.array([1e-10, -2e-10, 3e-10])
    np.testing.assert_allclose(rot.quaternion_to_axis_angle(rot.axis_angle_to_quaternion(tiny)), tiny, rtol=1e-6)


@given(quaternions(), quaternions(), st.floats(0.0, 1.0))
def test_slerp_agrees_with_its_twin(start: NDArray[Any], end: NDArray[Any], amount: float) -> None:
    if abs(float(start @ end)) < 1e-6:  # a half turn apart: both ways round are equally short
        return
    got = rot.slerp(start, end, amount)
    assert abs(abs(float(got @ twin.slerp(start, end, amount))) - 1.0) < 1e-9


@given(quaternions(), quaternions(), st.floats(0.0, 1.0))
def test_slerp_moves_at_constant_speed(start: NDArray[Any], end: NDArray[Any], amount: float) -> None:
    matrices = [rot.quaternion_to_matrix(q) for q in (start, end, rot.slerp(start, end, amount))]
    whole = rot.rotation_angle(matrices[0], matrices[1])
    np.testing.assert_allclose(rot.rotation_angle(matrices[0], matrices[2]), amount * whole, atol=1e-6)


@given(axis_angles())
def test_rot6d_holds_the_first_two_rows(vector: NDArray[Any]) -> None:
    matrix = twin.matrix_from_axis_angle(vector)
    six = rot.matrix_to_rot6d_rows(matrix)
    np.testing.assert_array_equal(six, np.concatenate([matrix[0], matrix[1]]))
    np.testing.assert_allclose(rot.rot6d_rows_to_matrix(six), matrix, atol=1e-12)


@given(VECTORS, VECTORS)
def test_rot6d_of_any_two_rows_agrees_with_its_twin(first: NDArray[Any], second: NDArray[Any]) -> None:
    if np.linalg.norm(np.cross(first, second)) < 1e-2:
        return
    six = np.concatenate([first, second])
    matrix = rot.rot6d_rows_to_matrix(six)
    np.testing.assert_allclose(matrix, twin.matrix_from_rot6d_rows(six), atol=1e-9)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) > 0.0


@pytest.mark.parametrize("six", [[0.0] * 6, [1, 0, 0, 2, 0, 0], [1, 2, 3, 0, 0, 0]])
def test_rot6d_without_two_directions_is_refused(six: list[float]) -> None:
    with pytest.raises(MotionError, match="parallel"):
        rot.rot6d_rows_to_matrix(six)


@given(VECTORS, VECTORS)
def test_rotation_between_turns_one_direction_onto_the_other_the_short_way(a: NDArray[Any], b: NDArray[Any]) -> None:
    if min(np.linalg.norm(a), np.linalg.norm(b)) < 1e-2:
        return
    matrix = rot.rotation_between(a, b)
    np.testing.assert_allclose(matrix @ rot.normalised(a), rot.normalised(b), atol=1e-4)
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(3), atol=1e-9)
    angle = np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)
    np.testing.assert_allclose(rot.rotation_angle(np.eye(3), matrix), angle, atol=1e-4)


def test_rotation_between_handles_opposite_and_missing_directions() -> None:
    flip = rot.rotation_between([0.0, 2.0, 0.0], [0.0, -1.0, 0.0])
    np.testing.assert_allclose(flip @ [0.0, 1.0, 0.0], [0.0, -1.0, 0.0], atol=1e-12)
    assert np.linalg.det(flip) == pytest.approx(1.0)
    np.testing.assert_array_equal(rot.rotation_between([0.0, 0.0, 0.0], [1.0, 0.0, 0.0]), np.eye(3))


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_continuous_quaternions_keep_the_rotation_and_never_change_hemisphere(seed: int) -> None:
    random = np.random.default_rng(seed)
    steps = rot.axis_angle_to_quaternion(random.normal(scale=0.3, size=(40, 3, 3)))
    path = [steps[0]]
    for step in steps[1:]:
        path.append(twin.product(path[-1].T, step.T).T * random.choice([-1.0, 1.0], size=(3, 1)))
    smooth = rot.continuous_quaternions(np.array(path))
    assert (np.sum(smooth[1:] * smooth[:-1], axis=-1) > 0.0).all()
    np.testing.assert_array_equal(np.abs(smooth), np.abs(np.array(path)))


@pytest.mark.parametrize(
    ("function", "values"),
    [
        (rot.axis_angle_to_quaternion, np.zeros((5, 4))),
        (rot.quaternion_to_matrix, np.zeros(3)),
        (rot.matrix_to_quaternion, np.zeros((3, 2))),
        (rot.rot6d_rows_to_matrix, np.zeros((3, 2))),
    ],
)
def test_wrong_shapes_are_named(function: object, values: NDArray[Any]) -> None:
    with pytest.raises(MotionError) as caught:
        function(values)  # type: ignore[operator]
    assert caught.value.code == "motion.wrong_shape"
    assert str(values.shape) in str(caught.value)


def test_leading_axes_are_kept() -> None:
    vectors = np.random.default_rng(1).normal(size=(2, 5, 3))
    matrices = rot.axis_angle_to_matrix(vectors)
    assert matrices.shape == (2, 5, 3, 3)
    np.testing.assert_allclose(matrices[1, 3], twin.matrix_from_axis_angle(vectors[1, 3]), atol=1e-12)
    assert rot.matrix_to_quaternion(np.zeros((0, 3, 3))).shape == (0, 4)
