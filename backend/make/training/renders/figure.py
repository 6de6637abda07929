"""The posed body of a training picture, and clothes that are more than paint."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.body import Body, free_body, joint_transforms
from shared.errors import BodyError

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Mesh:
    """A skinned mesh in the body's T-pose. `label` is the DensePose part of a face, or a clothes label (> 100)."""

    rest: FloatArray  # (V, 3) metres
    normals: FloatArray  # (V, 3) unit
    weights: FloatArray  # (V, 24)
    faces: IntArray  # (F, 3)
    label: IntArray  # (F,)


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Heights and half-widths of the body in T-pose, in metres, from its joints."""

    joints: FloatArray  # (24, 3)
    top: float
    sole: float
    hip: float
    knee: float
    ankle: float
    waist: float
    chest: float
    neck: float
    chin: float
    eyes: float
    face_front: float  # z of the face's surface at eye height
    head_centre: FloatArray  # (3,)
    head_radius: float
    shoulder_x: float
    elbow_x: float
    wrist_x: float


@dataclass(frozen=True, slots=True)
class TrainingBody:
    """The free body, with the arrays that drawing needs."""

    body: Body
    mesh: Mesh
    marks: Landmarks


def load_training_body() -> TrainingBody:
    """The project's free body."""
    body = free_body()
    if body.part is None:
        raise BodyError(
            "body.no_parts", "The free body has no parts.", "Rebuild it with python -m backend.make.body.build."
        )
    rest, faces = body.v_template, body.f
    mesh = Mesh(rest, vertex_normals(rest, faces), body.weights, faces, body.part.astype(np.int32))
    return TrainingBody(body, mesh, _landmarks(mesh, body.joints(np.zeros(10)).astype(np.float32)))


def vertex_normals(points: FloatArray, faces: IntArray) -> FloatArray:
    """Area-weighted unit normals (V, 3)."""
    a, b, c = (points[faces[:, i]] for i in range(3))
    cross = np.cross(b - a, c - a)
    total = np.zeros_like(points)
    for corner in range(3):
        for axis in range(3):
            total[:, axis] += np.bincount(faces[:, corner], cross[:, axis], len(points)).astype(np.float32)
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9), np.float32)


def _landmarks(mesh: Mesh, joints: FloatArray) -> Landmarks:
    head_faces = np.isin(mesh.label, (23, 24))
    head = mesh.rest[np.unique(mesh.faces[head_faces])]
    top = float(head[:, 1].max())
    chin = float(head[:, 1].min()) + 0.045  # the head's part reaches a little down the neck
    eyes = 0.5 * (chin + top)
    centre = np.array([0.0, eyes, 0.5 * (head[:, 2].min() + head[:, 2].max())], np.float32)
    hip, neck = float(joints[1:3, 1].mean()), float(joints[12, 1])
    near_eyes = head[(np.abs(head[:, 1] - eyes) < 0.02) & (np.abs(head[:, 0]) < 0.05)]
    return Landmarks(
        joints=joints.astype(np.float32),
        top=top,
        sole=float(mesh.rest[:, 1].min()),
        hip=hip,
        knee=float(joints[4:6, 1].mean()),
        ankle=float(joints[7:9, 1].mean()),
        waist=hip + 0.33 * (neck - hip),
        chest=hip + 0.68 * (neck - hip),
        neck=neck,
        chin=chin,
        eyes=eyes,
        face_front=float(near_eyes[:, 2].max()),
        head_centre=centre,
        head_radius=0.5 * (top - chin),
        shoulder_x=float(np.abs(joints[16:18, 0]).mean()),
        elbow_x=float(np.abs(joints[18:20, 0]).mean()),
        wrist_x=float(np.abs(joints[20:22, 0]).mean()),
    )


def skin_transforms(body: Body, pose: FloatArray, betas: FloatArray) -> FloatArray:
    """Transforms (24, 3, 4) from the T-pose of this shape to `pose` (24, 3), axis-angle radians."""
    rotations, places = joint_transforms(body, pose[None], betas)
    shift = places[0] - np.einsum("jab,jb->ja", rotations[0], body.joints(betas))
    return np.asarray(np.concatenate([rotations[0], shift[..., None]], 2).astype(np.float32))


def skin(mesh: Mesh, rest: FloatArray, transforms: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Posed points and normals, both (V, 3); `rest` replaces the mesh's own rest points (betas applied)."""
    blended = (mesh.weights @ transforms.reshape(24, 12)).reshape(-1, 3, 4)
    points = np.einsum("vab,vb->va", blended[:, :, :3], rest) + blended[:, :, 3]
    normals = np.einsum("vab,vb->va", blended[:, :, :3], mesh.normals)
    return points, normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)


def merge(meshes: list[Mesh]) -> Mesh:
    """Several meshes as one, in order."""
    starts = np.cumsum([0] + [len(m.rest) for m in meshes])
    faces = np.concatenate([m.faces + np.int32(s) for m, s in zip(meshes, starts, strict=False)])
    return Mesh(
        np.concatenate([m.rest for m in meshes]),
        np.concatenate([m.normals for m in meshes]),
        np.concatenate([m.weights for m in meshes]),
        faces.astype(np.int32),
        np.concatenate([m.label for m in meshes]).astype(np.int32),
    )
