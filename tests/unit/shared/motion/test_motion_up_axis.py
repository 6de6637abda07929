"""Which axis points up: convention, content where it is certain, the user; and clips that lie down are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from shared.motion import SMPLMotion, read_motion, sample_path
from shared.motion.quality import motion_joints
from shared.motion.up_axis import UP_AXES, Up, choose_up, posture_warning, turn_to_y
from tests.unit.shared.motion.test_motion_readers import FRAMES, skeleton

HEAD, ANKLES = 15, (7, 8)
# Columns: where a body's right, up and front lie in a file whose Z, X, ... points up.
FILE_FROM_Y_UP = {
    "y": np.eye(3),
    "z": np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]),
    "x": np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]]),
    "-y": np.diag([1, -1, -1]),
}
AXES: tuple[Up, ...] = ("y", "z", "x", "-y")


def walk_joints() -> NDArray[Any]:
    """(frames, 22, 3) metres, Y up, on the floor."""
    content = np.load(sample_path("walk", "results"), allow_pickle=True).item()
    return np.asarray(np.moveaxis(content["motion"][0], -1, 0)[:24], dtype=np.float64)


def amass_file(path: Path, root: Rotation, pelvis: NDArray[Any], **extra: object) -> Path:
    """A rest pose turned by `root` with its pelvis joint at `pelvis` (frames, 3), as SMPL counts it: pelvis - J0."""
    poses = np.zeros((len(pelvis), 72))
    poses[:, :3] = root.as_rotvec()
    np.savez(path, poses=poses, trans=pelvis - skeleton()[0], mocap_framerate=30.0, **extra)  # type: ignore[arg-type]
    return path


def head_above_feet(motion: SMPLMotion) -> float:
    joints = motion_joints(motion, skeleton())
    return float((joints[:, HEAD, 1] - joints[:, ANKLES, 1].mean(axis=1)).mean())


def test_turns_take_the_axis_to_y_and_are_rotations() -> None:
    for axis in UP_AXES[1:]:
        unit = np.eye(3)["xyz".index(axis[-1])] * (-1 if axis.startswith("-") else 1)
        turn = turn_to_y(axis)
        np.testing.assert_array_equal(turn @ unit, [0, 1, 0])
        assert np.linalg.det(turn) == pytest.approx(1.0)
        np.testing.assert_array_equal(turn @ turn.T, np.eye(3))


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("asked", [True, False])
def test_positions_of_any_axis_stand_on_the_same_floor(axis: Up, asked: bool, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", walk_joints() @ FILE_FROM_Y_UP[axis].T)
    motion = read_motion(tmp_path / "a.npy", up=axis if asked else "auto", rest_joints=skeleton())
    joints = motion_joints(motion, skeleton())
    assert head_above_feet(motion) > 1.2
    scale = float(next(note for note in motion.notes if "scaled by" in note).split("scaled by ")[1].split(":")[0])
    off = np.abs(joints[:, 10:12, 1] - scale * walk_joints()[:, 10:12, 1])
    assert off.mean() < 0.001 and off.max() < 0.02  # in the longest strides these hips are too wide for the legs
    assert motion.warnings == ()


@pytest.mark.parametrize(
    ("axis", "root"),
    [("z", Rotation.from_euler("x", 90, degrees=True)), ("y", Rotation.identity())],
)
def test_an_amass_like_file_stands_whether_z_or_y_is_up(axis: str, root: Rotation, tmp_path: Path) -> None:
    """The rest pose has the balls of its feet at -1.15 and its pelvis at -0.22, so it stands with that at 0.93."""
    up = np.array([0.0, 0.0, 0.93]) if axis == "z" else np.array([0.0, 0.93, 0.0])
    path = amass_file(tmp_path / "a.npz", root, np.repeat(up[None], FRAMES, axis=0))
    motion = read_motion(path, rest_joints=skeleton())
    assert head_above_feet(motion) == pytest.approx(0.36 + 1.1)
    np.testing.assert_allclose(motion_joints(motion, skeleton())[:, 0], [[0.0, 0.93, 0.0]] * FRAMES, atol=1e-9)
    assert any(f"{axis.upper()} " in note for note in motion.notes) and motion.warnings == ()


def test_the_user_has_the_last_word(tmp_path: Path) -> None:
    path = amass_file(tmp_path / "a.npz", Rotation.identity(), np.zeros((FRAMES, 3)) + [0.0, 0.93, 0.0])
    motion = read_motion(path, up="z", rest_joints=skeleton())
    joints = motion_joints(motion, skeleton())
    np.testing.assert_allclose(joints[0, HEAD] - joints[0, 0], [0.0, 0.0, -0.58], atol=1e-9)
    assert "Up axis: Z up, as set." in motion.notes
    assert "lies on its back" in motion.warnings[0] and "set Up" in motion.warnings[0]


@pytest.mark.parametrize(("roll", "side"), [(0.0, "back"), (180.0, "front"), (90.0, "side"), (-90.0, "side")])
def test_one_who_lies_on_the_floor_for_the_whole_clip_keeps_lying_and_it_is_told(
    roll: float, side: str, tmp_path: Path
) -> None:
    """Z up, the body along +Y with its lowest joint 2 cm above the floor, 2 m from the origin."""
    root = Rotation.from_euler("y", roll, degrees=True)
    lowest = root.apply(skeleton() - skeleton()[0])[:, 2].min()
    path = amass_file(tmp_path / "a.npz", root, np.zeros((FRAMES, 3)) + [0.0, 2.0, 0.02 - lowest])
    motion = read_motion(path, rest_joints=skeleton())
    assert abs(head_above_feet(motion)) < 0.1
    assert f"lies on its {side}" in motion.warnings[0]


def test_a_clip_that_lies_down_and_gets_up_is_left_alone() -> None:
    lying = skeleton() - skeleton()[0] + [0.0, 0.0, 0.1]
    standing = (skeleton() - skeleton()[0]) @ np.asarray(FILE_FROM_Y_UP["z"]).T + [0.0, 0.0, 0.95]
    joints = np.concatenate([np.repeat(lying[None], 60, axis=0), np.repeat(standing[None], 40, axis=0)])
    assert choose_up(joints, "auto", "z", "AMASS").axis == "z"


def test_upside_down_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", walk_joints())
    motion = read_motion(tmp_path / "a.npy", up="-y", rest_joints=skeleton())
    assert "upside down" in motion.warnings[0]
    assert posture_warning(walk_joints()) == ""
