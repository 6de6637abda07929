from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from backend.make.body.smplx_struct import smplx_struct
from shared.body import Body, free_body, pose_vertices_batch
from shared.body.loading import body_from_arrays
from tests.helpers.voxel_body import voxel_body_arrays

TOLERANCE_M = 1e-4
POSES = 20


def by_smplx(body: Body, poses: NDArray[np.float64], betas: NDArray[np.float64], root: NDArray[np.float64]) -> object:
    """Vertices of smplx's own forward pass, (POSES, V, 3)."""
    import smplx

    # smplx also picks single vertices as joints, by their number in SMPL's own mesh; here any vertex will do.
    picked = dict.fromkeys(("nose", "reye", "leye", "rear", "lear"), 0)
    model = smplx.SMPL(
        "",
        data_struct=smplx_struct(body),
        batch_size=len(poses),
        vertex_ids=picked,
        use_hands=False,
        use_feet_keypoints=False,
    )
    with torch.no_grad():
        result = model(
            betas=torch.tensor(betas, dtype=torch.float32),
            global_orient=torch.tensor(poses[:, 0], dtype=torch.float32),
            body_pose=torch.tensor(poses[:, 1:].reshape(len(poses), 69), dtype=torch.float32),
            transl=torch.tensor(root, dtype=torch.float32),
        )
    return result.vertices.numpy()


def bodies() -> list[Body]:
    rng = np.random.default_rng(8)
    free = free_body()
    correctives = rng.normal(0.0, 0.002, free.posedirs.shape).astype(np.float32)
    return [
        free,
        dataclasses.replace(free, posedirs=correctives, has_pose_correctives=True),
        body_from_arrays(voxel_body_arrays(seed=1, posedirs_m=0.003), "voxels"),
    ]


@pytest.mark.parametrize("index", [0, 1, 2], ids=["free body", "with 207 correctives", "another mesh"])
def test_vertices_equal_smplx_on_random_poses_and_betas(index: int) -> None:
    body = bodies()[index]
    rng = np.random.default_rng(20)
    poses, root = rng.normal(0.0, 0.6, (POSES, 24, 3)), rng.normal(0.0, 1.0, (POSES, 3))
    betas = rng.normal(0.0, 1.5, (POSES, 10))
    expected = np.asarray(by_smplx(body, poses, betas, root))
    for frame in range(POSES):
        ours = pose_vertices_batch(body, poses[frame : frame + 1], betas[frame], root[frame : frame + 1])[0]
        assert np.linalg.norm(ours - expected[frame], axis=1).max() < TOLERANCE_M
