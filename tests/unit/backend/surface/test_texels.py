"""Texels: counts by hand, neighbours share them, lookup is linear and has no seam, and agreement with a slow twin."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.surface import texels
from backend.surface.texels import MOST_INTERVALS, TexelMesh, shot_texels, spacing_of, texel_mesh
from shared.body.loading import free_body
from tests.helpers.surface_bodies import DISTANCE, FOCAL, Mesh, cube, joined, sheet, shown, sphere
from tests.reference import surface_texels as twin

ROUNDING = 1e-6  # float32 weights of values of about 1


def made(mesh: Mesh, spacing_m: float) -> TexelMesh:
    vertices, faces = mesh
    return texel_mesh(faces, vertices, np.zeros(len(vertices), int), spacing_m)


def points(mesh: TexelMesh, count: int, seed: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    """Surface points, some of them on edges and at corners."""
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet([0.5, 0.5, 0.5], count)
    weights[::7, 1] = 0
    weights[::11, 2] = 0
    weights[::77] = (0, 1, 0)
    return rng.integers(0, len(mesh.faces), count), weights / weights.sum(axis=1, keepdims=True)


def places(mesh: TexelMesh, vertices: NDArray[Any], face: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.einsum("nk,nki->ni", weights, vertices[mesh.faces[face]]))


def read(mesh: TexelMesh, values: NDArray[Any], face: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    index, weight = mesh.lookup(face, weights)
    return np.asarray((weight.astype(float) * values[index]).sum(axis=1))


def shapes() -> dict[str, tuple[Mesh, float]]:
    uneven = np.array([(0, 0, 0), (0.1, 0, 0), (0, 0.9, 0), (0.05, -0.1, 0), (1.3, 0.4, 0.2)])
    return {
        "cube": (cube(), 0.3),
        "sphere": (sphere(), 0.09),
        "uneven": ((uneven, np.array([(0, 1, 2), (1, 0, 3), (2, 1, 4)])), 0.1),
        "no triangle is cut": (sphere(), 5.0),
    }


@pytest.fixture(params=shapes())
def shape(request: pytest.FixtureRequest) -> tuple[Mesh, float]:
    return shapes()[request.param]


def test_texels_of_a_cube_by_hand() -> None:
    # 8 corners; 12 sides of length 1 in 2 intervals, 6 diagonals of 1.41 in 4; 12 faces of 4 intervals: 3 inside each.
    assert len(made(cube(), 0.5)) == 8 + 12 * 1 + 6 * 3 + 12 * 3
    assert len(made(cube(), 2.0)) == 8


def test_no_two_texels_lie_at_one_place(shape: tuple[Mesh, float]) -> None:
    mesh = made(*shape)
    assert len(np.unique(mesh.rest.round(5), axis=0)) == len(mesh)


def test_a_texel_lies_where_its_triangle_says(shape: tuple[Mesh, float]) -> None:
    mesh = made(*shape)
    np.testing.assert_allclose(mesh.rest, places(mesh, shape[0][0], mesh.face, mesh.weights), atol=ROUNDING)
    own, weight = mesh.lookup(mesh.face, mesh.weights)
    found = np.zeros(len(mesh))
    np.add.at(found, np.arange(len(mesh)), np.where(own == np.arange(len(mesh))[:, None], weight, 0).sum(axis=1))
    np.testing.assert_allclose(found, 1, atol=1e-5)


def test_texels_and_lookup_are_those_of_the_slow_twin(shape: tuple[Mesh, float]) -> None:
    (vertices, faces), spacing = shape
    mesh = made(*shape)
    names = [twin.name_of(int(f), faces[f], w, vertices, spacing) for f, w in zip(mesh.face, mesh.weights, strict=True)]
    assert len(set(names)) == len(names)
    assert set(names) == twin.all_texels(faces, vertices, spacing)
    face, weights = points(mesh, 60)
    index, weight = mesh.lookup(face, weights)
    for row in range(len(face)):
        wanted = twin.lookup(int(face[row]), faces[face[row]], weights[row], vertices, spacing)
        found = dict.fromkeys(wanted, 0.0)
        for k, share in zip(index[row], weight[row], strict=True):
            found[names[k]] = found.get(names[k], 0.0) + float(share)
        for name, share in found.items():
            assert share == pytest.approx(wanted.get(name, 0.0), abs=1e-5)


def test_lookup_weights_are_shares_of_texels(shape: tuple[Mesh, float]) -> None:
    mesh = made(*shape)
    index, weight = mesh.lookup(*points(mesh, 500))
    assert index.dtype == np.int32 and weight.dtype == np.float32 and index.shape == weight.shape == (500, 6)
    assert index.min() >= 0 and index.max() < len(mesh)
    assert weight.min() >= 0
    np.testing.assert_allclose(weight.sum(axis=1), 1, atol=ROUNDING)


def test_what_is_linear_on_a_face_is_read_exactly(shape: tuple[Mesh, float]) -> None:
    mesh = made(*shape)
    slope = np.array([0.7, -1.1, 0.4])
    face, weights = points(mesh, 500)
    wanted = places(mesh, shape[0][0], face, weights) @ slope
    np.testing.assert_allclose(read(mesh, mesh.rest.astype(float) @ slope, face, weights), wanted, atol=3 * ROUNDING)


def test_nothing_jumps_across_an_edge_that_two_faces_cut_differently() -> None:
    (vertices, faces), spacing = shapes()["uneven"]
    mesh = texel_mesh(faces, vertices, np.zeros(len(vertices), int), spacing)
    assert mesh.intervals[0] > mesh.intervals[1]  # the edge from vertex 0 to 1 lies between them
    values = np.random.default_rng(1).normal(size=len(mesh))
    along = np.linspace(0, 1, 41)
    zero = np.zeros_like(along)
    one_side = read(mesh, values, np.zeros(41, int), np.stack([1 - along, along, zero], 1))
    other_side = read(mesh, values, np.ones(41, int), np.stack([along, 1 - along, zero], 1))
    np.testing.assert_allclose(one_side, other_side, atol=1e-5)


def test_inside_a_face_values_change_no_faster_than_between_neighbouring_texels() -> None:
    mesh = made(cube(), 0.3)
    values = np.random.default_rng(2).uniform(-1, 1, len(mesh))
    steps = np.linspace(0.01, 0.99, 2001)
    weights = np.stack([steps, 0.3 * (1 - steps), 0.7 * (1 - steps)], 1)
    found = read(mesh, values, np.zeros(len(steps), int), weights)
    # A cell is 1/n wide, and across it the value changes by 2 at most, for each of three weights.
    assert np.abs(np.diff(found)).max() <= 6 * mesh.intervals[0] * (steps[1] - steps[0]) + 1e-6


def test_edges_are_cut_to_the_spacing_and_never_too_often() -> None:
    vertices, faces = sheet(1, 1, 1.0, 1.0)
    assert made((vertices, faces), 1 / 3).intervals.tolist() == [8, 8]  # the diagonal of 1.41 in 8, the sides in 4
    assert made((vertices, faces), 1e-4).intervals.tolist() == [MOST_INTERVALS] * 2


def test_texels_of_two_bodies_are_their_own() -> None:
    first, second = cube(), sphere()
    vertices, faces = joined(first, second)
    body = np.repeat([0, 1], [len(first[0]), len(second[0])])
    mesh = texel_mesh(faces, vertices, body, 0.2)
    assert (mesh.body == 0).sum() == len(made(first, 0.2))
    assert (mesh.body == 1).sum() == len(made(second, 0.2))
    on_first = np.abs(mesh.rest).max(axis=1) > 0.499
    assert on_first[mesh.body == 0].all()
    index, weight = mesh.lookup(*points(mesh, 300))
    bodies = mesh.body[index]
    assert (np.where(weight > 0, bodies, -1).max(axis=1) == np.where(weight > 0, bodies, 9).min(axis=1)).all()


def test_vertices_of_no_triangle_are_no_texels() -> None:
    vertices, faces = cube()
    spare = np.concatenate([np.full((3, 3), 9.0), vertices])
    mesh = texel_mesh(faces + 3, spare, np.zeros(11, int), 0.5)
    np.testing.assert_array_equal(mesh.rest, made((vertices, faces), 0.5).rest)


def test_normals_stand_on_the_surface() -> None:
    mesh = made(sphere(level=3), 0.02)
    np.testing.assert_allclose(np.linalg.norm(mesh.normal, axis=1), 1, atol=1e-6)
    outwards = mesh.rest / np.linalg.norm(mesh.rest, axis=1, keepdims=True)
    # Triangles of the sphere turn by 90 / 8 degrees: a texel's normal is off by less than half of that.
    assert (mesh.normal * outwards).sum(axis=1).min() > np.cos(np.radians(90 / 16))


def test_spacing_is_a_pixel_in_the_middle_of_the_shot() -> None:
    vertices, faces = sphere()
    passes = shown([vertices, vertices + (0, 0.5, 0)], faces)
    middle = (passes.shot.near_m + passes.shot.far_m) / 2
    assert DISTANCE - 0.5 < middle < DISTANCE + 0.5
    assert spacing_of(passes) == pytest.approx(middle / FOCAL)


def test_spacing_does_not_follow_the_frames_that_a_shot_shows() -> None:
    vertices, faces = sphere()
    passes = shown([vertices, vertices * 0.5], faces, rest=vertices)
    other = dataclasses.replace(passes, vertices=passes.vertices[::-1])
    assert spacing_of(other) == spacing_of(passes)
    np.testing.assert_array_equal(shot_texels(other).rest, shot_texels(passes).rest)


def test_spacing_grows_where_there_would_be_too_many_texels(monkeypatch: pytest.MonkeyPatch) -> None:
    passes = shown([sphere()[0]], sphere()[1])
    many, spacing = len(shot_texels(passes)), spacing_of(passes)
    monkeypatch.setattr(texels, "MOST_TEXELS", many // 2)
    assert spacing_of(passes) > spacing
    assert len(shot_texels(passes)) <= many // 2
    monkeypatch.setattr(texels, "MOST_TEXELS", 3)  # fewer than there are vertices
    assert len(shot_texels(passes)) == len(sphere()[0])


def test_the_rest_pose_is_frame_0_where_the_charts_hold_none() -> None:
    vertices, faces = sphere()
    assert np.abs(shot_texels(shown([vertices * 0.9], faces)).rest).max() == pytest.approx(0.45)
    assert np.abs(shot_texels(shown([vertices * 0.9], faces, rest=vertices)).rest).max() == pytest.approx(0.5)


def test_the_free_body() -> None:
    body = free_body()
    mesh = texel_mesh(body.f, body.v_template, np.zeros(len(body.v_template), int), 0.01)
    face, weights = points(mesh, 2000)
    wanted = places(mesh, body.v_template.astype(float), face, weights)
    index, weight = mesh.lookup(face, weights)
    np.testing.assert_allclose(np.einsum("nk,nki->ni", weight, mesh.rest[index]), wanted, atol=3 * ROUNDING)
