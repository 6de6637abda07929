"""Our bodies as the structure that `smplx.SMPL` takes in place of a pickle."""

from __future__ import annotations

import numpy as np
from smplx.utils import Struct

from shared.body import Body

ROOT_PARENT = 2**32 - 1


def smplx_struct(body: Body) -> Struct:
    """The `data_struct` argument of `smplx.SMPL` for a body: its arrays under SMPL's names, no file, no pickle.

    `smplx.SMPL("", data_struct=smplx_struct(body))` then poses the same vertices as `shared.body.pose_vertices`.
    """
    tree = np.stack([np.array(body.parents), np.arange(len(body.parents))]).astype(np.int64)
    tree[0, 0] = ROOT_PARENT
    return Struct(
        v_template=body.v_template,
        shapedirs=body.shapedirs,
        posedirs=body.posedirs,
        J_regressor=body.joint_regressor,
        weights=body.weights,
        kintree_table=tree,
        f=body.f,
    )
