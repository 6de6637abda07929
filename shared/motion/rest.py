"""The rest joints that a reader needs: those of the body that will show the motion."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .skeleton import bone_offsets

Array = npt.NDArray[np.float64]


def rest_joints_for(rest_joints: npt.ArrayLike | None, betas: Array) -> Array:
    # rest_joints (24, 3) metres or None, betas (10,)
    """The given rest joints, or the free body's with shape `betas`; (24, 3) metres.

    Raises MotionError if the given ones are not 24 finite points.
    """
    if rest_joints is None:
        from ..body import free_body  # the body's file is read only where it is needed

        return np.asarray(free_body().joints(betas), dtype=np.float64)
    bone_offsets(rest_joints)
    return np.asarray(rest_joints, dtype=np.float64)
