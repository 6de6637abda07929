"""Ten betas for the free body: principal components of anny's adult phenotypes, all in the T-pose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from backend.make.body.rig import joint_places
from backend.make.body.source import SourceBody
from backend.make.body.tpose import Bones, to_t_pose

Array = NDArray[np.float64]

BETA_COUNT: Final = 10
PELVIS_M: Final = np.array([0.0, -0.22, 0.03])  # SMPL's, so that AMASS' root translations put the feet on the floor
MEAN_HEIGHT_M: Final = 1.70


@dataclass(frozen=True, slots=True)
class ShapeSamples:
    """Bodies of random adults in the T-pose, pelvis at PELVIS_M."""

    vertices: Array  # (samples, V, 3) metres
    joints: Array  # (samples, 24, 3) metres


def random_adult(rng: np.random.Generator) -> dict[str, float]:
    """One adult as anny's phenotypes in 0..1, spread about the middle as adults are."""

    def about(mean: float, spread: float) -> float:
        return float(np.clip(rng.normal(mean, spread), 0.0, 1.0))

    african, asian, caucasian = rng.dirichlet((4.0, 4.0, 4.0))
    return {
        "gender": float(rng.uniform()),
        "age": float(rng.uniform(0.64, 0.95)),  # 2/3 is a young adult, 1 is old
        "muscle": about(0.5, 0.28),
        "weight": about(0.5, 0.28),
        "height": about(0.38, 0.065),
        "proportions": about(0.8, 0.15),
        "cupsize": about(0.4, 0.15),
        "firmness": about(0.6, 0.15),
        "african": float(african),
        "asian": float(asian),
        "caucasian": float(caucasian),
    }


def sample_adults(source: SourceBody, count: int, seed: int) -> ShapeSamples:
    """`count` random adults in the T-pose, scaled by one factor so that their mean height is MEAN_HEIGHT_M."""
    rng = np.random.default_rng(seed)
    bones = Bones(source.bone_names, source.bone_parents)
    vertices = np.empty((count, len(source.kept), 3))
    joints = np.empty((count, 24, 3))
    for index in range(count):
        a_pose, heads = source.sample(random_adult(rng))
        t_pose, t_heads = to_t_pose(a_pose, heads, source.bone_weights, bones)
        places = joint_places(t_heads, source.bone_names)
        vertices[index] = t_pose - places[0]
        joints[index] = places - places[0]
    scale = MEAN_HEIGHT_M / np.ptp(vertices[:, :, 1], axis=1).mean()
    return ShapeSamples(vertices * scale + PELVIS_M, joints * scale + PELVIS_M)


def principal_shapes(samples: ShapeSamples) -> tuple[Array, Array]:
    """Mean body (V, 3) and shape directions (V, 3, 10), each one standard deviation of the samples.

    Signs are SMPL's where it has a plain meaning: beta 0 up is larger, beta 1 up is thinner.
    """
    count = len(samples.vertices)
    mean = samples.vertices.mean(axis=0)
    centred = (samples.vertices - mean).reshape(count, -1)
    _, deviations, components = np.linalg.svd(centred, full_matrices=False)
    shapes = (components[:BETA_COUNT] * deviations[:BETA_COUNT, None] / np.sqrt(count - 1)).reshape(BETA_COUNT, -1, 3)
    for index, shape in enumerate(shapes):
        top, bottom = np.argmax(mean[:, 1]), np.argmin(mean[:, 1])
        taller = shape[top, 1] - shape[bottom, 1]
        if (_girth(shape, mean) > 0.0) if index == 1 else (taller < 0.0):
            shape *= -1.0
    return mean, shapes.transpose(1, 2, 0)


def _girth(shape: Array, mean: Array) -> float:
    """How much a shape widens the trunk: mean outward movement about the vertical axis at the waist's height."""
    waist = np.abs(mean[:, 1] - (PELVIS_M[1] + 0.12)) < 0.05
    waist &= np.abs(mean[:, 0]) < 0.4
    outward = mean[waist][:, [0, 2]] - mean[waist][:, [0, 2]].mean(axis=0)
    return float(np.sum(outward * shape[waist][:, [0, 2]]))
