"""A person who walks before a moving camera, and the files that video trackers write of it, laid out as theirs are."""

from __future__ import annotations

import base64
import io
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from shared.body import free_body
from shared.motion.rest import SMPLX_PELVIS_OFFSET, pelvis_of_transl
from shared.motion.skeleton import bone_offsets, global_rotations, joint_positions
from shared.rotations import axis_angle_to_matrix, matrix_to_axis_angle, matrix_to_quaternion
from tests.helpers.joblib_stream import joblib_bytes

Array = NDArray[np.float64]

WIDTH, HEIGHT, FOCAL = 1280, 720, 1500.0


@dataclass(frozen=True)
class Scene:
    """The truth: world Y up, floor at 0; camera R X + t in OpenCV's axes."""

    poses: Array  # (frames, 24, 3)
    pelvis: Array  # (frames, 3)
    rotation: Array  # (frames, 3, 3)
    translation: Array  # (frames, 3)

    @property
    def frames(self) -> int:
        return len(self.poses)

    @property
    def intrinsics(self) -> Array:
        one = np.array([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]])
        return np.tile(one, (self.frames, 1, 1))

    def joints(self) -> Array:
        """(frames, 24, 3) in the world, of the free body."""
        offsets = bone_offsets(free_body().joints(np.zeros(10)))
        return joint_positions(global_rotations(axis_angle_to_matrix(self.poses)), offsets, self.pelvis)

    def seen(self) -> tuple[Array, Array]:
        """Poses and pelvis in the camera's axes."""
        poses = self.poses.copy()
        poses[:, 0] = matrix_to_axis_angle(self.rotation @ axis_angle_to_matrix(self.poses[:, 0]))
        return poses, np.einsum("fij,fj->fi", self.rotation, self.pelvis) + self.translation

    def pixels(self) -> Array:
        """(frames, 24, 2): where the joints are in the picture."""
        points = np.einsum("fij,fnj->fni", self.rotation, self.joints()) + self.translation[:, None]
        return np.asarray(points[..., :2] / points[..., 2:] * FOCAL + [WIDTH / 2, HEIGHT / 2])


def scene(frames: int = 12, seed: int = 0) -> Scene:
    random = np.random.default_rng(seed)
    poses = np.cumsum(random.normal(scale=0.03, size=(frames, 24, 3)), axis=0)
    poses[:, 0] += [0.0, 0.4, 0.0]
    pelvis = np.stack([np.linspace(0, 0.5, frames), np.full(frames, 0.0), np.linspace(0, 0.3, frames)], axis=1)
    turns = np.stack([np.full(frames, 0.15), np.linspace(-0.2, 0.25, frames), np.linspace(0, 0.05, frames)], axis=1)
    rotation = axis_angle_to_matrix(turns) @ np.diag([1.0, -1.0, -1.0])  # looks along -Z, Y down
    eyes = np.stack([np.linspace(-0.5, 0.8, frames), np.full(frames, 1.9), np.full(frames, 5.0)], axis=1)
    standing = Scene(poses, pelvis, rotation, np.zeros((frames, 3)))
    pelvis[:, 1] += 0.02 - standing.joints()[:, :22, 1].min()  # as the readers put a clip onto the floor
    return Scene(poses, pelvis, rotation, -np.einsum("fij,fj->fi", rotation, eyes))


def transl(pelvis: Array, *, smplx: bool) -> Array:
    """SMPL's or SMPL-X's `transl` of a pelvis, with the mean shape."""
    rest = pelvis_of_transl(None, np.zeros(10)) + (SMPLX_PELVIS_OFFSET if smplx else 0.0)
    return np.asarray(pelvis - rest)


def tensor(array: Array) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).float()


def smplx_group(poses: Array, pelvis: Array) -> dict[str, torch.Tensor]:
    flat = poses.reshape(len(poses), -1)
    return {
        "body_pose": tensor(flat[:, 3:66]),
        "betas": torch.zeros(len(poses), 10) + 0.3,
        "global_orient": tensor(flat[:, :3]),
        "transl": tensor(transl(pelvis, smplx=True)),
    }


def gvhmr(path: Path, truth: Scene, *, names: tuple[str, str] = ("smpl_params_global", "smpl_params_incam")) -> Path:
    """`torch.save` of the demo's prediction."""
    torch.save(
        {
            names[0]: smplx_group(truth.poses, truth.pelvis),
            names[1]: smplx_group(*truth.seen()),
            "K_fullimg": tensor(truth.intrinsics),
            "net_outputs": {"model_output": {"pred_x": torch.zeros(1, truth.frames, 151)}, "static": (torch.ones(2),)},
        },
        path,
    )
    return path


def wham(path: Path, scenes: dict[int, Scene], frame_ids: dict[int, NDArray[np.intp]]) -> Path:
    """joblib's dump of a defaultdict of people."""
    results: Any = defaultdict(dict)
    for number, truth in scenes.items():
        kept = frame_ids[number] - frame_ids[number][0]
        poses, pelvis = truth.seen()
        results[np.int64(number)] = {
            "pose": poses.reshape(truth.frames, 72)[kept].astype(np.float32),
            "trans": transl(pelvis, smplx=False)[kept].astype(np.float32),
            "pose_world": truth.poses.reshape(truth.frames, 72)[kept].astype(np.float32),
            "trans_world": transl(truth.pelvis, smplx=False)[kept].astype(np.float32),
            "betas": np.zeros((len(kept), 10), np.float32),
            "verts": np.zeros((len(kept), 6890, 3), np.float32),
            "frame_ids": frame_ids[number],
        }
    path.write_bytes(joblib_bytes(results))
    return path


def matrices(poses: Array, joints: int) -> NDArray[np.float32]:
    """(frames, joints, 3, 3); the joints behind SMPL's 22 at rest."""
    found = np.tile(np.eye(3), (len(poses), joints, 1, 1))
    kept = min(joints, 24) if joints == 24 else 22
    found[:, :kept] = axis_angle_to_matrix(poses[:, :kept])
    return found.astype(np.float32)


def prompthmr(path: Path, scenes: dict[int, Scene], first: dict[int, int], camera: Scene) -> Path:
    """joblib's dump of the pipeline's results, masks and all."""
    people = {}
    for number, truth in scenes.items():
        seen, pelvis = truth.seen()
        pose = np.zeros((truth.frames, 165), np.float32)
        pose[:, :66] = truth.poses[:, :22].reshape(truth.frames, 66)
        shape = np.full((truth.frames, 10), 0.2, np.float32)
        people[number] = {
            "track_id": number,
            "frames": np.arange(truth.frames) + first[number],
            "bboxes": np.zeros((truth.frames, 4)),
            "masks": np.zeros((truth.frames, 72, 128), bool),
            "smplx_cam": {
                "rotmat": matrices(seen, 55),
                "pose": np.zeros((truth.frames, 75), np.float32),
                "shape": shape,
                "trans": transl(pelvis, smplx=True).astype(np.float32),
                "contact": np.zeros((truth.frames, 6)),
            },
            "smplx_world": {"pose": pose, "shape": shape, "trans": transl(truth.pelvis, smplx=True).astype(np.float32)},
        }
    to_world = np.swapaxes(camera.rotation, -1, -2)
    results = {
        "camera": {"pred_cam_R": to_world, "pred_cam_T": np.zeros((camera.frames, 3)), "img_focal": np.float64(FOCAL)},
        "people": people,
        "timings": {},
        "masks": np.zeros((camera.frames, 72, 128), bool),
        "has_tracks": True,
        "camera_world": {
            "Rwc": to_world,
            "Twc": -np.einsum("fij,fj->fi", to_world, camera.translation),
            "Rcw": camera.rotation.astype(np.float32),
            "Tcw": camera.translation.astype(np.float32),
            "img_focal": np.float64(FOCAL),
            "img_center": np.array([WIDTH / 2, HEIGHT / 2]),
            "viz_scale": 1.0,
            "viz_center": [0.0, 0, 0.0],
        },
    }
    path.write_bytes(joblib_bytes(results))
    return path


def phalp(path: Path, truth: Scene, missing: tuple[int, ...] = (), other_from: int = 99) -> Path:
    """joblib's dump of the tracker's frames: lists of tracks, the last detection repeated where one was missed."""
    poses, pelvis = truth.seen()
    stretched = pelvis * [1.0, 1.0, 5000.0 / 256.0 * WIDTH / FOCAL]  # at the depth that PHALP's own lens asks for
    turned = matrices(poses, 24)
    places = transl(stretched, smplx=False)
    frames: dict[str, Any] = {}
    for frame in range(truth.frames):
        detected = max(one for one in range(frame + 1) if one not in missing)
        tracks = [(3, detected)] + ([(8, frame)] if frame >= other_from else [])
        frames[f"outputs/_DEMO/walk/img/{frame:06d}.jpg"] = {
            "time": frame,
            "shot": 0,
            "tid": [number for number, _ in tracks],
            "bbox": [np.zeros(4) for _ in tracks],
            "tracked_time": [frame - seen for _, seen in tracks],
            "tracked_ids": [number for number, seen in tracks if seen == frame],
            "embedding": [torch.zeros(99) for _ in tracks],
            "conf": [np.float32(0.9) for _ in tracks],
            "size": [[HEIGHT, WIDTH] for _ in tracks],
            "img_name": [f"{frame:06d}.jpg" for _ in tracks],
            "smpl": [
                {"global_orient": turned[seen, :1], "body_pose": turned[seen, 1:], "betas": np.zeros(10, np.float32)}
                for _, seen in tracks
            ],
            "camera": [places[seen].astype(np.float32) for _, seen in tracks],
            "3d_joints": [np.zeros((45, 3), np.float32) for _ in tracks],
        }
    path.write_bytes(joblib_bytes(frames))
    return path


def tram(folder: Path, truth: Scene, kept: NDArray[np.intp], *, with_camera: bool = True) -> Path:
    """`np.save` of a track's tensors in hps/, and of the camera beside that folder."""
    poses, pelvis = truth.seen()
    path = folder / "hps" / "hps_track_0.npy"
    path.parent.mkdir(parents=True)
    results = {
        "pred_cam": torch.zeros(len(kept), 3),
        "pred_pose": torch.zeros(len(kept), 144),
        "pred_shape": torch.zeros(len(kept), 10),
        "pred_rotmat": torch.from_numpy(matrices(poses, 24)[kept]),
        "pred_trans": tensor(transl(pelvis, smplx=False))[kept].unsqueeze(1),
        "frame": torch.from_numpy(kept),
    }
    np.save(path, results, allow_pickle=True)  # type: ignore[arg-type]
    if with_camera:
        first = np.concatenate([truth.rotation[0], truth.translation[:1].T], axis=1)  # the world is the first camera's
        to_first = first[:, :3] @ np.swapaxes(truth.rotation, -1, -2)
        eyes = -np.einsum("fji,fj->fi", truth.rotation, truth.translation)
        camera = {
            "pred_cam_R": to_first.astype(np.float32),
            "pred_cam_T": (eyes @ first[:, :3].T + first[:, 3]).astype(np.float32),
            "img_focal": np.float64(FOCAL),
            "img_center": np.array([WIDTH / 2, HEIGHT / 2]),
        }
        np.save(folder / "camera.npy", camera, allow_pickle=True)  # type: ignore[arg-type]
    return path


def smpl_bytes(truth: Scene, *, rate: float = 25.0) -> bytes:
    """smplcodec's archive of SMPL-X's body."""
    stream = io.BytesIO()
    np.savez_compressed(
        stream,
        codecVersion=np.array(2, np.int32),
        smplVersion=np.array(2, np.int32),
        gender=np.array(0, np.int32),
        shapeParameters=np.full(10, 0.2, np.float32),
        frameCount=np.array(truth.frames, np.int32),
        frameRate=np.array(rate, np.float32),
        bodyTranslation=transl(truth.pelvis, smplx=True).astype(np.float32),
        bodyPose=truth.poses[:, :22].astype(np.float32),
    )
    return stream.getvalue()


def mcs(path: Path, scenes: list[Scene], first: list[int], camera: Scene, *, rate: float = 25.0) -> Path:
    """PromptHMR's export: glTF with a body's archive a buffer, then the camera's times, places and quaternions."""
    node = np.swapaxes(camera.rotation, -1, -2) @ np.diag([1.0, -1.0, -1.0])
    eyes = -np.einsum("fji,fj->fi", camera.rotation, camera.translation)
    tracks = [
        np.arange(camera.frames)[:, None] / rate,
        eyes,
        matrix_to_quaternion(node)[:, [1, 2, 3, 0]],
    ]
    contents = [smpl_bytes(one, rate=rate) for one in scenes] + [track.astype("<f4").tobytes() for track in tracks]
    count = len(scenes)
    gltf = {
        "asset": {"version": "2.0", "generator": "Custom Python Exporter"},
        "scene": 0,
        "scenes": [
            {
                "nodes": [0],
                "extensions": {
                    "MC_scene_description": {
                        "num_frames": camera.frames,
                        "smpl_bodies": [
                            {"frame_presence": [start, start + one.frames], "bufferView": index}
                            for index, (one, start) in enumerate(zip(scenes, first, strict=True))
                        ],
                    }
                },
            }
        ],
        "nodes": [
            {"name": "RootNode", "children": [1]},
            {"name": "AnimatedCamera", "camera": 0, "translation": [0.0, 0.0, 0.0], "rotation": [0.0, 0.0, 0.0, 1.0]},
        ],
        "cameras": [
            {
                "type": "perspective",
                "perspective": {
                    "yfov": float(2 * np.arctan(HEIGHT / (2 * FOCAL))),
                    "znear": 0.01,
                    "aspectRatio": WIDTH / HEIGHT,
                },
            }
        ],
        "buffers": [
            {
                "byteLength": len(one),
                "uri": f"data:application/octet-stream;base64,{base64.b64encode(one).decode()}",
            }
            for one in contents
        ],
        "bufferViews": [
            {"buffer": index, "byteOffset": 0, "byteLength": len(one)} for index, one in enumerate(contents)
        ],
        "accessors": [
            {"bufferView": count + index, "componentType": 5126, "count": camera.frames, "type": kind}
            for index, kind in enumerate(("SCALAR", "VEC3", "VEC4"))
        ],
        "animations": [
            {
                "channels": [
                    {"sampler": 0, "target": {"node": 1, "path": "translation"}},
                    {"sampler": 1, "target": {"node": 1, "path": "rotation"}},
                ],
                "samplers": [
                    {"input": 0, "interpolation": "LINEAR", "output": 1},
                    {"input": 0, "interpolation": "LINEAR", "output": 2},
                ],
            }
        ],
        "extensionsUsed": ["MC_scene_description"],
    }
    path.write_text(json.dumps(gltf, indent=2))
    return path
