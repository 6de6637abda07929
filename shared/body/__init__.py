"""Bodies in SMPL's form: loading, joints, and posing by linear blend skinning."""

from __future__ import annotations

from .loading import free_body, load_body
from .model import PART_NAMES, Body
from .posing import joint_transforms, pose_vertices, pose_vertices_batch

__all__ = [
    "PART_NAMES",
    "Body",
    "free_body",
    "joint_transforms",
    "load_body",
    "pose_vertices",
    "pose_vertices_batch",
]
