"""A licensed SMPL file (a pickle of Python 2, chumpy and SciPy) to an npz that opens without pickle."""

from __future__ import annotations

import pickle
import pickletools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from backend.make.body.charts import make_charts
from backend.make.body.parts import assign_parts
from shared.body import Body
from shared.body.loading import body_from_arrays
from shared.errors import BodyError
from shared.files.safe_load import Opaque, Record, read_bytes, unpickle

Arrays = dict[str, NDArray[np.generic]]

DENSE_KEYS: Final = ("v_template", "shapedirs", "posedirs", "weights", "kintree_table", "f")
BETA_COUNT: Final = 10
LICENCE: Final = "Converted from a licensed SMPL file; the licence of that file applies."
MOST_REGRESSOR_ENTRIES: Final = 24 * 200_000
CHUMPY_CLASSES: Final = (
    ("chumpy.ch", "Ch"), ("chumpy.ch", "MatVecMult"), ("chumpy.reordering", "Select"),
    ("chumpy.reordering", "transpose"), ("chumpy.reordering", "Concatenate"),
)  # fmt: skip
HINT: Final = "Use the file SMPL_NEUTRAL.pkl (or MALE, FEMALE) as downloaded from the SMPL web page."


class _Stateful(Record):
    """Keeps the state that the stream gives it; subclasses make an array of it once the stream has ended."""

    __slots__ = ("_state",)

    def __init__(self, *_arguments: object) -> None:
        self._state: object = None

    def __setstate__(self, state: object) -> None:
        self._state = state

    def entries(self, settle: Callable[[object], object]) -> dict[object, object]:
        """The object's attributes by name, empty if it has none."""
        state = settle(self._state)
        return state if isinstance(state, dict) else {}


class _ChumpyValue(_Stateful):
    """Stands for chumpy's classes: it computes nothing; a plain value has its array in `x`."""

    __slots__ = ()

    def build(self, settle: Callable[[object], object]) -> object:
        value = self.entries(settle).get("x")
        return value if isinstance(value, np.ndarray) else Opaque("chumpy expression")


class _SparseColumns(_Stateful):
    """Stands for SciPy's csc_matrix; builds the dense array."""

    __slots__ = ()

    def build(self, settle: Callable[[object], object]) -> NDArray[np.float64]:
        parts = self.entries(settle)
        shape = parts.get("_shape", parts.get("shape"))
        data, rows, starts = (np.asarray(parts.get(key)) for key in ("data", "indices", "indptr"))
        if not isinstance(shape, tuple) or len(shape) != 2 or not all(isinstance(size, int) for size in shape):
            raise pickle.UnpicklingError("a sparse matrix has no shape")
        height, width = shape
        if not 0 < height * width <= MOST_REGRESSOR_ENTRIES or starts.shape != (width + 1,) or rows.shape != data.shape:
            raise pickle.UnpicklingError("a sparse matrix does not have the form of a joint regressor")
        dense = np.zeros((height, width))
        np.add.at(dense, (rows, np.repeat(np.arange(width), np.diff(starts))), data)
        return dense


def _made(kind: Callable[[], object], *_base_and_state: object) -> object:
    """copy_reg._reconstructor: how Python 2 pickles make an object of a class before they give it its state."""
    return kind()


def _smpl_names() -> dict[tuple[str, str], Callable[..., object]]:
    names: dict[tuple[str, str], Callable[..., object]] = {
        ("copy_reg", "_reconstructor"): _made,
        ("copyreg", "_reconstructor"): _made,
        ("__builtin__", "object"): object,
        ("builtins", "object"): object,
    }
    for module in ("scipy.sparse.csc", "scipy.sparse._csc"):  # before and after SciPy 1.8
        names[module, "csc_matrix"] = _SparseColumns
    for module, kind in CHUMPY_CLASSES:
        names[module, kind] = _ChumpyValue
    return names


def _with_calls(data: bytes) -> bytes:
    """The same stream with NEWOBJ (class, arguments) as REDUCE (function, arguments), which stand-ins can serve."""
    changed = bytearray(data)
    for opcode, _argument, position in pickletools.genops(data):
        if opcode.name == "NEWOBJ" and position is not None:
            changed[position : position + 1] = pickle.REDUCE
    return bytes(changed)


def convert_smpl(source: Path, target: Path) -> None:
    """Write the SMPL model of the pickle `source` as the npz `target`, with parts and charts, and check it.

    Nothing in the pickle is run: only NumPy arrays, SciPy csc matrices, chumpy values (as inert stand-ins) and
    latin1 bytes are accepted. 10 of the shapes are kept. Raises BodyError: `file.refused` for a pickle that asks for
    anything else, `file.damaged`, `file.missing`, `body.KEY` for a key that is missing or wrong, `body.unwritable`.
    """
    content = unpickle(_readable(source), name=source.name, error=BodyError, extra=_smpl_names(), encoding="latin1")
    if not isinstance(content, dict):
        raise BodyError(
            "body.not_smpl", f"{source.name} does not contain a table of arrays, so it is not an SMPL model.", HINT
        )
    arrays = {key: _plain_array(content, key, source.name) for key in (*DENSE_KEYS, "J_regressor")}
    if arrays["shapedirs"].ndim == 3:
        arrays["shapedirs"] = arrays["shapedirs"][:, :, :BETA_COUNT]
    body = transfer_parts(body_from_arrays(arrays, source.name))
    if body.part is None or body.chart_uv is None:
        raise BodyError("body.no_parts", f"{source.name} could not be cut into parts.", HINT)
    arrays |= {"part": body.part, "chart_uv": body.chart_uv, "licence": np.array(LICENCE)}
    _write(target, arrays)


def _readable(source: Path) -> bytes:
    try:
        return _with_calls(read_bytes(source, error=BodyError))
    except ValueError as fault:
        raise BodyError("file.damaged", f"{source.name} is not a pickle: {fault}.", HINT) from fault


def _plain_array(content: dict[object, object], key: str, name: str) -> NDArray[np.generic]:
    value = content.get(key)
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
        raise BodyError(f"body.{key}", f"In {name}, '{key}' is missing or is not an array of numbers.", HINT)
    return value.astype(np.float32) if value.dtype.kind == "f" else value


def _write(target: Path, arrays: Arrays) -> None:
    unfinished = target.with_name(target.name + ".part")
    try:
        with unfinished.open("wb") as stream:
            np.savez_compressed(stream, allow_pickle=False, **arrays)
        unfinished.replace(target)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise BodyError(
            "body.unwritable",
            f"{target} cannot be written: {error.strerror}.",
            "Choose a folder that you can write to.",
        ) from error


def transfer_parts(body: Body) -> Body:
    """The same body with `part` and `chart_uv`, made as the free body's are; `quads` stay as they are.

    SMPL's skin weights say which limb a triangle belongs to and the T-pose's surface says which side of it, so any
    mesh with SMPL's 24 joints can be cut the same way. It takes about a minute for a mesh of 20,000 triangles.
    """
    vertices = body.v_template.astype(np.float64)
    triangles = body.f.astype(np.int64)
    part = assign_parts(vertices, triangles, body.weights.astype(np.float64))
    return replace(body, part=part, chart_uv=make_charts(vertices, triangles, part))
