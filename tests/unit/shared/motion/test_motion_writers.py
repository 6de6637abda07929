"""Writers: what is read back is what was written, and the files have the layout of the programs that they are for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shared.body import free_body
from shared.errors import LatentManError, MotionError
from shared.motion import SMPLMotion, read_motion, resample
from shared.motion.hands import fingers_of, hands_of
from shared.motion.quality import motion_joints
from shared.motion.skeleton import JOINT_NAMES, bone_offsets
from shared.motion.writers import WRITERS, Writer, write_motion, writer_for, writer_named
from shared.motion.writers.bvh import zxy_angles
from shared.rotations import axis_angle_to_matrix, rotation_angle
from tests.helpers.worn_motions import sample
from tests.reference.plain_bvh import plain_bvh

SHAPE = np.array([0.8, -1.2, 0.5, 0.0, 0.3, -0.4, 0.2, 0.1, -0.6, 0.9])


def made(frames: int = 40, fps: float = 20.0, *, betas: object = SHAPE) -> SMPLMotion:
    """A clip in which every joint turns, hands too, more than once around at the root."""
    random = np.random.default_rng(3)
    phase = np.linspace(0, 1, frames)[:, None, None]
    poses = random.normal(0, 0.5, (24, 3)) * np.sin(2 * np.pi * phase + random.uniform(0, 6, (24, 3)))
    poses[:, 0] = np.stack([0.2 * phase[:, 0, 0], 9.0 * phase[:, 0, 0], 0 * phase[:, 0, 0]], axis=1)
    root = np.stack([2 * phase[:, 0, 0], 1.3 + 0.1 * np.sin(9 * phase[:, 0, 0]), phase[:, 0, 0] ** 2], axis=1)
    return SMPLMotion(poses, root, np.asarray(betas), fps, text="a person turns", source="made")


def assert_same(one: SMPLMotion, other: SMPLMotion) -> None:
    assert one.frame_count == other.frame_count and one.fps == pytest.approx(other.fps, rel=1e-5)
    assert rotation_angle(axis_angle_to_matrix(one.poses), axis_angle_to_matrix(other.poses)).max() < 1e-5
    assert np.abs(one.root - other.root).max() < 1e-5
    assert np.abs(one.betas - other.betas).max() < 1e-5


@pytest.mark.parametrize("name", ["amass", "mdm_smpl_params"])
@pytest.mark.parametrize("betas", [np.zeros(10), SHAPE], ids=["mean", "shaped"])
def test_rotations_are_read_back_and_again(name: str, betas: object, tmp_path: Path) -> None:
    writer = writer_named(name)
    first, second = tmp_path / f"first{writer.suffix}", tmp_path / f"second{writer.suffix}"
    motion = made(betas=betas)
    assert write_motion(first, motion, writer, rest_joints=free_body().joints) == ()
    once = read_motion(first, rest_joints=free_body().joints)
    assert_same(once, motion)
    write_motion(second, once, writer, rest_joints=free_body().joints)
    assert_same(read_motion(second, rest_joints=free_body().joints), motion)


def test_positions_are_read_back_to_the_same_joints(tmp_path: Path) -> None:
    file = tmp_path / "results.npy"
    motion, rest = sample("walk"), free_body().joints(np.zeros(10))
    write_motion(file, motion, writer_for(file))
    once = read_motion(file)
    assert np.abs(motion_joints(once, rest) - motion_joints(motion, rest))[:, :22].max() < 1e-5
    assert once.text == motion.text and once.fps == 20.0
    write_motion(file, once, writer_for(file))
    assert np.abs(motion_joints(read_motion(file), rest) - motion_joints(motion, rest))[:, :22].max() < 1e-5


def test_amass_has_its_keys_shapes_and_axes(tmp_path: Path) -> None:
    file = tmp_path / "clip.npz"
    write_motion(file, replace(made(), fps=29.97), writer_named("amass"))
    with np.load(file, allow_pickle=False) as entries:
        shapes = {key: entries[key].shape for key in entries.files}
        assert shapes == {
            "trans": (40, 3), "gender": (), "mocap_framerate": (), "betas": (16,), "dmpls": (40, 8), "poses": (40, 156),
        }  # fmt: skip
        assert str(entries["gender"]) == "neutral" and float(entries["mocap_framerate"]) == 29.97
        assert np.ptp(entries["trans"][:, 2]) < 0.3 < np.ptp(entries["trans"][:, 1])  # Z is up


def test_mdm_files_have_the_layout_of_the_official_ones(tmp_path: Path) -> None:
    motion = sample("wave")
    for name in ("mdm_results", "mdm_smpl_params"):
        write_motion(tmp_path / name, motion, writer_named(name))
    results = np.load(tmp_path / "mdm_results", allow_pickle=True).item()
    assert results["motion"].shape == (1, 22, 3, motion.frame_count) and results["motion"].dtype == np.float32
    assert results["text"] == [motion.text] and list(results["lengths"]) == [motion.frame_count]
    assert (results["num_samples"], results["num_repetitions"]) == (1, 1)
    params, frames = np.load(tmp_path / "mdm_smpl_params", allow_pickle=True).item(), motion.frame_count
    assert params["thetas"].shape == (24, 6, frames) and params["motion"].shape == (25, 6, frames)
    assert np.array_equal(params["motion"][24, :3], params["root_translation"]) and params["length"] == frames


def test_a_format_with_one_rate_is_resampled_and_says_so(tmp_path: Path) -> None:
    file, motion = tmp_path / "clip_smpl_params.npy", made(48, 24.0)
    notes = write_motion(file, motion, writer_for(file))
    assert notes == ("Resampled from 24 to 20 fps, the rate of MDM Rotations.",)
    assert_same(read_motion(file), resample(motion, 20.0))


@pytest.mark.parametrize("fps", [20.0, 29.97, 120.0])
def test_bvh_has_the_rate_the_proportions_and_the_joints(fps: float, tmp_path: Path) -> None:
    file, motion = tmp_path / "clip.bvh", made(fps=fps)
    rest = np.asarray(free_body().joints(SHAPE))
    write_motion(file, motion, writer_for(file), rest_joints=free_body().joints)
    read = plain_bvh(file.read_text("ascii"))
    assert read.fps == pytest.approx(fps, rel=1e-9) and set(read.names) == set(JOINT_NAMES)
    order = [read.names.index(name) for name in JOINT_NAMES]
    assert np.allclose(read.offsets[order][1:], bone_offsets(rest)[1:], atol=1e-8)
    assert np.abs(read.joints[:, order] - motion_joints(motion, rest)).max() < 1e-6
    assert (
        np.abs(np.diff(read.channels[:, 3:], axis=0)).max() < 150
    )  # degrees: fast near the pole, no jump by half a turn


def test_angles_give_the_rotation_and_do_not_jump_at_the_pole() -> None:
    turns = np.zeros((81, 1, 3))
    turns[:, 0, 0] = np.radians(np.linspace(50, 130, 81))  # through 90 degrees about X
    turns[:, 0, 1] = 0.3
    for poses in (turns, np.random.default_rng(0).normal(0, 1.5, (50, 24, 3))):
        matrices = axis_angle_to_matrix(poses)
        angles = zxy_angles(matrices)
        about = [axis_angle_to_matrix(angles[..., [number]] * np.eye(3)[axis]) for number, axis in enumerate((2, 0, 1))]
        back = about[0] @ about[1] @ about[2]
        assert rotation_angle(back, matrices).max() < 1e-6
    exact = np.array([axis_angle_to_matrix([[np.pi / 2, 0, 0]])] * 3)  # the pole itself
    assert np.allclose(zxy_angles(exact)[..., 1], np.pi / 2)
    slow = zxy_angles(axis_angle_to_matrix(np.linspace(0, 9, 200)[:, None, None] * [0.0, 1.0, 0.0]))
    assert np.abs(np.diff(slow, axis=0)).max() < 0.05 and slow[-1, 0, 2] == pytest.approx(9.0)


def test_hands_go_to_the_fingers_and_come_back_where_all_turn_as_one() -> None:
    hands = np.random.default_rng(0).normal(0, 0.4, (5, 2, 3))
    fingers = fingers_of(hands)
    assert fingers.shape == (5, 30, 3) and np.array_equal(hands_of(fingers), hands)
    fingers[2, 7] += 0.1
    assert not hands_of(fingers).any()


@pytest.mark.parametrize("writer", WRITERS, ids=lambda one: one.name)
def test_a_file_of_one_frame_is_written(writer: Writer, tmp_path: Path) -> None:
    file = tmp_path / f"clip{writer.suffix}"
    write_motion(file, made(1), writer)
    assert file.stat().st_size > 100 and list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("a.npz", "amass"), ("A.BVH", "bvh"), ("results.npy", "mdm_results"), ("b_results.npy", "mdm_results"),
        ("c_smpl_params.npy", "mdm_smpl_params"), ("c.npy", "mdm_smpl_params"),
    ],
)  # fmt: skip
def test_the_name_says_the_format(name: str, wanted: str) -> None:
    assert writer_for(Path(name)).name == wanted


def test_unknown_formats_and_places_are_refused_with_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(MotionError, match="fbx"):
        writer_for(Path("clip.fbx"))
    with pytest.raises(MotionError, match="amass"):
        writer_named("fbx")
    with pytest.raises(LatentManError) as refused:
        write_motion(tmp_path / "missing" / "clip.npz", made(2), writer_named("amass"))
    assert refused.value.code.startswith("storage.")
