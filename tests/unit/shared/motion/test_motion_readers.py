"""Readers: MDM's two files as MDM writes them, AMASS in its spellings, and what each says about a file at fault."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.make.motion.mdm_files import write_results, write_smpl_params
from shared.errors import MotionError
from shared.motion import SMPLMotion, read_motion, sample_path
from shared.motion.quality import motion_joints
from shared.motion.skeleton import PARENTS
from shared.rotations import axis_angle_to_matrix, matrix_to_rot6d_rows, rotation_angle
from tests.reference import rotations as twin

ROOT = Path(__file__).resolve().parents[4]
FRAMES = 7


def skeleton() -> NDArray[Any]:
    """A plain upright figure, left on +X, about 1.7 m tall."""
    rest = np.array(
        [
            [0, -0.22, 0.03], [0.08, -0.31, 0.03], [-0.08, -0.31, 0.03], [0, -0.11, 0.02], [0.1, -0.7, 0.03],
            [-0.1, -0.7, 0.03], [0, 0.02, 0.02], [0.1, -1.1, 0], [-0.1, -1.1, 0], [0, 0.08, 0.02], [0.12, -1.15, 0.12],
            [-0.12, -1.15, 0.12], [0, 0.28, 0], [0.08, 0.2, 0], [-0.08, 0.2, 0], [0, 0.36, 0.03], [0.18, 0.22, 0],
            [-0.18, 0.22, 0], [0.44, 0.21, 0], [-0.44, 0.21, 0], [0.69, 0.21, 0], [-0.69, 0.21, 0], [0.77, 0.2, 0],
            [-0.77, 0.2, 0],
        ]
    )  # fmt: skip
    return rest


def poses(frames: int = FRAMES, seed: int = 0) -> NDArray[Any]:
    random = np.random.default_rng(seed)
    return np.cumsum(random.normal(scale=0.05, size=(frames, 24, 3)), axis=0)


def pelvis(frames: int = FRAMES, seed: int = 0) -> NDArray[Any]:
    random = np.random.default_rng(seed + 1)
    path: NDArray[Any] = np.cumsum(random.normal(scale=0.02, size=(frames, 3)), axis=0) + [0.0, 0.93, 0.0]
    return path


def smpl_file(path: Path, **extra: object) -> Path:
    write_smpl_params(path, poses(), pelvis(), "a person dances", extra)
    return path


def results_content(**change: object) -> dict[str, object]:
    """Two samples, three repetitions, lengths 4 to 9 of 10 frames, as MDM's generate script makes it."""
    random = np.random.default_rng(5)
    motion = np.zeros((6, 22, 3, 10), dtype=np.float32)
    for index in range(6):
        motion[index] = np.moveaxis(skeleton()[:22] + [index, 1.2, 0.0] + random.normal(size=(10, 1, 3)) * 0.01, 0, -1)
    content: dict[str, object] = {
        "motion": motion,
        "text": [f"text {index}" for index in range(6)],
        "lengths": np.arange(4, 10),
        "num_samples": 2,
        "num_repetitions": 3,
    }
    return {**content, **change}


def save(path: Path, content: object) -> Path:
    holder = np.empty((), dtype=object)
    holder[()] = content
    np.save(path, holder, allow_pickle=True)
    return path


def code_of(path: Path, **options: object) -> tuple[str, str]:
    with pytest.raises(MotionError) as caught:
        read_motion(path, rest_joints=skeleton(), **options)  # type: ignore[arg-type]
    return caught.value.code, str(caught.value)


# --- smpl_params ---


def test_smpl_params_put_the_pelvis_joint_where_the_file_says(tmp_path: Path) -> None:
    motion = read_motion(smpl_file(tmp_path / "sample00_rep00_smpl_params.npy"), rest_joints=skeleton())
    joints = motion_joints(motion, skeleton())
    np.testing.assert_allclose(joints[:, 0], pelvis(), atol=1e-6)
    for frame in (0, FRAMES - 1):
        root = pelvis()[frame] - skeleton()[0]
        expected = twin.forward_kinematics(poses()[frame], root, skeleton(), PARENTS)
        np.testing.assert_allclose(joints[frame], expected, atol=1e-5)
    assert (motion.fps, motion.text, motion.twist_known) == (20.0, "a person dances", True)
    assert motion.residual_cm is None and (motion.betas == 0.0).all()
    assert any("20 fps" in note for note in motion.notes)
    assert motion.warnings == ()


@pytest.mark.parametrize("form", ["tensor", "parameter", "numpy"])
def test_vertices_and_faces_as_mdm_writes_them_are_passed_over(form: str, tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).normal(size=(6890, 3, FRAMES)).astype(np.float32)
    forms: dict[str, Callable[[], object]] = {
        "tensor": lambda: torch.from_numpy(numbers).permute(0, 1, 2),
        "parameter": lambda: torch.nn.Parameter(torch.from_numpy(numbers)),
        "numpy": lambda: numbers,
    }
    faces = np.zeros((13776, 3), dtype=np.uint32)
    path = smpl_file(tmp_path / "full.npy", vertices=forms[form](), faces=faces)
    motion = read_motion(path, rest_joints=skeleton())
    np.testing.assert_array_equal(
        motion.poses, read_motion(smpl_file(tmp_path / "a.npy"), rest_joints=skeleton()).poses
    )
    code = (
        "import sys; import numpy as np; from shared.motion import read_motion; "
        f"read_motion({str(path)!r}, rest_joints=np.load({str(tmp_path / 'rest.npy')!r})); "
        "print('torch' in sys.modules)"
    )
    np.save(tmp_path / "rest.npy", skeleton())
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


def test_the_doubled_translation_of_old_files_does_not_come_back(tmp_path: Path) -> None:
    """Files of before November 2023 hold vertices = body + 2 root(t) - root(0); only root_translation counts."""
    doubled = np.repeat((2.0 * pelvis() - pelvis()[0]).T[None], 6890, axis=0).astype(np.float32)
    motion = read_motion(smpl_file(tmp_path / "old.npy", vertices=doubled), rest_joints=skeleton())
    travelled = motion.root[-1] - motion.root[0]
    np.testing.assert_allclose(travelled, pelvis()[-1] - pelvis()[0], atol=1e-6)


def test_rot6d_is_read_in_rows_not_columns(tmp_path: Path) -> None:
    path = smpl_file(tmp_path / "a.npy")
    content = np.load(path, allow_pickle=True).item()
    matrix = twin.matrix_from_axis_angle(poses()[3, 16])
    np.testing.assert_allclose(content["thetas"][16, :, 3], matrix[:2].reshape(-1), atol=1e-6)
    turned = axis_angle_to_matrix(read_motion(path, rest_joints=skeleton()).poses[3, 16])
    assert rotation_angle(turned, matrix) < 1e-5


def test_a_given_rate_is_used_and_noted(tmp_path: Path) -> None:
    motion = read_motion(smpl_file(tmp_path / "a.npy"), fps=12.5, rest_joints=skeleton())
    assert motion.fps == 12.5
    assert any("12.5 fps, as set" in note for note in motion.notes)


def smpl_content(**change: object) -> dict[str, object]:
    thetas = np.moveaxis(matrix_to_rot6d_rows(axis_angle_to_matrix(poses())), 0, -1)
    content: dict[str, object] = {"thetas": thetas, "root_translation": pelvis().T, "text": "x", **change}
    return {key: value for key, value in content.items() if value is not None}


@pytest.mark.parametrize(
    ("change", "code", "key"),
    [
        ({"root_translation": None}, "motion.missing_key", "root_translation"),
        ({"root_translation": np.zeros((3, FRAMES + 1))}, "motion.wrong_shape", "root_translation"),
        ({"root_translation": np.full((3, FRAMES), np.nan)}, "motion.not_finite", "root_translation"),
        ({"thetas": np.zeros((24, 6, 0))}, "motion.wrong_shape", "thetas"),
        ({"thetas": np.zeros((22, 6, FRAMES))}, "motion.wrong_shape", "thetas"),
        ({"thetas": np.zeros((24, 6, FRAMES))}, "motion.rot6d", "thetas"),
        ({"thetas": torch.zeros(24, 6, FRAMES)}, "motion.rot6d", "thetas"),
        ({"thetas": "a string"}, "motion.wrong_type", "thetas"),
        ({"thetas": np.full((24, 6, FRAMES), "1")}, "motion.wrong_type", "thetas"),
    ],
)
def test_faults_of_smpl_params_are_named(change: dict[str, object], code: str, key: str, tmp_path: Path) -> None:
    got, message = code_of(save(tmp_path / "params.npy", smpl_content(**change)))
    assert got == code
    assert "params.npy" in message and repr(key) in message


# --- results.npy ---


@pytest.mark.parametrize(("sample", "repetition"), [(0, 0), (1, 0), (0, 2), (1, 2)])
def test_sample_and_repetition_choose_the_entry_and_its_length(sample: int, repetition: int, tmp_path: Path) -> None:
    path = save(tmp_path / "results.npy", results_content())
    motion = read_motion(path, sample=sample, repetition=repetition, rest_joints=skeleton())
    index = repetition * 2 + sample
    assert motion.text == f"text {index}"
    assert motion.frame_count == 4 + index
    joints = motion_joints(motion, skeleton())
    expected = np.moveaxis(np.asarray(results_content()["motion"])[index, :, :, : 4 + index], -1, 0)
    np.testing.assert_allclose(joints[:, :22], expected, atol=1e-4)
    assert motion.twist_known is False
    assert motion.residual_cm == pytest.approx(0.0, abs=0.01)
    assert any("cm" in note for note in motion.notes)


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        ({"motion": np.zeros((6, 21, 3, 10))}, "motion.kit", "KIT"),
        ({"motion": np.zeros((6, 30, 3, 10))}, "motion.wrong_shape", "30 joints"),
        ({"motion": np.zeros((6, 22, 4, 10))}, "motion.wrong_shape", "'motion'"),
        ({"motion": np.zeros((22, 10))}, "motion.wrong_shape", "'motion'"),
        ({"motion": "a walk"}, "motion.wrong_type", "'motion'"),
        ({"motion": np.full((6, 22, 3, 10), np.nan)}, "motion.not_finite", "'motion'"),
        ({"motion": np.zeros((6, 22, 3, 10))}, "motion.no_skeleton", "results.npy"),
        ({"lengths": np.zeros(6, dtype=int)}, "motion.wrong_length", "'lengths'"),
    ],
)
def test_faults_of_results_are_named(change: dict[str, object], code: str, word: str, tmp_path: Path) -> None:
    got, message = code_of(save(tmp_path / "results.npy", results_content(**change)))
    assert got == code
    assert "results.npy" in message and word in message


@pytest.mark.parametrize(("sample", "repetition"), [(2, 0), (0, 3), (-1, 0)])
def test_samples_that_there_are_not_are_named(sample: int, repetition: int, tmp_path: Path) -> None:
    path = save(tmp_path / "results.npy", results_content())
    got, message = code_of(path, sample=sample, repetition=repetition)
    assert got == "motion.no_such_sample"
    assert "samples 0 to 1 and repetitions 0 to 2" in message


def test_dynamic_text_is_joined(tmp_path: Path) -> None:
    path = save(tmp_path / "r.npy", results_content(text=[["walks", "jumps"]] * 6))
    assert read_motion(path, rest_joints=skeleton()).text == "walks; jumps"


def test_action_files_are_turned_upright_and_put_on_the_floor(tmp_path: Path) -> None:
    upright = skeleton() - skeleton()[0]  # the pelvis at the origin, as in MDM's action files
    down = upright * [1.0, -1.0, -1.0]
    motion = np.moveaxis(np.repeat(down[None, None], 5, axis=1), 1, -1).astype(np.float32)
    content = {"motion": motion, "text": ["jump"], "lengths": np.array([5]), "num_samples": 1, "num_repetitions": 1}
    read = read_motion(save(tmp_path / "results.npy", content), rest_joints=skeleton())
    joints = motion_joints(read, skeleton())[0]
    np.testing.assert_allclose(joints, upright + [0.0, 0.93, 0.0], atol=1e-5)
    assert any("Up axis in the file: Y down" in note for note in read.notes)
    content["motion"] = np.moveaxis(np.repeat(upright[None, None], 5, axis=1), 1, -1)
    standing = read_motion(save(tmp_path / "up.npy", content), rest_joints=skeleton())
    np.testing.assert_allclose(motion_joints(standing, skeleton())[0], upright, atol=1e-5)


def test_bare_positions_are_read(tmp_path: Path) -> None:
    joints = skeleton()[:22] + np.linspace(0.0, 1.0, 6)[:, None, None]
    np.save(tmp_path / "012314.npy", joints.astype(np.float32))
    motion = read_motion(tmp_path / "012314.npy", rest_joints=skeleton())
    assert motion.frame_count == 6 and motion.residual_cm == pytest.approx(0.0, abs=0.01)


# --- AMASS ---


def amass(path: Path, width: int = 156, rate_key: str = "mocap_framerate", **change: object) -> Path:
    content: dict[str, object] = {
        "poses": np.zeros((FRAMES, width)),
        "trans": np.zeros((FRAMES, 3)),
        "betas": np.linspace(-1.0, 1.0, 16),
        "gender": np.array("female"),
        rate_key: np.array(120.00004),
        **change,
    }
    np.savez(path, **{key: value for key, value in content.items() if value is not None})  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("width", [66, 72, 156])
def test_amass_stands_upright_where_it_stood(width: int, tmp_path: Path) -> None:
    """Against SMPL's own formula in Z-up space, joint by joint, turned to Y up afterwards."""
    used = 24 if width == 72 else 22
    flat = np.zeros((FRAMES, width))
    flat[:, : 3 * used] = poses()[:, :used].reshape(FRAMES, -1)
    trans = np.random.default_rng(2).normal(size=(FRAMES, 3))
    path = amass(tmp_path / "a.npz", width, poses=flat, trans=trans)
    motion = read_motion(path, up="z", rest_joints=skeleton())  # the rest pose stands along Y, whatever is said of it
    joints = motion_joints(motion, skeleton())
    for frame in range(FRAMES):
        body = np.zeros((24, 3))
        body[:used] = poses()[frame, :used]
        z_up = twin.forward_kinematics(body, trans[frame], skeleton(), PARENTS)
        np.testing.assert_allclose(joints[frame], z_up[:, [0, 2, 1]] * [1.0, 1.0, -1.0], atol=1e-9)
    np.testing.assert_array_equal(motion.betas, np.linspace(-1.0, 1.0, 16)[:10])
    assert motion.twist_known and motion.fps == pytest.approx(120.00004)
    assert any("Z up" in note for note in motion.notes)


@pytest.mark.parametrize("key", ["mocap_framerate", "mocap_frame_rate", "fps"])
def test_all_spellings_of_the_rate_are_read(key: str, tmp_path: Path) -> None:
    path = amass(tmp_path / "a.npz", rate_key=key)
    assert read_motion(path, rest_joints=skeleton()).fps == pytest.approx(120.00004)
    assert read_motion(path, fps=60.0, rest_joints=skeleton()).fps == 60.0


@pytest.mark.parametrize(
    "gender",
    [np.array("female"), np.array(b"female"), np.array("female", dtype=object), np.array(b"female", dtype=object)],
)
def test_gender_may_be_text_or_bytes_or_an_object(gender: NDArray[Any], tmp_path: Path) -> None:
    motion = read_motion(amass(tmp_path / "a.npz", gender=gender), rest_joints=skeleton())
    assert any("female" in note for note in motion.notes)


def test_split_poses_and_smplx_shape(tmp_path: Path) -> None:
    body = poses()[:, :22].reshape(FRAMES, -1)
    parts: dict[str, Any] = {
        "poses": None,
        "root_orient": body[:, :3],
        "pose_body": body[:, 3:],
        "surface_model_type": np.array("smplx"),
    }
    split, whole, smpl = (
        read_motion(path, up="z", rest_joints=skeleton())
        for path in (
            amass(tmp_path / "a.npz", rate_key="mocap_frame_rate", **parts),
            amass(tmp_path / "b.npz", 165, poses=np.pad(body, ((0, 0), (0, 99)))),
            amass(tmp_path / "c.npz", 66, poses=body),
        )
    )
    np.testing.assert_array_equal(split.poses, whole.poses)
    np.testing.assert_array_equal(split.root, whole.root)
    assert (split.betas == 0.0).all()
    # SMPL-X's pelvis lies 12.8 cm lower in its own coordinates, so the same trans means a lower pelvis.
    assert (split.root - smpl.root)[0] == pytest.approx([0.005, -0.016, 0.128])
    assert any("SMPL-X" in note for note in split.notes)


@pytest.mark.parametrize(
    ("change", "code", "key"),
    [
        ({"poses": np.zeros((FRAMES, 100))}, "motion.wrong_shape", "poses"),
        ({"poses": np.zeros((0, 156))}, "motion.wrong_shape", "poses"),
        ({"poses": None}, "motion.missing_key", "root_orient"),
        ({"trans": None}, "motion.missing_key", "trans"),
        ({"trans": np.zeros((FRAMES - 1, 3))}, "motion.wrong_shape", "trans"),
        ({"trans": np.full((FRAMES, 3), np.inf)}, "motion.not_finite", "trans"),
        ({"poses": np.full((FRAMES, 156), np.nan)}, "motion.not_finite", "poses"),
        ({"betas": np.full(10, np.nan)}, "motion.not_finite", "betas"),
        ({"mocap_framerate": np.array("fast")}, "motion.wrong_type", "mocap_framerate"),
    ],
)
def test_faults_of_amass_are_named(change: dict[str, object], code: str, key: str, tmp_path: Path) -> None:
    got, message = code_of(amass(tmp_path / "walk_poses.npz", **change))  # type: ignore[arg-type]
    assert got == code
    assert "walk_poses.npz" in message and repr(key) in message


@pytest.mark.parametrize("rate", [0.0, -5.0, 1 / 30, 5000.0])
def test_an_impossible_rate_is_refused(rate: float, tmp_path: Path) -> None:
    got, message = code_of(amass(tmp_path / "a.npz", mocap_framerate=np.array(rate)))
    assert got == "motion.fps" and "a.npz" in message
    assert ("to 30 if" in message) == (rate == 1 / 30)


@pytest.mark.parametrize("rate", [0.0, 0.03, 2000.0, float("nan")])
def test_a_given_rate_that_cannot_be_one_is_refused(rate: float, tmp_path: Path) -> None:
    assert code_of(amass(tmp_path / "a.npz"), fps=rate)[0] == "motion.fps"


# --- what is no motion ---


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", b"hello"),
        ("empty.npy", b""),
        ("model.pt", b"PK\x05\x06" + bytes(18)),
        ("walk.fbx", b"Kaydara FBX Binary  \0"),
    ],
)
def test_other_files_are_named(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    got, message = code_of(tmp_path / name)
    assert got == "motion.unknown_format"
    assert name in message and "AMASS" in message
    assert ("is not a motion file" in message) == (name in ("notes.txt", "model.pt"))


def test_other_arrays_are_named(tmp_path: Path) -> None:
    np.save(tmp_path / "vectors.npy", np.zeros((10, 263)))
    assert code_of(tmp_path / "vectors.npy")[0] == "motion.features"
    np.save(tmp_path / "array.npy", np.zeros((10, 5)))
    assert code_of(tmp_path / "array.npy")[0] == "motion.unknown_format"
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    assert code_of(tmp_path / "other.npz")[0] == "motion.unknown_format"
    assert code_of(save(tmp_path / "dict.npy", {"a": 1}))[0] == "motion.unknown_format"
    assert code_of(save(tmp_path / "list.npy", [1, 2]))[0] == "motion.unknown_format"
    assert code_of(tmp_path / "absent.npy")[0] == "file.missing"


@pytest.mark.parametrize("width", [72, 75, 168])
def test_rows_of_poses_without_names_say_how_to_name_them(width: int, tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", np.zeros((10, width)))
    code, message = code_of(tmp_path / "rows.npy")
    assert code == "motion.unknown_format" and f"{width} numbers per frame" in message and "`poses`" in message


def test_a_pytorch_file_is_read_by_its_entries(tmp_path: Path) -> None:
    torch.save({"poses": torch.zeros(3)}, tmp_path / "a.pt")
    code, message = code_of(tmp_path / "a.pt")
    assert code == "motion.wrong_shape" and "a.pt: the entry 'poses'" in message


def test_files_of_one_motion_have_no_second_sample(tmp_path: Path) -> None:
    assert code_of(smpl_file(tmp_path / "a.npy"), sample=1)[0] == "motion.no_such_sample"
    assert code_of(amass(tmp_path / "a.npz"), repetition=1)[0] == "motion.no_such_sample"


@settings(max_examples=60, deadline=None)
@given(share=st.floats(0.0, 0.999))
def test_every_cut_off_sample_gives_one_sentence(share: float, tmp_path_factory: pytest.TempPathFactory) -> None:
    data = sample_path("walk", "results").read_bytes()
    path = tmp_path_factory.mktemp("cut") / "cut.npy"
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(MotionError) as caught:
        read_motion(path, rest_joints=skeleton())
    assert caught.value.code in ("file.damaged", "motion.unknown_format")


def test_written_results_pad_shorter_motions_and_tell_their_lengths(tmp_path: Path) -> None:
    joints = [skeleton() + np.zeros((4, 1, 1)), skeleton() + np.zeros((6, 1, 1))]
    write_results(tmp_path / "results.npy", joints, ["a", "b"])
    content = np.load(tmp_path / "results.npy", allow_pickle=True).item()
    assert content["motion"].shape == (2, 22, 3, 6) and content["motion"].dtype == np.float32
    motions: list[SMPLMotion] = [
        read_motion(tmp_path / "results.npy", sample=i, rest_joints=skeleton()) for i in (0, 1)
    ]
    assert [(motion.frame_count, motion.text) for motion in motions] == [(4, "a"), (6, "b")]
