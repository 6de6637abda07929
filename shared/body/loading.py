"""Reading a body from an npz file: the free body's own, or one converted from a licensed SMPL file."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import BodyError
from .model import BETA_COUNT, JOINT_COUNT, POSE_FEATURE_COUNT, Body

FREE_BODY_PATH: Final = Path(__file__).with_name("free_body.npz")
ROOT_MARKS: Final = (-1, 2**32 - 1)  # how SMPL files spell "no parent": an unsigned -1
LARGEST_FILE: Final = 512 * 1024 * 1024  # unpacked; SMPL with 300 shapes has 230 MB in double precision
WEIGHT_SUM_TOLERANCE: Final = 1e-3
HINT: Final = "Convert an SMPL file with `latentman convert-smpl FILE`."

Arrays = Mapping[str, npt.NDArray[np.generic]]
Array = npt.NDArray[np.generic]


@cache
def free_body() -> Body:
    """The body that ships with the project; see LICENCE.txt beside it."""
    return load_body(FREE_BODY_PATH)


def load_body(path: str | Path) -> Body:
    """A body from an npz file with SMPL's keys; nothing in the file is executed.

    Keys: v_template (V, 3), shapedirs (V, 3, 10 or more), posedirs (V, 3, 207), J_regressor (24, V) dense or as the
    parts of a csc matrix (J_regressor_data, _indices, _indptr), weights (V, 24), kintree_table (2, 24), f (F, 3);
    optional part (F,), chart_uv (F, 3, 2), quads (Q, 4), licence. More than 10 shapes are cut to the first 10.
    Raises BodyError that names the key at fault.
    """
    return body_from_arrays(_read(Path(path)), str(path))


def _read(path: Path) -> dict[str, Array]:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > LARGEST_FILE:
            raise BodyError("body.too_large", f"{path} unpacks to {unpacked} bytes, too many for a body file.")
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except FileNotFoundError:
        raise BodyError("body.not_found", f"There is no body file {path}.") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise BodyError("body.unreadable", f"{path} is not a readable npz body file: {error}.", HINT) from error


def body_from_arrays(arrays: Arrays, name: str) -> Body:
    """A checked body from named arrays; `name` says in errors where they came from."""
    keys = _Keys(arrays, name)
    template = keys.floats("v_template", (-1, 3))
    count = len(template)
    shapes = keys.floats("shapedirs", (count, 3, -1))
    if shapes.shape[2] < BETA_COUNT:
        raise keys.error("shapedirs", f"has {shapes.shape[2]} shapes, but 10 are needed")
    weights = keys.floats("weights", (count, JOINT_COUNT))
    if np.abs(weights.sum(axis=1) - 1.0).max() > WEIGHT_SUM_TOLERANCE or weights.min() < 0.0:
        raise keys.error("weights", "must have rows of non-negative numbers that sum to 1")
    posedirs = keys.floats("posedirs", (count, 3, POSE_FEATURE_COUNT))
    faces = keys.indices("f", 3, count)
    part = keys.floats("part", (len(faces),)) if "part" in arrays else None
    if part is not None and not np.isin(part, np.arange(1, 25)).all():
        raise keys.error("part", "must contain DensePose parts 1 to 24")
    chart_uv = keys.floats("chart_uv", (len(faces), 3, 2)) if "chart_uv" in arrays else None
    if chart_uv is not None and (chart_uv.min() < 0.0 or chart_uv.max() > 1.0):
        raise keys.error("chart_uv", "must be from 0 to 1")
    if (part is None) != (chart_uv is None):
        raise keys.error("part" if part is None else "chart_uv", "is missing, although its counterpart exists")
    return Body(
        v_template=template,
        shapedirs=np.ascontiguousarray(shapes[:, :, :BETA_COUNT]),
        posedirs=posedirs,
        joint_regressor=_regressor(keys, count),
        weights=weights,
        parents=_parents(keys),
        f=faces,
        part=None if part is None else part.astype(np.uint8),
        chart_uv=chart_uv,
        quads=keys.indices("quads", 4, count) if "quads" in arrays else None,
        has_pose_correctives=bool(posedirs.any()),
        licence=str(arrays["licence"]) if "licence" in arrays else "",
    )


class _Keys:
    """Named arrays whose shape and values are checked as they are taken out."""

    def __init__(self, arrays: Arrays, name: str) -> None:
        self.arrays = arrays
        self.name = name

    def error(self, key: str, problem: str) -> BodyError:
        return BodyError(f"body.{key}", f"In {self.name}, '{key}' {problem}.", HINT)

    def take(self, key: str, shape: tuple[int, ...]) -> Array:
        if key not in self.arrays:
            raise self.error(key, "is missing")
        array = np.asarray(self.arrays[key])
        fits = array.ndim == len(shape) and all(w in (-1, h) for w, h in zip(shape, array.shape, strict=True))
        if not fits or not array.size:
            wanted = ", ".join("any" if size < 0 else str(size) for size in shape)
            raise self.error(key, f"must have the shape ({wanted}), but has {array.shape}")
        if array.dtype.kind not in "fiu":
            raise self.error(key, f"must contain numbers, but has the type {array.dtype}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise self.error(key, "contains NaN or infinity")
        return array

    def floats(self, key: str, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
        values = np.ascontiguousarray(self.take(key, shape), dtype=np.float32)
        values.flags.writeable = False
        return values

    def indices(self, key: str, corners: int, vertices: int) -> npt.NDArray[np.int32]:
        values = self.take(key, (-1, corners)).astype(np.int64)
        if values.min() < 0 or values.max() >= vertices:
            raise self.error(key, f"must contain vertex numbers from 0 to {vertices - 1}")
        return values.astype(np.int32)


def _regressor(keys: _Keys, count: int) -> npt.NDArray[np.float32]:
    """J_regressor, dense in the file or as the three arrays of a compressed sparse column matrix."""
    if "J_regressor" in keys.arrays:
        return keys.floats("J_regressor", (JOINT_COUNT, count))
    data = keys.floats("J_regressor_data", (-1,))
    rows = keys.take("J_regressor_indices", (len(data),)).astype(np.int64)
    starts = keys.take("J_regressor_indptr", (count + 1,)).astype(np.int64)
    if rows.min() < 0 or rows.max() >= JOINT_COUNT:
        raise keys.error("J_regressor_indices", "must contain joint numbers from 0 to 23")
    if starts[0] != 0 or starts[-1] != len(data) or (np.diff(starts) < 0).any():
        raise keys.error("J_regressor_indptr", "does not describe a compressed sparse column matrix")
    dense = np.zeros((JOINT_COUNT, count), dtype=np.float32)
    np.add.at(dense, (rows, np.repeat(np.arange(count), np.diff(starts))), data)
    return dense


def _parents(keys: _Keys) -> tuple[int, ...]:
    table = keys.take("kintree_table", (2, JOINT_COUNT)).astype(np.int64)
    if table[0, 0] not in ROOT_MARKS:
        raise keys.error("kintree_table", "must begin with the root, whose parent is 2**32 - 1")
    parents = [-1, *(int(parent) for parent in table[0, 1:])]
    if any(not 0 <= parent < joint for joint, parent in enumerate(parents) if joint):
        raise keys.error("kintree_table", "must give every joint a parent that comes before it")
    return tuple(parents)
