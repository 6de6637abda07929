"""Averages over the surface by way of nodes: the dense twin, what is kept, what is apart."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from backend.surface.nodes import Nodes, surface_nodes
from backend.surface.texels import TexelMesh, texel_mesh
from tests.helpers.surface_bodies import cube, joined, sheet, sphere
from tests.reference import surface_fusion as twin

SIGMA_M = 0.06


@cache
def ball() -> TexelMesh:
    """A crooked ball, on which no two distances are the same."""
    vertices, faces = sphere(0.25, 2)
    vertices = vertices + np.random.default_rng(0).normal(0, 0.006, vertices.shape)
    return texel_mesh(faces, vertices, np.zeros(len(vertices)), 0.03)


@cache
def nodes() -> Nodes:
    return surface_nodes(ball(), SIGMA_M)


def ones(mesh: TexelMesh) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.ones(len(mesh), np.float32)


def test_smoothing_is_that_of_dense_ties() -> None:
    generator = np.random.default_rng(1)
    values = generator.random((len(ball()), 3), np.float32)
    weights = generator.random(len(ball()), np.float32) * (ball().rest[:, 0] > -0.1)  # a part of it is not seen
    found, there = nodes().smoothed(values, weights.astype(np.float32))
    wanted = twin.smoothed(twin.ties(ball(), SIGMA_M), values.astype(float), weights.astype(float))
    assert 100 < there.sum() < len(ball())
    np.testing.assert_array_equal(there, np.isfinite(wanted[:, 0]))
    # Where hardly any node with mass is within reach, single precision rounds the shares of what is there.
    np.testing.assert_allclose(found[there], wanted[there], atol=2e-3)
    near = ball().rest[:, 0] > -0.1
    np.testing.assert_allclose(found[near], wanted[near], atol=2e-5)


def test_a_constant_is_kept_whatever_the_weights() -> None:
    weights = np.random.default_rng(2).random(len(ball()), np.float32) ** 4
    found, there = nodes().smoothed(np.full((len(ball()), 2), (0.3, -7.0), np.float32), weights)
    assert there.all()
    np.testing.assert_allclose(found, np.tile([0.3, -7.0], (len(ball()), 1)), rtol=1e-5)


def test_means_lie_within_the_values_that_they_are_of() -> None:
    values = np.random.default_rng(3).normal(size=(len(ball()), 1)).astype(np.float32)
    found, _ = nodes().smoothed(values, ones(ball()))
    assert values.min() < found.min() < found.max() < values.max()
    assert found.std() < 0.5 * values.std()  # hundreds of texels in each mean


def test_a_linear_field_comes_back_in_the_middle_of_a_sheet() -> None:
    vertices, faces = sheet(6, 6, 1.0, 1.0)
    mesh = texel_mesh(faces, vertices, np.zeros(len(vertices)), 0.02)
    field = (mesh.rest @ np.array([1.0, 0, 0.5], np.float32))[:, None]
    found, _ = surface_nodes(mesh, SIGMA_M).smoothed(field, ones(mesh))
    inside = np.abs(mesh.rest[:, [0, 2]]).max(axis=1) < 0.5 - 3 * SIGMA_M
    # Symmetric weights give the field back; the nodes are a grid, so that they are so but for a part of its cells.
    slope = float(np.hypot(1, 0.5))
    assert inside.sum() > 500
    assert np.abs(found - field)[inside].max() < 0.25 * slope * SIGMA_M
    assert abs(float((found - field)[inside].mean())) < 0.02 * slope * SIGMA_M


def test_the_sides_of_a_thin_slab_are_kept_apart() -> None:
    front, faces = sheet(4, 4, 0.6, 0.6)
    vertices, both = joined((front, faces), (front + (0, 0.01, 0), faces[:, ::-1]))
    mesh = texel_mesh(both, vertices, np.zeros(len(vertices)), 0.02)
    side = (mesh.normal[:, 1] > 0).astype(np.float32)[:, None]
    assert 0.4 < side.mean() < 0.6
    found, _ = surface_nodes(mesh, 0.03).smoothed(side, ones(mesh))
    assert np.abs(found - side).max() < 1e-3  # four widths: exp(-8)


def test_bodies_in_the_same_place_share_nothing() -> None:
    vertices, faces = joined(cube(0.3), cube(0.3))
    body = np.repeat([0, 1], 8)
    mesh = texel_mesh(faces, vertices, body, 0.03)
    found, _ = surface_nodes(mesh, SIGMA_M).smoothed(mesh.body[:, None].astype(np.float32), ones(mesh))
    np.testing.assert_allclose(found[:, 0], mesh.body, atol=1e-6)


def test_a_texel_far_from_all_nodes_with_mass_is_told_to_have_none() -> None:
    weights = (ball().rest[:, 0] > 0.2).astype(np.float32)
    found, there = nodes().smoothed(np.ones((len(ball()), 1), np.float32), weights)
    assert there[ball().rest[:, 0] > 0.2].all()
    assert not there[ball().rest[:, 0] < -0.1].any()
    np.testing.assert_allclose(found[there], 1, rtol=1e-4)


@pytest.mark.parametrize("sigma_m", [0.03, 0.3, 5.0])
def test_any_width_has_nodes_and_weights_of_all_texels(sigma_m: float) -> None:
    found = surface_nodes(ball(), sigma_m)
    assert 1 <= len(found) <= len(ball())
    assert found.read.shape == (len(ball()), len(found)) and found.splat.shape == (len(found), len(ball()))
    assert np.asarray(found.read.sum(axis=1)).min() > 0
    assert (abs(found.read.T - found.splat)).max() == 0
