from __future__ import annotations

import io
import pickle
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from numpy.typing import NDArray

from backend.make.body.convert_smpl import convert_smpl
from shared.body import PART_NAMES, load_body
from shared.errors import BodyError
from tests.helpers.charts import chart_areas, doubly_covered_texels
from tests.helpers.voxel_body import JOINTS, voxel_body_arrays


def foreign_class(module: str, name: str) -> type:
    """A class that pickles under a name of a module that the reader does not have."""
    return type(name, (), {"__module__": module})


CHUMPY_VALUE = foreign_class("chumpy.ch", "Ch")
SPARSE_COLUMNS = foreign_class("scipy.sparse.csc", "csc_matrix")  # its name under Python 2


@pytest.fixture(scope="module")
def foreign_modules() -> Iterator[None]:
    """Lets pickle find the two classes where their names say, so that it writes them."""
    with pytest.MonkeyPatch.context() as patch:
        for cls in (CHUMPY_VALUE, SPARSE_COLUMNS):
            holder = types.ModuleType(cls.__module__)
            setattr(holder, cls.__name__, cls)
            patch.setitem(sys.modules, cls.__module__, holder)
        patch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
        yield


def chumpy_value(x: NDArray[np.generic]) -> object:
    """As chumpy's Ch keeps an array: in `x`, beside bookkeeping of its own."""
    value = CHUMPY_VALUE()
    value.__dict__.update(x=x, _dirty_vars={"x"}, _itr=None)
    return value


def sparse_columns(dense: NDArray[np.generic]) -> object:
    """As SciPy's csc_matrix under Python 2 keeps its parts."""
    sparse = scipy.sparse.csc_matrix(dense)
    value = SPARSE_COLUMNS()
    shape = tuple(int(size) for size in sparse.shape)
    value.__dict__.update(data=sparse.data, indices=sparse.indices, indptr=sparse.indptr, _shape=shape, maxprint=50)
    return value


def smpl_pickle(protocol: int) -> tuple[bytes, dict[str, NDArray[np.generic]]]:
    """A model in the form of SMPL's own files, and the plain arrays in it."""
    arrays = voxel_body_arrays(seed=5, posedirs_m=0.002)
    shapes = np.random.default_rng(1).normal(0.0, 0.01, (len(arrays["v_template"]), 3, 20))
    arrays |= {"posedirs": np.asarray(arrays["posedirs"], dtype=np.float32)}
    arrays |= {"shapedirs": shapes, "kintree_table": np.asarray(arrays["kintree_table"]).astype(np.uint32)}
    arrays |= {"f": np.asarray(arrays["f"]).astype(np.uint32)}
    content: dict[str, object] = dict(arrays)
    content |= {"shapedirs": chumpy_value(shapes), "J_regressor": sparse_columns(arrays["J_regressor"])}
    content |= {"J": JOINTS, "bs_style": "lbs", "bs_type": "lrotmin", "J_regressor_prior": sparse_columns(np.eye(24))}
    stream = io.BytesIO()
    # Protocols 0 to 2 are Python 2's: with fix_imports the stream names copy_reg and __builtin__ as Python 2 did.
    pickle.Pickler(stream, protocol=protocol, fix_imports=True).dump(content)
    return stream.getvalue(), arrays


@dataclass(frozen=True)
class Converted:
    """A converted file and what went into it."""

    path: Path
    arrays: dict[str, NDArray[Any]]


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory, foreign_modules: None) -> Converted:
    folder = tmp_path_factory.mktemp("smpl")
    source, target = folder / "SMPL_NEUTRAL.pkl", folder / "smpl.npz"
    data, arrays = smpl_pickle(protocol=2)
    source.write_bytes(data)
    convert_smpl(source, target)
    return Converted(target, arrays)


def test_a_model_of_python_2_chumpy_and_scipy_becomes_a_plain_npz(converted: Converted) -> None:
    body, arrays = load_body(converted.path), converted.arrays
    np.testing.assert_allclose(body.v_template, arrays["v_template"], atol=1e-6)
    np.testing.assert_allclose(body.shapedirs, np.asarray(arrays["shapedirs"])[:, :, :10], atol=1e-6)
    np.testing.assert_allclose(body.posedirs, np.asarray(arrays["posedirs"]), atol=1e-6)
    np.testing.assert_allclose(body.joint_regressor, np.asarray(arrays["J_regressor"]), atol=1e-6)
    assert np.array_equal(body.f, arrays["f"])
    assert body.has_pose_correctives and body.parents[0] == -1
    assert sorted(path.name for path in converted.path.parent.iterdir()) == ["SMPL_NEUTRAL.pkl", "smpl.npz"]


@pytest.mark.usefixtures("foreign_modules")
def test_the_text_protocol_reads_the_same(tmp_path: Path) -> None:
    """Protocol 0 makes objects by copy_reg._reconstructor; broken off here by a missing key, after all was read."""
    data, _ = smpl_pickle(protocol=0)
    content = pickle.loads(data)  # noqa: S301  our own stream
    del content["weights"]
    source = tmp_path / "old.pkl"
    source.write_bytes(pickle.dumps(content, protocol=0))
    with pytest.raises(BodyError, match="'weights' is missing") as caught:
        convert_smpl(source, tmp_path / "out.npz")
    assert caught.value.code == "body.weights"


class Hostile:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_hostile_pickle_is_refused_before_it_runs(tmp_path: Path, protocol: int) -> None:
    sprung, source = tmp_path / "sprung", tmp_path / "SMPL_MALE.pkl"
    source.write_bytes(pickle.dumps({"v_template": Hostile(sprung)}, protocol=protocol))
    with pytest.raises(BodyError, match="was not opened") as caught:
        convert_smpl(source, tmp_path / "out.npz")
    assert caught.value.code == "file.refused"
    assert not sprung.exists() and not (tmp_path / "out.npz").exists()


@pytest.mark.parametrize(
    "name",
    [b"cos\nsystem\n", b"cbuiltins\neval\n", b"c__builtin__\nexec\n", b"ccodecs\nencode\n", b"cchumpy.ch\nsystem\n"],
)
def test_functions_by_name_are_refused(tmp_path: Path, name: bytes) -> None:
    source = tmp_path / "x.pkl"
    source.write_bytes(name + b"(S'true'\ntR.")
    with pytest.raises(BodyError, match="was not opened"):
        convert_smpl(source, tmp_path / "out.npz")


@pytest.mark.parametrize("data", [b"", b"no pickle", pickle.dumps({"v_template": np.zeros(9)})[:-8], b"\x80\x02\x81."])
def test_a_damaged_file_is_named(tmp_path: Path, data: bytes) -> None:
    source = tmp_path / "broken.pkl"
    source.write_bytes(data)
    with pytest.raises(BodyError, match="broken.pkl"):
        convert_smpl(source, tmp_path / "out.npz")


def test_a_pickle_that_is_no_model_is_named(tmp_path: Path) -> None:
    source = tmp_path / "list.pkl"
    source.write_bytes(pickle.dumps([1, 2, 3], protocol=2))
    with pytest.raises(BodyError, match="is not an SMPL model"):
        convert_smpl(source, tmp_path / "out.npz")


def test_parts_of_a_converted_body_are_where_its_limbs_are(converted: Converted) -> None:
    body = load_body(converted.path)
    assert body.part is not None and body.chart_uv is not None
    centres = body.v_template[body.f].mean(axis=1)
    boxes = {
        "left_lower_arm": ((0.48, 0.1, -0.2), (0.64, 0.3, 0.2)),
        "right_upper_arm": ((-0.4, 0.1, -0.2), (-0.24, 0.3, 0.2)),
        "left_lower_leg": ((0.0, -1.0, -0.2), (0.2, -0.76, 0.2)),
        "right_upper_leg": ((-0.2, -0.64, -0.2), (0.0, -0.44, 0.2)),
        "left_hand": ((0.76, 0.1, -0.2), (0.9, 0.3, 0.2)),
        "right_foot": ((-0.2, -1.2, 0.06), (0.0, -1.1, 0.3)),
        "left_head": ((0.0, 0.4, -0.2), (0.2, 0.6, 0.2)),
        "torso_front": ((-0.1, -0.1, 0.079), (0.1, 0.2, 0.09)),
        "torso_back": ((-0.1, -0.1, -0.09), (0.1, 0.2, -0.079)),
    }
    for name, (low, high) in boxes.items():
        inside = np.all((centres > low) & (centres < high), axis=1)
        found = {PART_NAMES[label] for label in body.part[inside]}
        assert found and all(part.startswith(name) for part in found), (name, found)
    assert set(body.part) == set(range(1, 25))
    for label in range(1, 25):
        chart = body.chart_uv[body.part == label]
        assert chart_areas(chart).min() > 0.0
        assert doubly_covered_texels(chart, 512) == 0
