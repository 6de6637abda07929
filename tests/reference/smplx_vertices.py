"""`python -m tests.reference.smplx_vertices IN.npz OUT.npy`: the free body by smplx, in its own process."""

from __future__ import annotations

import sys

import numpy as np


def main(source: str, target: str) -> None:
    import smplx
    import torch

    from backend.make.body.smplx_struct import smplx_struct
    from shared.body import free_body

    with np.load(source) as data:
        poses, betas, root = (torch.tensor(data[name], dtype=torch.float32) for name in ("poses", "betas", "root"))
    model = smplx.SMPL("", data_struct=smplx_struct(free_body()), batch_size=len(poses))
    with torch.no_grad():
        result = model(
            betas=betas[None].expand(len(poses), -1),
            global_orient=poses[:, 0],
            body_pose=poses[:, 1:].reshape(len(poses), 69),
            transl=root,
        )
    np.save(target, result.vertices.numpy())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
