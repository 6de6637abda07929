"""The steps that make the free body, on small inputs with known answers; none needs the package anny."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.make.body.build import changed_keys
from backend.make.body.regressor import fit_joint_regressor
from backend.make.body.rig import merged_weights, smpl_joint
from backend.make.body.shapes import ShapeSamples, principal_shapes, random_adult
from backend.make.body.source import closed_loop, longest_boundary
from backend.make.body.tpose import Bones, frame, shortest_arc, to_t_pose

Array = NDArray[np.float64]


def test_shortest_arc_turns_the_asked_share() -> None:
    start, end = np.array([1.0, 0.0, 0.0]), np.array([0.0, 2.0, 0.0])
    assert shortest_arc(start, end) @ start == pytest.approx([0.0, 1.0, 0.0])
    assert shortest_arc(start, end, 0.5) @ start == pytest.approx([np.sqrt(0.5), np.sqrt(0.5), 0.0])
    assert shortest_arc(start, start) == pytest.approx(np.eye(3))


def test_frame_is_a_rotation_with_the_main_axis_first() -> None:
    rng = np.random.default_rng(0)
    main, side = rng.normal(size=3), rng.normal(size=3)
    matrix = frame(main, side)
    assert matrix @ matrix.T == pytest.approx(np.eye(3))
    assert np.linalg.det(matrix) == pytest.approx(1.0)
    assert matrix[:, 0] * np.linalg.norm(main) == pytest.approx(main)
    assert matrix[:, 2] @ side == pytest.approx(0.0, abs=1e-12)


def stick_figure() -> tuple[Bones, Array]:
    """The bones that the T-pose needs, in an A-pose with bent elbows, curled fingers and feet turned out."""
    names, parents, heads = ["root"], [-1], [(0.0, 0.0, 0.0)]

    def add(name: str, parent: str, step: tuple[float, float, float]) -> None:
        names.append(name)
        parents.append(names.index(parent))
        heads.append(tuple(np.add(heads[parents[-1]], step)))

    for side, x in (("L", 1.0), ("R", -1.0)):
        add(f"upperleg01.{side}", "root", (0.1 * x, -0.05, 0.0))
        add(f"lowerleg01.{side}", f"upperleg01.{side}", (0.05 * x, -0.4, 0.02))
        add(f"foot.{side}", f"lowerleg01.{side}", (0.05 * x, -0.4, -0.03))
        add(f"toe2-1.{side}", f"foot.{side}", (0.06 * x, -0.05, 0.12))
        add(f"shoulder01.{side}", "root", (0.08 * x, 0.45, 0.0))
        add(f"upperarm01.{side}", f"shoulder01.{side}", (0.08 * x, 0.0, 0.0))
        add(f"lowerarm01.{side}", f"upperarm01.{side}", (0.18 * x, -0.2, 0.0))
        add(f"lowerarm02.{side}", f"lowerarm01.{side}", (0.08 * x, -0.08, 0.06))
        add(f"wrist.{side}", f"lowerarm02.{side}", (0.08 * x, -0.08, 0.06))
        for digit in (2, 3, 4, 5):
            add(f"finger{digit}-1.{side}", f"wrist.{side}", (0.04 * x, -0.07, 0.06 - 0.02 * digit))
            add(f"finger{digit}-2.{side}", f"finger{digit}-1.{side}", (0.01 * x, -0.03, 0.0))
            add(f"finger{digit}-3.{side}", f"finger{digit}-2.{side}", (0.0, -0.03, 0.0))
    return Bones(tuple(names), np.array(parents)), np.array(heads)


def test_t_pose_of_a_stick_figure() -> None:
    bones, heads = stick_figure()
    vertices, moved = to_t_pose(heads, heads, np.eye(len(heads)), bones)
    assert vertices == pytest.approx(moved)  # a vertex on a bone's head goes where the head goes
    lengths = [np.linalg.norm(places - places[bones.parents], axis=1)[1:] for places in (heads, moved)]
    assert lengths[1] == pytest.approx(lengths[0])
    for side, x in (("L", 1.0), ("R", -1.0)):
        at = {name: moved[bones.index(f"{name}.{side}")] for name in ("upperarm01", "lowerarm01", "wrist", "finger3-3")}
        for start, end in (("upperarm01", "lowerarm01"), ("lowerarm01", "wrist"), ("wrist", "finger3-3")):
            along = (at[end] - at[start]) / np.linalg.norm(at[end] - at[start])
            assert x * along[0] > 0.98
        index, little = (moved[bones.index(f"finger{digit}-1.{side}")] for digit in (2, 5))
        assert index[2] > little[2] + 0.05  # palms down: the index finger is the foremost
        leg = moved[bones.index(f"foot.{side}")] - moved[bones.index(f"upperleg01.{side}")]
        assert -leg[1] > 0.99 * np.linalg.norm(leg)
        toes = moved[bones.index(f"toe2-1.{side}")] - moved[bones.index(f"foot.{side}")]
        assert toes[1] == pytest.approx(-0.05)  # soles stay as flat as they were
        assert np.rad2deg(np.arctan2(x * toes[0], toes[2])) == pytest.approx(8.0)


@pytest.mark.parametrize(
    ("bone", "joint"),
    [
        ("root", "pelvis"), ("spine05", "pelvis"), ("spine02", "spine2"), ("breast.L", "spine3"),
        ("upperleg02.L", "left_hip"), ("lowerleg01.R", "right_knee"), ("toe3-2.L", "left_foot"),
        ("shoulder01.R", "right_collar"), ("upperarm02.R", "right_shoulder"), ("metacarpal2.L", "left_hand"),
        ("neck03", "neck"), ("oculi01.L", "head"), ("jaw", "head"),
    ],
)  # fmt: skip
def test_bones_go_to_the_joints_that_move_them(bone: str, joint: str) -> None:
    assert smpl_joint(bone) == joint


def test_merged_weights_keep_the_four_largest() -> None:
    names = ("root", "spine03", "spine02", "spine01", "neck01", "head", "jaw")
    merged = merged_weights(np.array([[0.05, 0.1, 0.15, 0.2, 0.24, 0.13, 0.13], [0, 0, 0, 0, 0, 0.5, 0.5]]), names)
    assert merged.sum(axis=1) == pytest.approx([1.0, 1.0])
    kept = np.array([0.15, 0.2, 0.24, 0.26])
    assert sorted(merged[0][merged[0] > 0.0]) == pytest.approx(kept / kept.sum())
    assert merged[1, 15] == pytest.approx(1.0)


def test_regressor_finds_joints_of_bodies_that_it_was_not_fitted_to() -> None:
    rng = np.random.default_rng(1)
    directions = rng.normal(size=(400, 3))
    sphere = directions / np.linalg.norm(directions, axis=1, keepdims=True) * 0.1
    scale = rng.uniform(0.7, 1.3, (30, 1, 3))
    vertices = sphere * scale
    joints = np.tile(np.array([0.03, -0.02, 0.01]), (30, 24, 1)) * scale
    regressor = fit_joint_regressor(ShapeSamples(vertices[:20], joints[:20]), np.full((400, 24), 1.0 / 24.0))
    assert regressor.min() >= 0.0
    assert regressor.sum(axis=1) == pytest.approx(np.ones(24))
    np.testing.assert_allclose(np.einsum("jv,svx->sjx", regressor, vertices[20:]), joints[20:], atol=1e-4)


def test_principal_shapes_are_one_deviation_of_the_samples() -> None:
    rng = np.random.default_rng(2)
    base = rng.normal(0.0, 0.3, (60, 3)) + [0.0, -0.2, 0.0]
    taller, other = base * [0.0, 1.0, 0.0], rng.normal(0.0, 0.01, (60, 3))
    amounts = rng.normal(0.0, [0.3, 1.0], (400, 2))
    vertices = base + amounts[:, :1, None] * taller + amounts[:, 1:, None] * other
    mean, shapes = principal_shapes(ShapeSamples(vertices, np.zeros((400, 24, 3))))
    np.testing.assert_allclose(mean, vertices.mean(axis=0), atol=1e-12)
    assert shapes.shape == (60, 3, 10)
    deviation = np.sqrt((shapes**2).sum(axis=(0, 1)))
    spread = np.sqrt(((vertices - mean) ** 2).sum(axis=(1, 2)).sum() / 399)
    assert np.linalg.norm(deviation) == pytest.approx(spread)
    assert deviation[2] == pytest.approx(0.0, abs=1e-6)  # two directions went in, two come out
    assert np.ptp((mean + shapes[:, :, 0])[:, 1]) > np.ptp(mean[:, 1])


def test_random_adults_are_adults_and_repeatable() -> None:
    first, again = ([random_adult(np.random.default_rng(seed)) for seed in range(20)] for _ in range(2))
    assert first == again
    assert all(0.0 <= value <= 1.0 for person in first for value in person.values())
    assert min(person["age"] for person in first) > 0.6


def test_an_open_loop_is_closed_across_its_shorter_way() -> None:
    ring = np.array([(x, y, 0.0) for x, y in ((0, 0), (1, 0), (2, 0), (3, 0), (3, 1), (2, 1), (1, 1), (0, 1))], float)
    quads = closed_loop(np.roll(np.arange(8), 3), ring)
    assert quads.shape == (3, 4)
    edges = {tuple(edge) for quad in quads for edge in zip(quad, np.roll(quad, -1), strict=True)}
    assert all((after, before) in edges for before, after in ((0, 1), (1, 2), (4, 5), (7, 0)))
    assert max(np.linalg.norm(ring[a] - ring[b]) for a, b in edges) == pytest.approx(1.0)


def test_the_longest_boundary_follows_the_faces() -> None:
    quads = np.array([[0, 1, 4, 3], [1, 2, 5, 4]])
    loop = longest_boundary(quads)
    assert np.roll(loop, -int(np.argmin(loop))).tolist() == [0, 1, 2, 5, 4, 3]


def test_check_names_what_would_change(tmp_path: Path) -> None:
    path = tmp_path / "body.npz"
    np.savez(path, f=np.arange(3), weights=np.ones(2))
    assert changed_keys({"f": np.arange(3), "weights": np.ones(2)}, path) == []
    assert changed_keys({"f": np.arange(4), "quads": np.ones(2)}, path) == ["f", "quads", "weights"]
