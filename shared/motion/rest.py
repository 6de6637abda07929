"""The rest joints of the body that will show a motion, with the shape that it is shown with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from ..body import free_body
from .skeleton import bone_offsets

Array = npt.NDArray[np.float64]
# (24, 3) metres, or what gives them for a shape (10,): a body's `joints`
RestJoints = npt.ArrayLike | Callable[[npt.ArrayLike], npt.ArrayLike]

# Where SMPL's neutral template has its pelvis, and how much lower SMPL-X's has it, metres.
_SMPL_PELVIS: Final = np.array([-0.0018, -0.2233, 0.0282])
SMPLX_PELVIS_OFFSET: Final = np.array([0.005, -0.128, -0.016])
_SAME_TEMPLATE_M: Final = 0.05  # templates of one family differ by less, from gender to gender


def rest_joints_of(rest_joints: RestJoints | None, betas: Array) -> Array:  # betas (10,)
    """The rest joints (24, 3) in metres of the body with shape `betas`; the free body's where None is given.

    Raises MotionError if they are not 24 finite points.
    """
    if rest_joints is None:
        rest_joints = free_body().joints
    joints = np.asarray(rest_joints(betas) if callable(rest_joints) else rest_joints, dtype=np.float64)
    bone_offsets(joints)
    return joints


def pelvis_of_transl(rest_joints: RestJoints | None, betas: Array) -> Array:  # betas (10,)
    """The rest pelvis J0 (3,) in metres from which SMPL's `transl` is counted: pelvis = J0 + transl.

    It is the body's own where its template lies where SMPL's does, so that licensed bodies are met exactly. A template
    that lies elsewhere (on the floor, about its middle) says nothing about the file: SMPL's pelvis counts, moved as the
    shape moves the body's.
    """
    shaped = rest_joints_of(rest_joints, betas)[0]
    mean = rest_joints_of(rest_joints, np.zeros_like(betas))[0]
    if np.linalg.norm(mean - _SMPL_PELVIS) <= _SAME_TEMPLATE_M:
        return np.asarray(shaped)
    return np.asarray(_SMPL_PELVIS + shaped - mean)
