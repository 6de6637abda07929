from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from numpy.typing import NDArray

from shared.body import load_body
from shared.errors import BodyError
from tests.helpers.voxel_body import voxel_body_arrays

Arrays = dict[str, NDArray[Any]]


@pytest.fixture
def arrays() -> Arrays:
    return voxel_body_arrays()


def saved(folder: Path, arrays: Arrays) -> Path:
    path = folder / "body.npz"
    np.savez(path, allow_pickle=True, **arrays)
    return path


def test_a_body_without_parts_loads(tmp_path: Path, arrays: Arrays) -> None:
    body = load_body(saved(tmp_path, arrays))
    assert body.part is None and body.chart_uv is None and body.quads is None
    assert not body.has_pose_correctives
    assert body.parents[:4] == (-1, 0, 0, 0)
    expected = np.asarray(arrays["J_regressor"]) @ np.asarray(arrays["v_template"])
    assert body.joints(np.zeros(10)) == pytest.approx(expected, abs=1e-5)


def test_regressor_as_sparse_columns_equals_the_dense_one(tmp_path: Path, arrays: Arrays) -> None:
    dense = np.where(np.asarray(arrays["J_regressor"]) > 1e-3, arrays["J_regressor"], 0.0)
    sparse = scipy.sparse.csc_matrix(dense)
    del arrays["J_regressor"]
    arrays |= {
        "J_regressor_data": sparse.data,
        "J_regressor_indices": sparse.indices,
        "J_regressor_indptr": sparse.indptr,
    }
    np.testing.assert_allclose(load_body(saved(tmp_path, arrays)).joint_regressor, dense, atol=1e-7)


def test_three_hundred_shapes_are_cut_to_ten(tmp_path: Path, arrays: Arrays) -> None:
    many = np.random.default_rng(0).normal(size=(*arrays["shapedirs"].shape[:2], 300))
    body = load_body(saved(tmp_path, {**arrays, "shapedirs": many}))
    np.testing.assert_allclose(body.shapedirs, many[:, :, :10], atol=1e-6)


def test_root_may_be_minus_one_or_its_unsigned_form(tmp_path: Path, arrays: Arrays) -> None:
    tree = np.array(arrays["kintree_table"])
    tree[0, 0] = -1
    assert load_body(saved(tmp_path, {**arrays, "kintree_table": tree})).parents[0] == -1
    assert load_body(saved(tmp_path, {**arrays, "kintree_table": tree.astype(np.uint32)})).parents[0] == -1


def changed(arrays: Arrays, key: str) -> Arrays:
    """The arrays with one of them damaged in the way that the key's name says."""
    count = len(arrays["v_template"])
    damage: dict[str, NDArray[np.generic]] = {
        "v_template": np.zeros((count, 2)),
        "shapedirs": np.zeros((count, 3, 4)),
        "posedirs": np.full((count, 3, 207), np.inf, dtype=np.float32),
        "J_regressor": np.zeros((23, count)),
        "weights": np.zeros((count, 24)),
        "kintree_table": np.zeros((2, 24), dtype=np.int64),
        "f": np.full((5, 3), count),
        "part": np.full(len(arrays["f"]), 25, dtype=np.uint8),
        "chart_uv": np.zeros((3, 3, 2), dtype=np.float32),
        "quads": np.array([[0, 1, 2, -1]]),
    }
    return {**arrays, key: damage[key]}


@pytest.mark.parametrize(
    "key",
    [
        "v_template",
        "shapedirs",
        "posedirs",
        "J_regressor",
        "weights",
        "kintree_table",
        "f",
        "part",
        "chart_uv",
        "quads",
    ],
)
def test_a_wrong_array_is_named(tmp_path: Path, arrays: Arrays, key: str) -> None:
    with pytest.raises(BodyError, match=f"'{key}'") as caught:
        load_body(saved(tmp_path, changed(arrays, key)))
    assert caught.value.code == f"body.{key}"
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("key", ["v_template", "posedirs", "weights", "f"])
def test_a_missing_array_is_named(tmp_path: Path, arrays: Arrays, key: str) -> None:
    del arrays[key]
    with pytest.raises(BodyError, match=f"'{key}' is missing"):
        load_body(saved(tmp_path, arrays))


def test_parts_without_charts_are_refused(tmp_path: Path, arrays: Arrays) -> None:
    with pytest.raises(BodyError, match="'chart_uv' is missing"):
        load_body(saved(tmp_path, {**arrays, "part": np.ones(len(arrays["f"]), dtype=np.uint8)}))


class Trap:
    """Writes a file as soon as anything unpickles it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path.touch, (self.path,))


def test_an_array_of_objects_is_refused_before_it_runs(tmp_path: Path, arrays: Arrays) -> None:
    sprung = tmp_path / "sprung"
    hostile = np.empty(1, dtype=object)
    hostile[0] = Trap(sprung)
    with pytest.raises(BodyError, match="is not a readable npz body file"):
        load_body(saved(tmp_path, {**arrays, "v_template": hostile}))
    assert not sprung.exists()


def test_no_file_no_archive_and_half_an_archive(tmp_path: Path, arrays: Arrays) -> None:
    with pytest.raises(BodyError, match="There is no body file"):
        load_body(tmp_path / "none.npz")
    text = tmp_path / "text.npz"
    text.write_text("no archive")
    with pytest.raises(BodyError, match="not a readable npz"):
        load_body(text)
    whole = saved(tmp_path, arrays).read_bytes()
    text.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BodyError, match="not a readable npz"):
        load_body(text)


def test_an_archive_that_claims_gigabytes_is_refused_unopened(tmp_path: Path, arrays: Arrays) -> None:
    path = saved(tmp_path, arrays)
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")  # the first file's entry in the archive's directory
    data[entry + 24 : entry + 28] = (2**31).to_bytes(4, "little")  # its size when unpacked
    path.write_bytes(data)
    with pytest.raises(BodyError, match="too many for a body file"):
        load_body(path)
