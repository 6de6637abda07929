"""Video trackers' files in their programs' layout: the person, the camera, gaps, people, and what is refused."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from shared.body import free_body
from shared.errors import MotionError
from shared.motion import SMPLMotion, read_motion
from shared.motion.opening import read_in_child
from shared.motion.quality import motion_joints
from shared.motion.reader import open_motion
from shared.motion.readers.kimodo import SOMA_JOINTS, SOMA_PLACES
from shared.motion.reading.clip import Ask
from shared.motion.resample import resample
from shared.rotations import axis_angle_to_matrix, matrix_to_axis_angle, rotation_angle
from tests.helpers import tracked_people as people
from tests.helpers.tracked_people import HEIGHT, WIDTH, Scene, scene

TRUTH = scene()
ALL = np.arange(TRUTH.frames)


def gvhmr(folder: Path) -> Path:
    return people.gvhmr(folder / "hmr4d_results.pt", TRUTH)


def gem_smpl(folder: Path) -> Path:
    return people.gvhmr(folder / "smpl_params.pt", TRUTH, names=("body_params_global", "body_params_incam"))


def wham(folder: Path) -> Path:
    return people.wham(folder / "wham_output.pkl", {4: TRUTH}, {4: ALL})


def prompthmr(folder: Path) -> Path:
    return people.prompthmr(folder / "results.pkl", {1: TRUTH}, {1: 0}, TRUTH)


def phalp(folder: Path) -> Path:
    return people.phalp(folder / "demo_walk.pkl", TRUTH)


def tram(folder: Path) -> Path:
    return people.tram(folder, TRUTH, ALL)


def mcs(folder: Path) -> Path:
    return people.mcs(folder / "world4d.mcs", [TRUTH], [0], TRUTH)


def smpl(folder: Path) -> Path:
    path = folder / "subject-1.smpl"
    path.write_bytes(people.smpl_bytes(TRUTH))
    return path


WORLD: dict[str, Callable[[Path], Path]] = {
    "GVHMR": gvhmr, "GEM-SMPL": gem_smpl, "WHAM": wham, "PromptHMR": prompthmr, "Meshcapade scene": mcs,
    "Meshcapade": smpl,
}  # fmt: skip
FILMED: dict[str, Callable[[Path], Path]] = {
    "GVHMR": gvhmr, "GEM-SMPL": gem_smpl, "PromptHMR": prompthmr, "Meshcapade scene": mcs, "TRAM": tram,
}  # fmt: skip
SEEN: dict[str, Callable[[Path], Path]] = {**FILMED, "PHALP": phalp}
RATE = {"Meshcapade": None, "Meshcapade scene": None}


def read(path: Path, name: str, **options: Any) -> SMPLMotion:
    return read_motion(path, fps=RATE.get(name, 30.0), **options)


def joints_of(motion: SMPLMotion) -> NDArray[Any]:
    return motion_joints(motion, free_body().joints(motion.betas))


@pytest.mark.parametrize("name", WORLD)
def test_the_person_stands_in_the_world_as_the_file_says(name: str, tmp_path: Path) -> None:
    motion = read(WORLD[name](tmp_path), name)
    np.testing.assert_allclose(joints_of(motion)[:, :22], TRUTH.joints()[:, :22], atol=2e-5)
    assert motion.twist_known and motion.assumptions is not None and motion.assumptions.format == name
    assert motion.fps == (25.0 if name in RATE else 30.0)


@pytest.mark.parametrize("name", FILMED)
def test_the_camera_of_the_world_sees_the_person_where_the_video_did(name: str, tmp_path: Path) -> None:
    motion = read(FILMED[name](tmp_path), name)
    camera = motion.camera
    assert camera is not None and camera.frame_count == TRUTH.frames
    assert camera.width / camera.height == pytest.approx(WIDTH / HEIGHT)
    shown = camera.projected(joints_of(motion)[:, :22]) * (HEIGHT / camera.height)
    np.testing.assert_allclose(shown, TRUTH.pixels()[:, :22], atol=0.05)
    if name != "TRAM":  # whose world is the first camera's
        eyes = -np.einsum("fji,fj->fi", TRUTH.rotation, TRUTH.translation)
        np.testing.assert_allclose(camera.positions, eyes, atol=1e-4)


@pytest.mark.parametrize("name", SEEN)
def test_in_camera_the_camera_is_at_the_origin_and_sees_the_same(name: str, tmp_path: Path) -> None:
    motion = read(SEEN[name](tmp_path), name, view="camera")
    camera = motion.camera
    assert camera is not None
    np.testing.assert_allclose(camera.positions, 0.0, atol=1e-9)
    np.testing.assert_allclose(camera.rotation, np.broadcast_to(np.diag([1.0, -1.0, -1.0]), (TRUTH.frames, 3, 3)))
    shown = camera.projected(joints_of(motion)[:, :1]) * (HEIGHT / camera.height)
    np.testing.assert_allclose(shown, TRUTH.pixels()[:, :1], atol=0.05)
    turned = axis_angle_to_matrix(motion.poses[:, 0])
    want = np.diag([1.0, -1.0, -1.0]) @ axis_angle_to_matrix(TRUTH.seen()[0][:, 0])
    assert rotation_angle(turned, want).max() < 1e-4


def test_tram_in_its_world_moves_as_the_person_does(tmp_path: Path) -> None:
    motion = read(tram(tmp_path), "TRAM")
    found, want = joints_of(motion), TRUTH.joints()
    for one, other in ((found, want), (found[:, 0], want[:, 0])):  # in shape and in way, up to one turn and place
        steps = np.linalg.norm(np.diff(one, axis=0), axis=-1)
        np.testing.assert_allclose(steps, np.linalg.norm(np.diff(other, axis=0), axis=-1), atol=1e-5)
    assert any("first camera" in note for note in motion.notes)


def test_tram_without_its_camera_says_so(tmp_path: Path) -> None:
    motion = read(people.tram(tmp_path, TRUTH, ALL, with_camera=False), "TRAM")
    assert motion.camera is None and any("camera.npy" in note for note in motion.notes)


@pytest.mark.parametrize("name", [*WORLD, "PHALP", "TRAM"])
def test_only_meshcapades_files_say_their_rate(name: str, tmp_path: Path) -> None:
    path = {**WORLD, "PHALP": phalp, "TRAM": tram}[name](tmp_path)
    asked = open_motion(path).contents().asks_fps
    assert asked is (name not in RATE)
    if asked:
        with pytest.raises(MotionError) as caught:
            read_motion(path)
        assert caught.value.code == "motion.no_rate" and "30 is likely" in str(caught.value)


@pytest.mark.parametrize("name", [*WORLD, "PHALP", "TRAM"])
def test_the_child_reads_the_same_motion(name: str, tmp_path: Path) -> None:
    path = {**WORLD, "PHALP": phalp, "TRAM": tram}[name](tmp_path)
    ask = Ask(fps=RATE.get(name, 30.0))
    (here,), (there,) = open_motion(path).people(ask), open_motion(path, read_in_child).people(ask)
    np.testing.assert_array_equal(there.poses, here.poses)
    np.testing.assert_array_equal(there.root, here.root)
    assert (there.notes, there.warnings) == (here.notes, here.warnings)
    assert (there.camera is None) is (here.camera is None)


# --- tracks with gaps, several people ---


def test_gaps_are_filled_between_neighbours_and_told_of(tmp_path: Path) -> None:
    kept = np.array([2, 3, 4, 7, 8, 9])
    for path in (
        people.wham(tmp_path / "wham_output.pkl", {4: cut(TRUTH, 2)}, {4: kept}),
        people.tram(tmp_path, TRUTH, kept, with_camera=False),
        people.phalp(tmp_path / "demo.pkl", TRUTH, missing=(5, 6)),
    ):
        (motion,) = open_motion(path).people(Ask(fps=30.0))
        assert any("Not seen in 2 of" in note for note in motion.notes), path
        first = motion.first_frame
        assert first == (0 if path.name == "demo.pkl" else 2)
        before, between, after = (motion.poses[index - first, 16] for index in (4, 5, 7))
        angle = rotation_angle(*(axis_angle_to_matrix(one) for one in (before, after)))
        assert rotation_angle(*(axis_angle_to_matrix(one) for one in (before, between))) == pytest.approx(angle / 3)
        np.testing.assert_allclose(
            motion.root[5 - first], (2 * motion.root[4 - first] + motion.root[7 - first]) / 3, atol=1e-9
        )


def cut(truth: Scene, first: int) -> Scene:
    parts = (truth.poses, truth.pelvis, truth.rotation, truth.translation)
    return Scene(*(part[first:] for part in parts))


def test_people_come_together_and_enter_in_their_frames(tmp_path: Path) -> None:
    other = cut(replace(TRUTH, pelvis=TRUTH.pelvis + [1.5, 0.0, 0.0]), 4)
    files = {
        "WHAM": people.wham(tmp_path / "w.pkl", {4: TRUTH, 9: other}, {4: ALL, 9: ALL[4:]}),
        "PromptHMR": people.prompthmr(tmp_path / "p.pkl", {1: TRUTH, 2: other}, {1: 0, 2: 4}, TRUTH),
        "Meshcapade scene": people.mcs(tmp_path / "m.mcs", [TRUTH, other], [0, 4], TRUTH),
    }
    for name, path in files.items():
        file = open_motion(path)
        (take,) = file.contents().takes
        assert len(take.people) == 2 and take.frames == TRUTH.frames, name
        both = file.people(Ask(fps=RATE.get(name, 30.0)))
        assert [one.first_frame for one in both] == [0, 4]
        np.testing.assert_allclose(joints_of(both[1])[:, :22], other.joints()[:, :22], atol=2e-5)
        assert any("2 people" in warning for warning in read(path, name).warnings)
        with pytest.raises(MotionError) as caught:
            read(path, name, person=2)
        assert caught.value.code == "motion.no_such_person"


def test_phalps_tracks_are_people(tmp_path: Path) -> None:
    file = open_motion(people.phalp(tmp_path / "demo.pkl", TRUTH, other_from=5))
    assert file.contents().takes[0].people == ("track 3", "track 8")
    first, second = file.people(Ask(fps=30.0))
    assert (first.first_frame, second.first_frame) == (0, 5)
    np.testing.assert_allclose(second.poses, first.poses[5:], atol=1e-6)


# --- GEM-X ---


def soma(truth: Scene) -> dict[str, torch.Tensor]:
    """GEM-X's parameters of a person whose joints turn as SMPL's do; other joints stay at rest."""
    turns = np.zeros((truth.frames, 77, 3))
    for joint, name in enumerate(SOMA_JOINTS):
        turns[:, SOMA_PLACES[name]] = truth.poses[:, joint]
    return {
        "body_pose": people.tensor(turns[:, 1:].reshape(truth.frames, 228)),
        "global_orient": people.tensor(turns[:, 0]),
        "transl": people.tensor(truth.pelvis),
        "identity_coeffs": torch.zeros(truth.frames, 45),
        "scale_params": torch.zeros(truth.frames, 69),
    }


def gem_x(path: Path, truth: Scene) -> Path:
    poses, pelvis = truth.seen()
    seen = Scene(poses, pelvis, truth.rotation, truth.translation)
    content = {"body_params_global": soma(truth), "body_params_incam": soma(seen), "net_outputs": {"x": torch.ones(2)}}
    torch.save({**content, "K_fullimg": people.tensor(truth.intrinsics)}, path)
    return path


def test_gem_xs_bones_turn_as_the_file_says(tmp_path: Path) -> None:
    resting = replace(TRUTH, poses=np.zeros_like(TRUTH.poses))
    bent = resting.poses.copy()
    bent[:, 18] = np.linspace(0, [0.0, -1.2, 0.0], TRUTH.frames)  # the left elbow, forward
    bent[:, 4] = np.linspace(0, [0.9, 0.0, 0.0], TRUTH.frames)  # the left knee, back
    motion = read_motion(gem_x(tmp_path / "hpe_results.pt", replace(TRUTH, poses=bent)), fps=30.0)
    assert motion.assumptions is not None and motion.assumptions.format == "GEM-X"
    joints = joints_of(motion)
    arm = joints[:, 20] - joints[:, 18]
    upper = joints[:, 18] - joints[:, 16]
    angles = np.arccos((arm * upper).sum(-1) / np.linalg.norm(arm, axis=-1) / np.linalg.norm(upper, axis=-1))
    np.testing.assert_allclose(angles - angles[0], np.linspace(0, 1.2, TRUTH.frames), atol=0.1)
    assert upper[0] @ [1, 0, 0] > 0.99 * np.linalg.norm(upper[0])  # a T pose
    assert arm[-1] @ [0, 0, 1] > 0.8 * np.linalg.norm(arm[-1])
    assert any("SOMA's model" in note for note in motion.notes)


def test_gem_xs_camera_sees_the_hips_where_the_video_did(tmp_path: Path) -> None:
    motion = read_motion(gem_x(tmp_path / "hpe_results.pt", TRUTH), fps=30.0)
    assert motion.camera is not None
    assert np.abs(motion.camera.projected(joints_of(motion)[:, :1]) - TRUTH.pixels()[:, :1]).max() < 25.0  # 7 cm
    eyes = -np.einsum("fji,fj->fi", TRUTH.rotation, TRUTH.translation)
    np.testing.assert_allclose(motion.camera.positions, eyes, atol=0.02)


# --- files at fault ---


def code_of(path: Path, **options: Any) -> tuple[str, str]:
    with pytest.raises(MotionError) as caught:
        read_motion(path, fps=30.0, **options)
    return caught.value.code, str(caught.value)


def test_faults_are_named_with_the_entry(tmp_path: Path) -> None:
    path = gvhmr(tmp_path)
    content = torch.load(path, weights_only=False)
    changes: dict[str, tuple[Any, str]] = {
        "a frame too many": ({**content, "K_fullimg": content["K_fullimg"][1:]}, "motion.wrong_shape"),
        "no pose": ({**content, "smpl_params_global": {}}, "motion.missing_key"),
        "no group": ({**content, "smpl_params_global": 3}, "motion.wrong_type"),
        "not finite": (
            {
                **content,
                "smpl_params_incam": {**content["smpl_params_incam"], "transl": torch.full((12, 3), torch.nan)},
            },
            "motion.not_finite",
        ),
    }
    for name, (changed, code) in changes.items():
        torch.save(changed, path)
        found, message = code_of(path)
        assert found == code and "hmr4d_results.pt" in message, name
    torch.save({**content, "K_fullimg": content["K_fullimg"] * 0.0}, path)
    assert code_of(path)[0] == "motion.camera"
    del content["K_fullimg"]
    torch.save(content, path)
    assert read_motion(path, fps=30.0).camera is None


@pytest.mark.parametrize("absent", [{}, None])
def test_a_motion_that_was_made_from_text_has_no_camera(absent: object, tmp_path: Path) -> None:
    path = gem_smpl(tmp_path)
    torch.save({**torch.load(path, weights_only=False), "body_params_incam": absent, "segment_info": []}, path)
    motion = read_motion(path, fps=30.0)
    assert motion.camera is None
    np.testing.assert_allclose(joints_of(motion)[:, :22], TRUTH.joints()[:, :22], atol=2e-5)


def test_matrices_that_do_not_turn_are_refused(tmp_path: Path) -> None:
    path = tram(tmp_path)
    content: Any = np.load(path, allow_pickle=True).item()
    np.save(path, np.array({**content, "pred_rotmat": content["pred_rotmat"] * 1.2}, dtype=object), allow_pickle=True)
    assert code_of(path)[0] == "motion.not_rotations"
    np.save(path, np.array({**content, "frame": torch.arange(12).flip(0)}, dtype=object), allow_pickle=True)
    assert code_of(path)[0] == "motion.frames"
    np.save(path, np.array({**content, "frame": torch.arange(12) * 10**7}, dtype=object), allow_pickle=True)
    assert code_of(path)[0] == "motion.frames"
    np.save(path, np.array({**content, "frame": torch.arange(12) + 5}, dtype=object), allow_pickle=True)
    assert code_of(path)[0] == "motion.frames"  # more than the camera has


@pytest.mark.parametrize(
    "change",
    [
        ('"bufferView": 0', '"bufferView": 77'),
        ('"bufferView": 0', '"bufferView": -1'),
        ('"componentType": 5126', '"componentType": 5123'),
        ("base64,", "base64,*"),
        ('"scene": 0', '"scene": NaN'),
        ('"count": 12', '"count": 99999999999'),
        ('"smpl_bodies": [', '"smpl_bodies": 3, "x": ['),
    ],
)
def test_scenes_at_fault_give_one_sentence(change: tuple[str, str], tmp_path: Path) -> None:
    path = mcs(tmp_path)
    text = path.read_text()
    assert change[0] in text
    path.write_text(text.replace(*change))
    code, message = code_of(path)
    assert code == "motion.scene_file" and message.startswith("world4d.mcs is not a valid Meshcapade scene")


def test_a_scenes_bodies_hold_no_pickles(tmp_path: Path) -> None:
    path = mcs(tmp_path)
    stream = io.BytesIO()
    np.savez(stream, bodyPose=np.array([{}], dtype=object))
    scene_file = json.loads(path.read_text())
    content = base64.b64encode(stream.getvalue()).decode()
    scene_file["buffers"][0]["uri"] = f"data:application/octet-stream;base64,{content}"
    scene_file["bufferViews"][0]["byteLength"] = len(stream.getvalue())
    path.write_text(json.dumps(scene_file))
    code, message = code_of(path)
    assert code == "file.refused" and "objects where plain numbers belong" in message


def test_a_scene_without_a_camera_cannot_be_read_in_it(tmp_path: Path) -> None:
    path = mcs(tmp_path)
    path.write_text(path.read_text().replace('"camera": 0', '"x": 0'))
    assert read_motion(path).camera is None
    assert code_of(path, view="camera")[0] == "motion.no_camera"


# --- the camera over time ---


def test_a_camera_keeps_its_way_at_another_rate(tmp_path: Path) -> None:
    motion = read(prompthmr(tmp_path), "PromptHMR")
    finer = resample(motion, 60.0)
    assert motion.camera is not None and finer.camera is not None
    assert finer.camera.frame_count == 2 * motion.camera.frame_count
    np.testing.assert_allclose(finer.camera.positions[::2], motion.camera.positions, atol=1e-9)
    np.testing.assert_allclose(finer.camera.rotation[::2], motion.camera.rotation, atol=1e-9)
    halfway = (motion.camera.positions[3] + motion.camera.positions[4]) / 2
    np.testing.assert_allclose(finer.camera.positions[7], halfway, atol=1e-9)
    turned = np.swapaxes(motion.camera.rotation[3], -1, -2) @ finer.camera.rotation[7]
    full = np.swapaxes(motion.camera.rotation[3], -1, -2) @ motion.camera.rotation[4]
    np.testing.assert_allclose(2 * matrix_to_axis_angle(turned), matrix_to_axis_angle(full), atol=1e-9)
