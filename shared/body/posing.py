"""Linear blend skinning with shape betas and pose correctives, batched over frames."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import BodyError
from ..rotations import axis_angle_to_matrix
from .model import JOINT_COUNT, Body, FloatArray, checked

FRAMES_AT_ONCE: Final = 16  # keeps the blended transforms of a batch within a few tens of megabytes


def joint_transforms(body: Body, poses: npt.ArrayLike, betas: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """World rotations (frames, 24, 3, 3) and joint positions (frames, 24, 3) in metres by forward kinematics.

    `poses` (frames, 24, 3) axis-angle radians relative to the parent, `betas` (10,). Translation is not added.
    Raises BodyError for wrong shapes and values that are not finite.
    """
    local = axis_angle_to_matrix(checked(poses, (-1, JOINT_COUNT, 3), "poses"))
    return _forward(body.parents, local, body.joints(betas))


def _forward(parents: tuple[int, ...], local: FloatArray, rest: FloatArray) -> tuple[FloatArray, FloatArray]:
    world = np.empty_like(local)
    places = np.empty(local.shape[:-1])
    for joint, parent in enumerate(parents):
        if parent < 0:
            world[:, joint], places[:, joint] = local[:, joint], rest[joint]
        else:
            world[:, joint] = world[:, parent] @ local[:, joint]
            places[:, joint] = places[:, parent] + world[:, parent] @ (rest[joint] - rest[parent])
    return world, places


def pose_vertices(
    body: Body,
    poses: npt.ArrayLike,  # (24, 3) axis-angle radians
    betas: npt.ArrayLike,  # (10,)
    transl: npt.ArrayLike,  # (3,) metres
) -> FloatArray:
    """Vertices (V, 3) in metres of one pose; see `pose_vertices_batch`."""
    one_pose = checked(poses, (JOINT_COUNT, 3), "poses")
    one_place = checked(transl, (3,), "translation")
    return np.asarray(pose_vertices_batch(body, one_pose[None], betas, one_place[None])[0], dtype=np.float64)


def pose_vertices_batch(
    body: Body,
    poses: npt.ArrayLike,  # (frames, 24, 3) axis-angle radians
    betas: npt.ArrayLike,  # (10,)
    transl: npt.ArrayLike,  # (frames, 3) metres
) -> npt.NDArray[np.float32]:
    """Vertices (frames, V, 3) in metres: SMPL's equations 2 to 10 (Loper et al. 2015).

    Pose correctives act on (R - I) of joints 1 to 23, row-major. A body without them skips that work.
    Raises BodyError for wrong shapes, values that are not finite and frame counts that differ.
    """
    turns = checked(poses, (-1, JOINT_COUNT, 3), "poses")
    places = checked(transl, (-1, 3), "translations")
    if len(turns) != len(places):
        raise BodyError(
            "body.frame_count",
            f"There are {len(turns)} poses but {len(places)} translations; there must be one of each per frame.",
        )
    shaped = body.shaped_vertices(betas)
    rest = body.joint_regressor.astype(np.float64) @ shaped
    result = np.empty((len(turns), len(shaped), 3), dtype=np.float32)
    for start in range(0, len(turns), FRAMES_AT_ONCE):
        rows = slice(start, start + FRAMES_AT_ONCE)
        result[rows] = _skin(body, axis_angle_to_matrix(turns[rows]), shaped, rest, places[rows])
    return result


def _skin(
    body: Body, local: FloatArray, shaped: FloatArray, rest: FloatArray, transl: FloatArray
) -> npt.NDArray[np.float32]:
    world, joints = _forward(body.parents, local, rest)
    offsets = joints - np.einsum("fjab,jb->fja", world, rest) + transl[:, None]
    affine = np.concatenate([world, offsets[..., None]], axis=-1).astype(np.float32)  # (frames, 24, 3, 4)
    frames, count = len(local), len(shaped)
    columns = affine.transpose(1, 0, 2, 3).reshape(JOINT_COUNT, -1)
    blended = (body.weights @ columns).reshape(count, frames, 3, 4)
    points = np.broadcast_to(shaped.astype(np.float32)[:, None], (count, frames, 3))
    if body.has_pose_correctives:
        features = (local[:, 1:] - np.eye(3)).reshape(frames, -1).astype(np.float32)
        points = points + (body.posedirs @ features.T).transpose(0, 2, 1)
    moved = np.matmul(blended[..., :3], points[..., None])[..., 0] + blended[..., 3]
    return np.asarray(moved.transpose(1, 0, 2), dtype=np.float32)
