"""Files laid out as each program's own code writes them: axes, rate, twist, and what a damaged one is told."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.motion import SMPLMotion, contents_of, read_motion
from shared.motion.quality import motion_joints
from shared.motion.skeleton import JOINT_INDEX, PARENTS
from shared.rotations import axis_angle_to_matrix, matrix_to_axis_angle, rotation_angle
from tests.reference import rotations as twin
from tests.unit.shared.motion.test_motion_readers import FRAMES, code_of, pelvis, poses, save, skeleton

Array = NDArray[Any]
J0 = skeleton()[0]
_LEFT, _RIGHT, _HEAD = JOINT_INDEX["left_hip"], JOINT_INDEX["right_hip"], JOINT_INDEX["head"]


def read(path: Path, **options: object) -> SMPLMotion:
    return read_motion(path, rest_joints=skeleton(), **options)  # type: ignore[arg-type]


def faces(motion: SMPLMotion) -> Array:
    """The direction (3,) that the body faces in its first frame."""
    joints = motion_joints(motion, skeleton())[0]
    front = np.cross(joints[_LEFT] - joints[_RIGHT], joints[_HEAD] - joints[0])
    return np.asarray(front / np.linalg.norm(front))


def played(local: Array, place: Array, rest: Array, parents: tuple[int, ...]) -> tuple[Array, Array]:
    """World turns (frames, joints, 3, 3) and places (frames, joints, 3) by the plain recursion."""
    turns, joints = np.empty_like(local), np.empty(local.shape[:2] + (3,))
    for joint, parent in enumerate(parents):
        if parent < 0:
            turns[:, joint], joints[:, joint] = local[:, joint], place
        else:
            turns[:, joint] = turns[:, parent] @ local[:, joint]
            joints[:, joint] = joints[:, parent] + turns[:, parent] @ (rest[joint] - rest[parent])
    return turns, joints


# --- HY-Motion ---


def hy_motion(path: Path, **change: object) -> Path:
    """visualize_mesh_web.py: gender in a list of one, `Rh`, `trans`, `poses` of 52 joints, `betas` (1, 16), no rate."""
    body = np.zeros((FRAMES, 156), np.float32)
    body[:, :66] = poses()[:, :22].reshape(FRAMES, 66)
    body[:, 66:] = 0.1  # its mean hands
    entries: dict[str, object] = {
        "gender": np.array(["neutral"], dtype=str),
        "Rh": body[:, :3],
        "trans": (pelvis() - J0).astype(np.float32),
        "poses": body,
        "betas": np.zeros((1, 16)),
        **change,
    }
    np.savez_compressed(path, **{key: value for key, value in entries.items() if value is not None})  # type: ignore[arg-type]
    return path


def test_hy_motion_stands_faces_z_and_plays_at_30(tmp_path: Path) -> None:
    path = hy_motion(tmp_path / "20260101_120000_000.npz")
    motion = read(path)
    expected = np.zeros((24, 3))
    expected[:22] = poses()[2, :22]
    joints = twin.forward_kinematics(expected, pelvis()[2] - J0, skeleton(), PARENTS)
    np.testing.assert_allclose(motion_joints(motion, skeleton())[2], joints, atol=1e-6)
    assert faces(motion)[2] > 0.9 and motion.fps == 30.0 and motion.warnings == () and motion.twist_known
    assert contents_of(path).format == "HY-Motion" and not contents_of(path).asks_fps


@pytest.mark.parametrize(
    ("change", "code", "key"),
    [
        ({"trans": None}, "motion.missing_key", "trans"),
        ({"poses": np.zeros((FRAMES, 100))}, "motion.wrong_shape", "poses"),
        ({"trans": np.full((FRAMES, 3), np.nan)}, "motion.not_finite", "trans"),
        ({"trans": np.zeros((FRAMES - 2, 3))}, "motion.wrong_shape", "trans"),
    ],
)
def test_a_damaged_hy_motion_file_names_its_entry(
    change: dict[str, object], code: str, key: str, tmp_path: Path
) -> None:
    found, said = code_of(hy_motion(tmp_path / "a.npz", **change))
    assert found == code and repr(key) in said


# --- Kimodo ---

# SOMA's joints, each with the one before it: the trunk, then arm by arm and leg by leg; fingers by their counts.
_TRUNK = (
    ("Hips", ""), ("Spine1", "Hips"), ("Spine2", "Spine1"), ("Chest", "Spine2"), ("Neck1", "Chest"),
    ("Neck2", "Neck1"), ("Head", "Neck2"),
)  # fmt: skip
_AT: dict[str, tuple[float, float, float]] = {  # metres, in the T pose
    "Hips": (0, 0, 0), "Spine1": (0, 0.05, 0), "Spine2": (0, 0.12, 0), "Chest": (0, 0.2, -0.01),
    "Neck1": (0, 0.46, -0.015), "Neck2": (0, 0.54, 0.01), "Head": (0, 0.6, 0.03), "Shoulder": (0.016, 0.43, 0.04),
    "Arm": (0.165, 0.43, -0.01), "ForeArm": (0.45, 0.43, -0.01), "Hand": (0.72, 0.43, -0.01),
    "Leg": (0.1, -0.08, 0.03), "Shin": (0.1, -0.52, 0.02),
    "Foot": (0.1, -0.94, -0.02), "ToeBase": (0.1, -0.99, 0.115), "ToeEnd": (0.1, -0.99, 0.19),
    "HeadEnd": (0, 0.76, 0.01), "Jaw": (0, 0.6, 0.06), "Eye": (0.03, 0.65, 0.1),
}  # fmt: skip
_FINGERS = {
    77: (("Thumb", 4), ("Index", 5), ("Middle", 5), ("Ring", 5), ("Pinky", 5)),
    30: (("Thumb", 1), ("Middle", 1)),
}


def soma(count: int) -> tuple[tuple[str, ...], tuple[int, ...], Array]:
    """Names, parents and T pose (joints, 3) of SOMA with 77 or 30 joints, in the order of the file."""
    rows: list[tuple[str, str]] = list(_TRUNK)
    rows += [(end, "Head") for end in (("HeadEnd",) if count == 77 else ()) + ("Jaw", "LeftEye", "RightEye")]
    for side in ("Left", "Right"):
        arm = ["Chest", *(f"{side}{name}" for name in ("Shoulder", "Arm", "ForeArm", "Hand"))]
        rows += list(zip(arm[1:], arm, strict=False))
        for finger, bones in _FINGERS[count]:
            chain = [f"{side}Hand", *(f"{side}Hand{finger}{bone}" for bone in range(bones))]
            rows += list(zip(chain[1:], chain, strict=False))
    for side in ("Left", "Right"):
        ends = ("Leg", "Shin", "Foot", "ToeBase") + (("ToeEnd",) if count == 77 else ())
        leg = ["Hips", *(f"{side}{name}" for name in ends)]
        rows += list(zip(leg[1:], leg, strict=False))
    names = tuple(name for name, _ in rows)
    parents = tuple(names.index(parent) if parent else -1 for _, parent in rows)
    rest = np.zeros((count, 3))
    for index, name in enumerate(names):
        outwards = -1.0 if name.startswith("Right") else 1.0
        bare = name.removeprefix("Left").removeprefix("Right")
        known = _AT.get(bare)
        rest[index] = (
            np.array(known) * [outwards, 1, 1] if known else rest[parents[index]] + [0.02 * outwards, 0.0, 0.0]
        )
    assert len(names) == count
    return names, parents, rest


def soma_turns(count: int) -> Array:
    """Local turns (FRAMES, count, 3, 3) of a body turned to its left, with a twist of forearm and thigh."""
    names, parents, _ = soma(count)
    random = np.random.default_rng(3)
    angles = np.cumsum(random.normal(scale=0.04, size=(FRAMES, count, 3)), axis=0)
    angles[:, 0, 1] += np.pi / 2
    angles[:, names.index("LeftForeArm"), 0] += 0.8
    angles[:, names.index("RightLeg"), 1] += 0.4
    return axis_angle_to_matrix(angles)


_AS_IT_IS: Mapping[str, object] = MappingProxyType({})


def kimodo(path: Path, count: int, change: Mapping[str, object] = _AS_IT_IS, drop: tuple[str, ...] = ()) -> Path:
    """generate.py: what the model gives, one sample; older files and the demo's leave entries out."""
    names, parents, rest = soma(count)
    local = soma_turns(count)
    turns, joints = played(local, pelvis(), rest, parents)
    entries: dict[str, object] = {
        "local_rot_mats": local.astype(np.float32),
        "global_rot_mats": turns.astype(np.float32),
        "posed_joints": joints.astype(np.float32),
        "root_positions": joints[:, 0].astype(np.float32),
        "smooth_root_pos": joints[:, 0].astype(np.float32),
        "foot_contacts": np.ones((FRAMES, 4), bool),
        "global_root_heading": np.zeros((FRAMES, 2), np.float32),
        **change,
    }
    np.savez(path, **{key: value for key, value in entries.items() if key not in drop})  # type: ignore[arg-type]
    return path


_LIMBS = (
    ("left_shoulder", "left_elbow", "LeftArm", "LeftForeArm", 0.01),
    ("right_elbow", "right_wrist", "RightForeArm", "RightHand", 0.01),
    ("left_hip", "left_knee", "LeftLeg", "LeftShin", 9.0),  # legs bend so that feet of other proportions are met
    ("right_knee", "right_ankle", "RightShin", "RightFoot", 9.0),
)  # fmt: skip


@pytest.mark.parametrize("drop", [(), ("local_rot_mats", "root_positions"), ("global_rot_mats",)])
@pytest.mark.parametrize("count", [77, 30])
def test_kimodo_keeps_limbs_feet_and_twist(count: int, drop: tuple[str, ...], tmp_path: Path) -> None:
    names, parents, rest = soma(count)
    turns, theirs = played(soma_turns(count), pelvis(), rest, parents)
    path = kimodo(tmp_path / "motion.npz", count, drop=drop)
    motion = read(path)
    ours = motion_joints(motion, skeleton())
    scale = _legs(ours, "left_hip", "left_knee", "left_ankle") / (0.44 + 0.42)
    for top, end, their_top, their_end, most_degrees in _LIMBS:
        bone = ours[:, JOINT_INDEX[end]] - ours[:, JOINT_INDEX[top]]
        there = theirs[:, names.index(their_end)] - theirs[:, names.index(their_top)]
        apart = np.arctan2(np.linalg.norm(np.cross(bone, there), axis=-1), np.sum(bone * there, axis=-1))
        assert np.degrees(apart).max() < most_degrees
    feet = ours[:, JOINT_INDEX["left_foot"]] - scale * theirs[:, names.index("LeftToeBase")]
    assert np.linalg.norm(feet, axis=-1).max() < 0.01
    world = _world(motion)
    np.testing.assert_allclose(world[:, 0], turns[:, 0], atol=1e-5)
    np.testing.assert_allclose(world[:, JOINT_INDEX["head"]], turns[:, names.index("Head")], atol=1e-5)
    laid = world[:, JOINT_INDEX["left_elbow"]]  # the forearm's turn is theirs after one laying that is always the same
    laying = np.swapaxes(turns[:, names.index("LeftForeArm")], -1, -2) @ laid
    assert rotation_angle(laying, laying[:1]).max() < 1e-5 and rotation_angle(laying[0], np.eye(3)) < 0.1
    assert faces(motion)[0] > 0.9 and motion.fps == 30.0 and motion.twist_known and motion.warnings == ()
    assert contents_of(path).takes[0].frames == FRAMES and not contents_of(path).asks_fps
    assert not any(note.startswith("Ignored entries") for note in motion.notes)


def _legs(joints: Array, *leg: str) -> float:
    places = joints[0, [JOINT_INDEX[name] for name in leg]]
    return float(np.linalg.norm(np.diff(places, axis=0), axis=-1).sum())


def _world(motion: SMPLMotion) -> Array:
    local = axis_angle_to_matrix(motion.poses)
    return played(local, motion.root, skeleton(), PARENTS)[0]


def kimodo_smplx(path: Path, size: float = 1.08) -> Path:
    """The same of the SMPL-X model: 22 joints, a body `size` times as large as ours."""
    local = axis_angle_to_matrix(poses()[:, :22])
    turns, joints = played(local, size * pelvis(), size * skeleton()[:22], PARENTS[:22])
    np.savez(path, posed_joints=joints, global_rot_mats=turns, local_rot_mats=local, root_positions=joints[:, 0])
    return path


def test_kimodo_of_smplx_is_taken_over_rotation_by_rotation(tmp_path: Path) -> None:
    motion = read(kimodo_smplx(tmp_path / "a.npz"))
    expected = axis_angle_to_matrix(poses()[:, :22])
    assert rotation_angle(axis_angle_to_matrix(motion.poses)[:, :22], expected).max() < 1e-6
    np.testing.assert_allclose(motion_joints(motion, skeleton())[:, 0], pelvis(), atol=1e-6)  # on our legs
    assert motion.fps == 30.0 and faces(motion)[2] > 0.9


def test_kimodo_amass_file_stands_and_faces_y_as_it_was_written(tmp_path: Path) -> None:
    """exports/smplx.py: Z up and +Y forward, SMPL-X's parts apart, the rate as a float."""
    turn = np.array([[-1.0, 0, 0], [0, 0, 1.0], [0, 1.0, 0]])
    root = axis_angle_to_matrix(poses()[:, 0])
    offset = np.array([0.002, -0.372, 0.012])
    parts = {
        "trans": pelvis() @ turn.T - offset,
        "root_orient": np.stack([matrix_to_axis_angle(turn @ one) for one in root]),
        "pose_body": poses()[:, 1:22].reshape(FRAMES, 63),
    }
    hands = {"pose_jaw": np.zeros((FRAMES, 3)), "pose_eye": np.zeros((FRAMES, 6)), "pose_hand": np.zeros((FRAMES, 90))}
    rest = {"gender": "neutral", "surface_model_type": "smplx", "betas": np.zeros(16), "num_betas": 16,
            "mocap_frame_rate": 30.0, "mocap_time_length": FRAMES / 30}  # fmt: skip
    np.savez(tmp_path / "test_amass.npz", **parts, **hands, **rest)  # type: ignore[arg-type]
    motion = read(tmp_path / "test_amass.npz")
    assert motion.fps == 30.0 and faces(motion)[2] < -0.9  # +Y of a file with Z up is Blender's +Y
    assert motion_joints(motion, skeleton())[:, _HEAD, 1].min() > 1.3
    assert not any(note.startswith("Ignored entries") for note in motion.notes)


_MIRRORED = np.tile(np.diag([1.0, 1.0, -1.0]), (FRAMES, 77, 1, 1))


def test_kimodo_of_the_robot_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "g1.npz", posed_joints=np.zeros((FRAMES, 34, 3)), global_rot_mats=np.zeros((FRAMES, 34, 3, 3)))
    code, said = code_of(tmp_path / "g1.npz")
    assert code == "motion.robot" and "Unitree G1" in said


@pytest.mark.parametrize(
    ("change", "code", "key"),
    [
        ({"posed_joints": np.zeros((FRAMES, 50, 3))}, "motion.wrong_shape", "posed_joints"),
        ({"posed_joints": np.zeros((FRAMES, 77, 4))}, "motion.wrong_shape", "posed_joints"),
        ({"global_rot_mats": np.zeros((FRAMES, 77, 3, 3))}, "motion.not_rotations", "global_rot_mats"),
        (
            {"global_rot_mats": _MIRRORED},
            "motion.not_rotations",
            "global_rot_mats",
        ),
        ({"global_rot_mats": np.zeros((FRAMES - 1, 77, 3, 3))}, "motion.wrong_shape", "global_rot_mats"),
        ({"posed_joints": np.full((FRAMES, 77, 3), np.nan)}, "motion.not_finite", "posed_joints"),
    ],
)
def test_a_damaged_kimodo_file_names_its_entry(change: dict[str, object], code: str, key: str, tmp_path: Path) -> None:
    found, said = code_of(kimodo(tmp_path / "a.npz", 77, change))
    assert found == code and repr(key) in said


def test_a_kimodo_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = kimodo(tmp_path / "a.npz", 30)
    path.write_bytes(path.read_bytes()[:-200])
    assert code_of(path)[0].startswith("file.")


# --- joint positions ---


def joints(frames: int = 9) -> Array:
    walk = np.linspace(0.0, 1.0, frames)[:, None, None] * [0.0, 0.0, 1.0]
    return np.asarray(skeleton()[:22] + walk + [0.0, 1.15, 0.0])


def write_pickle(path: Path, content: object) -> Path:
    path.write_bytes(pickle.dumps(content))
    return path


PROGRAMS: dict[str, Callable[[Path], Path]] = {
    "MotionLCM": lambda folder: write_pickle(
        folder / "sample_id_0_length_9_rep_0.pkl",
        {"joints": joints().astype(np.float32), "text": "a person walks", "length": 9},
    ),
    "MotionLCM with a hint": lambda folder: write_pickle(
        folder / "batch_id_0_sample_id_1_length_9_rep_0.pkl",
        {"joints": joints(), "text": "a person walks", "length": 9, "hint": np.zeros((9, 22, 3)), "hint_mask": None},
    ),
    "MoMask": lambda folder: _saved(folder / "sample0_repeat0_len9_ik.npy", joints()),
    "MARDM": lambda folder: _saved(folder / "0.npy", joints().astype(np.float32)),
    "MotionGPT3": lambda folder: _saved(folder / "0_out.npy", joints().astype(np.float32)[None]),
    "HumanML3D": lambda folder: _saved(folder / "000000.npy", joints().astype(np.float32)),
}


def _saved(path: Path, array: Array) -> Path:
    np.save(path, array)
    return path


@pytest.mark.parametrize("program", PROGRAMS)
def test_positions_stand_face_z_and_play_at_20(program: str, tmp_path: Path) -> None:
    path = PROGRAMS[program](tmp_path)
    motion = read(path)
    np.testing.assert_allclose(motion_joints(motion, skeleton())[:, :22], joints(), atol=1e-5)
    assert motion.fps == 20.0 and not motion.twist_known and faces(motion)[2] > 0.9 and motion.warnings == ()
    assert motion.text == ("a person walks" if "LCM" in program else "")
    assert contents_of(path).takes[0].frames == 9


# --- Motion-X ---


def motion_x(frames: int = FRAMES) -> Array:
    """A row of 322 a frame: root, body, hands, jaw, expression, face shape, place, shape."""
    rows = np.random.default_rng(4).normal(scale=0.1, size=(frames, 322))
    rows[:, :66] = poses(frames)[:, :22].reshape(frames, 66)
    rows[:, 309:312] = pelvis(frames) - J0 - [0.005, -0.128, -0.016]  # SMPL-X's pelvis lies lower
    return rows.astype(np.float32)


def test_motion_x_stands_faces_z_and_plays_at_30(tmp_path: Path) -> None:
    motion = read(_saved(tmp_path / "Act_Cute.npy", motion_x()))
    np.testing.assert_allclose(motion.poses[:, :22], poses()[:, :22], atol=1e-6)
    np.testing.assert_allclose(motion_joints(motion, skeleton())[:, 0], pelvis(), atol=1e-6)
    assert motion.fps == 30.0 and motion.twist_known and faces(motion)[2] > 0.9 and (motion.betas == 0.0).all()
    assert contents_of(tmp_path / "Act_Cute.npy").takes[0].frames == FRAMES


def test_a_damaged_motion_x_file_is_told(tmp_path: Path) -> None:
    rows = motion_x()
    rows[3, 10] = np.nan
    assert code_of(_saved(tmp_path / "a.npy", rows))[0] == "motion.not_finite"
    rows = motion_x()
    rows[:, :66] *= 180 / np.pi * 20
    assert code_of(_saved(tmp_path / "b.npy", rows))[0] == "motion.degrees"
    assert code_of(_saved(tmp_path / "c.npy", motion_x()[:0]))[0] == "motion.wrong_shape"


# --- AMASS ---


@pytest.mark.parametrize("gender", [np.array("neutral"), np.array(b"neutral"), np.array([b"neutral"])])
def test_amass_of_smplx_as_its_stageii_files_are(gender: Array, tmp_path: Path) -> None:
    """SMPL-X's release: everything twice, 16 or 300 shape numbers, markers, the rate 120.00004."""
    turn = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])  # Y up to Z up
    body = np.zeros((FRAMES, 165))
    body[:, :66] = poses()[:, :22].reshape(FRAMES, 66)
    body[:, :3] = [matrix_to_axis_angle(turn @ one) for one in axis_angle_to_matrix(poses()[:, 0])]
    np.savez(
        tmp_path / "A1-_Stand_stageii.npz", gender=gender, surface_model_type=np.array("smplx"),
        mocap_frame_rate=np.array(120.00004), mocap_time_length=np.array(FRAMES / 120), trans=pelvis() @ turn.T,
        markers_latent=np.zeros((53, 3)), latent_labels=np.array(["LFHD"] * 53),
        markers_latent_vids=np.array({"LFHD": 1}, dtype=object), poses=body, betas=np.zeros(300),
        num_betas=np.array(16), root_orient=body[:, :3], pose_body=body[:, 3:66], pose_hand=body[:, 75:],
        pose_jaw=body[:, 66:69], pose_eye=body[:, 69:75],
    )  # fmt: skip
    motion = read(tmp_path / "A1-_Stand_stageii.npz")
    np.testing.assert_allclose(motion.poses[:, :22], poses()[:, :22], atol=1e-6)
    assert motion.fps == pytest.approx(120.00004) and faces(motion)[2] > 0.9
    assert any("neutral" in note for note in motion.notes)
    assert not any(note.startswith("Ignored entries") for note in motion.notes)


def test_edge_plays_at_30(tmp_path: Path) -> None:
    content = {"smpl_poses": np.zeros((FRAMES, 72)), "smpl_trans": pelvis(), "full_pose": joints(FRAMES)}
    assert read(save(tmp_path / "a.npy", content)).fps == 30.0
