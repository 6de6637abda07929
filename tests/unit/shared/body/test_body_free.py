"""Facts about the body that ships with the project, each checked on the file itself."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.body import PART_NAMES, Body, free_body
from shared.body.loading import FREE_BODY_PATH
from shared.motion.skeleton import JOINT_INDEX, PARENTS
from tests.helpers.charts import chart_areas, doubly_covered_texels


@pytest.fixture(scope="module")
def body() -> Body:
    return free_body()


@pytest.fixture(scope="module")
def joints(body: Body) -> NDArray[np.float64]:
    return body.joints(np.zeros(10))


def test_file_is_small_and_carries_its_licence(body: Body) -> None:
    assert FREE_BODY_PATH.stat().st_size < 5_000_000
    assert "CC0" in body.licence
    assert "CC0 1.0" in FREE_BODY_PATH.with_name("LICENCE.txt").read_text()


def test_size_and_place_are_smpl_s(body: Body, joints: NDArray[np.float64]) -> None:
    height = np.ptp(body.v_template[:, 1])
    assert height == pytest.approx(1.70, abs=0.02)
    assert joints[0] == pytest.approx([0.0, -0.22, 0.03], abs=0.005)
    assert body.v_template[:, 1].min() == pytest.approx(-1.16, abs=0.02)
    assert body.parents == PARENTS


def test_t_pose(joints: NDArray[np.float64]) -> None:
    def place(name: str) -> NDArray[np.float64]:
        return np.asarray(joints[JOINT_INDEX[name]])

    for side, sign in (("left", 1.0), ("right", -1.0)):
        for start, end in (("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "hand")):
            along = place(f"{side}_{end}") - place(f"{side}_{start}")
            assert sign * along[0] > 0.99 * np.linalg.norm(along)
        for start, end in (("hip", "knee"), ("knee", "ankle")):
            along = place(f"{side}_{end}") - place(f"{side}_{start}")
            assert -along[1] > 0.98 * np.linalg.norm(along)
        toes = place(f"{side}_foot") - place(f"{side}_ankle")
        assert toes[2] > 0.1
    spine = [place(name)[1] for name in ("pelvis", "spine1", "spine2", "spine3", "neck", "head")]
    assert np.all(np.diff(spine) > 0.03)


def test_left_mirrors_right(joints: NDArray[np.float64]) -> None:
    swapped = {"left": "right", "right": "left"}
    for name, index in JOINT_INDEX.items():
        side, _, base = name.partition("_")
        other = JOINT_INDEX[f"{swapped[side]}_{base}" if side in swapped else name]
        assert joints[index] * [-1.0, 1.0, 1.0] == pytest.approx(joints[other], abs=0.001)


def test_weights_have_at_most_four_influences(body: Body) -> None:
    assert (body.weights > 0.0).sum(axis=1).max() <= 4
    np.testing.assert_allclose(body.weights.sum(axis=1), 1.0, atol=1e-6)
    assert (body.weights.max(axis=0) > 0.4).all()  # every joint moves something


def test_each_joint_is_a_mean_of_few_vertices_around_it(body: Body, joints: NDArray[np.float64]) -> None:
    regressor = body.joint_regressor
    assert regressor.min() >= 0.0
    assert regressor.sum(axis=1) == pytest.approx(np.ones(24), abs=1e-5)
    assert (regressor > 0.0).sum(axis=1).max() <= 60
    for joint in range(24):
        used = body.v_template[regressor[joint] > 0.0]
        assert np.linalg.norm(used - joints[joint], axis=1).max() < 0.35


def test_betas_are_sorted_and_the_first_is_size(body: Body) -> None:
    energy = np.sqrt((body.shapedirs**2).sum(axis=(0, 1)))
    assert np.all(np.diff(energy) <= 1e-6)
    heights = []
    for size in (-2.0, 0.0, 2.0):
        betas = np.zeros(10)
        betas[0] = size
        heights.append(np.ptp(body.shaped_vertices(betas)[:, 1]))
    assert heights[0] < heights[1] - 0.05 and heights[2] > heights[1] + 0.05
    assert body.joints(betas)[0] == pytest.approx([0.0, -0.22, 0.03], abs=0.02)


def test_surface_is_a_manifold_that_looks_outwards(body: Body) -> None:
    edges = body.f[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2).astype(np.int64)
    keys = edges[:, 0] * len(body.v_template) + edges[:, 1]
    assert len(np.unique(keys)) == len(keys)  # no directed edge twice: two faces meet, and agree which side is out
    corner = body.v_template[body.f].astype(np.float64)
    volume = np.einsum("fa,fa->f", corner[:, 0], np.cross(corner[:, 1], corner[:, 2])).sum() / 6.0
    assert 0.045 < volume < 0.09  # cubic metres: an adult of this height has 0.05 to 0.08


def test_quads_are_the_same_surface(body: Body) -> None:
    assert body.quads is not None
    halves = np.stack([body.quads[:, [0, 1, 2]], body.quads[:, [0, 2, 3]]], axis=1).reshape(-1, 3)
    assert np.array_equal(halves, body.f)
    assert body.part is not None
    assert np.array_equal(body.part[::2], body.part[1::2])


def test_all_parts_are_there_and_on_their_side(body: Body) -> None:
    assert body.part is not None
    centres = body.v_template[body.f].mean(axis=1)
    assert len(PART_NAMES) == 25
    for label in range(1, 25):
        own, name = centres[body.part == label], PART_NAMES[label]
        assert len(own) > 100, name
        if "left" in name:
            assert own[:, 0].min() > -0.002, name
        elif "right" in name:
            assert own[:, 0].max() < 0.002, name


def test_front_is_before_back(body: Body) -> None:
    assert body.part is not None
    corner = body.v_template[body.f]
    normals = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    for label, name in enumerate(PART_NAMES[1:], start=1):
        total = normals[body.part == label].sum(axis=0)
        if name.endswith("front"):
            assert total[2] > 0.0, name
        elif "back" in name:
            assert total[2] < 0.0, name


def test_each_part_s_chart_is_one_to_one(body: Body) -> None:
    assert body.part is not None and body.chart_uv is not None
    for label in range(1, 25):
        chart = body.chart_uv[body.part == label]
        assert chart_areas(chart).min() > 0.0, f"part {label} has a triangle turned over"
        assert doubly_covered_texels(chart, 1024) == 0, f"part {label} overlaps itself"


def test_charts_fill_the_square_with_little_stretch(body: Body) -> None:
    assert body.part is not None and body.chart_uv is not None
    corner = body.v_template[body.f].astype(np.float64)
    areas_m2 = 0.5 * np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1)
    for label in range(1, 25):
        own = body.part == label
        chart = body.chart_uv[own]
        assert np.ptp(chart.reshape(-1, 2), axis=0) == pytest.approx([1.0, 1.0], abs=0.02)
        assert chart_areas(chart).sum() > 0.3
        density = chart_areas(chart) / areas_m2[own]
        low, middle, high = np.percentile(density, [2, 50, 98])
        assert middle / 3.0 < low and high < middle * 3.0, f"part {label}"
