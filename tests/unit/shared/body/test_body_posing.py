from __future__ import annotations

import numpy as np
import pytest

from shared.body import Body, free_body, joint_transforms, pose_vertices, pose_vertices_batch
from shared.body.loading import body_from_arrays
from shared.errors import BodyError
from tests.helpers.voxel_body import voxel_body_arrays
from tests.reference.lbs import posed_joints, posed_vertex


@pytest.fixture(scope="module")
def small_body() -> Body:
    """A body that is no relative of the free one and has pose correctives."""
    return body_from_arrays(voxel_body_arrays(seed=3, posedirs_m=0.005), "voxels")


def test_vertices_agree_with_the_plain_twin(small_body: Body) -> None:
    rng = np.random.default_rng(1)
    for body in (small_body, free_body()):
        pose, betas, transl = rng.normal(0.0, 0.5, (24, 3)), rng.normal(size=10), rng.normal(size=3)
        vertices = pose_vertices(body, pose, betas, transl)
        for vertex in rng.integers(0, len(vertices), 6):
            assert vertices[vertex] == pytest.approx(posed_vertex(body, pose, betas, transl, vertex), abs=2e-6)


def test_joints_agree_with_the_plain_twin(small_body: Body) -> None:
    rng = np.random.default_rng(2)
    pose, betas = rng.normal(0.0, 0.7, (24, 3)), rng.normal(size=10)
    turns, places = joint_transforms(small_body, pose[None], betas)
    for joint, (turn, place, _) in enumerate(posed_joints(small_body, pose, betas)):
        assert turns[0, joint] == pytest.approx(turn, abs=1e-9)
        assert places[0, joint] == pytest.approx(place, abs=1e-5)


def test_rest_pose_is_the_shaped_template_moved(small_body: Body) -> None:
    betas, transl = np.linspace(-2.0, 2.0, 10), np.array([1.0, -2.0, 3.0])
    vertices = pose_vertices(small_body, np.zeros((24, 3)), betas, transl)
    np.testing.assert_allclose(vertices, small_body.shaped_vertices(betas) + transl, atol=1e-6)


def test_root_turn_is_rigid_about_the_pelvis(small_body: Body) -> None:
    pose = np.zeros((24, 3))
    pose[0] = (0.0, np.pi / 2, 0.0)
    body = body_from_arrays({**voxel_body_arrays(), "posedirs": np.zeros_like(small_body.posedirs)}, "voxels")
    vertices = pose_vertices(body, pose, np.zeros(10), np.zeros(3))
    pelvis = body.joints(np.zeros(10))[0]
    from_pelvis = body.v_template - pelvis
    quarter_turn = np.stack([from_pelvis[:, 2], from_pelvis[:, 1], -from_pelvis[:, 0]], axis=1)
    np.testing.assert_allclose(vertices - pelvis, quarter_turn, atol=1e-6)


def test_batch_equals_frames_one_by_one_across_its_chunks(small_body: Body) -> None:
    rng = np.random.default_rng(4)
    poses, betas, transl = rng.normal(0.0, 0.4, (35, 24, 3)), rng.normal(size=10), rng.normal(size=(35, 3))
    batch = pose_vertices_batch(small_body, poses, betas, transl)
    assert batch.dtype == np.float32
    for frame in (0, 15, 16, 34):
        alone = pose_vertices(small_body, poses[frame], betas, transl[frame])
        np.testing.assert_allclose(batch[frame], alone, atol=1e-6)


def test_no_frames_give_no_vertices(small_body: Body) -> None:
    empty = pose_vertices_batch(small_body, np.zeros((0, 24, 3)), np.zeros(10), np.zeros((0, 3)))
    assert empty.shape == (0, len(small_body.v_template), 3)


def test_wrong_inputs_are_named(small_body: Body) -> None:
    good = (np.zeros((2, 24, 3)), np.zeros(10), np.zeros((2, 3)))
    with pytest.raises(BodyError, match="poses must have the shape .any, 24, 3., but have .2, 22, 3."):
        pose_vertices_batch(small_body, np.zeros((2, 22, 3)), good[1], good[2])
    with pytest.raises(BodyError, match="betas must have the shape .10."):
        pose_vertices_batch(small_body, good[0], np.zeros(16), good[2])
    with pytest.raises(BodyError, match="2 poses but 3 translations"):
        pose_vertices_batch(small_body, good[0], good[1], np.zeros((3, 3)))
    with pytest.raises(BodyError, match="poses contain NaN"):
        pose_vertices_batch(small_body, np.full((2, 24, 3), np.nan), good[1], good[2])
