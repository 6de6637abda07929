"""The sample motions: what the script makes is what ships, and it moves as people do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.make.motion.clips import CLIPS
from backend.make.motion.curves import eased, flowing, late
from backend.make.motion.make_samples import write_clip
from shared.body import free_body
from shared.errors import MotionError
from shared.motion import SAMPLE_NAMES, SMPLMotion, read_motion, sample_path
from shared.motion.quality import measure_quality, motion_joints
from shared.motion.samples import SAMPLE_FORMATS, SAMPLES, SAMPLES_FOLDER, Sample, sample_at
from shared.motion.skeleton import JOINT_INDEX
from shared.rotations import axis_angle_to_matrix

FPS = 20.0
J = JOINT_INDEX


@pytest.fixture(scope="module")
def rest() -> NDArray[Any]:
    return np.asarray(free_body().joints(np.zeros(10)), dtype=np.float64)


@pytest.fixture(scope="module")
def motions() -> dict[str, SMPLMotion]:
    return {name: read_motion(sample_path(name)) for name in SAMPLE_NAMES}


@pytest.fixture(scope="module")
def joints(motions: dict[str, SMPLMotion], rest: NDArray[Any]) -> dict[str, NDArray[Any]]:
    return {name: motion_joints(motion, rest) for name, motion in motions.items()}


def yaw_degrees(motion: SMPLMotion) -> NDArray[Any]:
    forward = axis_angle_to_matrix(motion.poses[:, 0])[..., 2]
    yaw: NDArray[Any] = np.degrees(np.arctan2(forward[:, 0], forward[:, 2]))
    return yaw


def test_all_clips_are_there_in_their_formats_and_small() -> None:
    assert {clip.name for clip in CLIPS} == set(SAMPLE_NAMES) == {"walk", "jump", "wave", "dance", "squat"}
    assert {form for forms in SAMPLE_FORMATS.values() for form in forms} == {"smpl_params", "results"}
    assert sum(path.stat().st_size for path in SAMPLES_FOLDER.glob("*.npy")) < 1_000_000


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.label)
def test_each_sample_is_there_and_as_long_as_the_menu_says(sample: Sample) -> None:
    motion = read_motion(sample.path)
    assert motion.frame_count / motion.fps == pytest.approx(sample.seconds, abs=0.05)
    assert sample.path == sample_path(sample.name) and sample_at(sample.path) == sample
    assert sample.label[0].isupper() and not sample.description.endswith(".")
    assert sample_at(sample.path.parent / "another.npy") is None


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.name)
def test_the_shipped_files_are_what_the_script_makes(clip: object, tmp_path: Path) -> None:
    for path in write_clip(clip, tmp_path):  # type: ignore[arg-type]
        made, shipped = (np.load(file, allow_pickle=True).item() for file in (path, SAMPLES_FOLDER / path.name))
        assert made.keys() == shipped.keys()
        for key, value in made.items():
            if isinstance(value, np.ndarray):
                np.testing.assert_allclose(shipped[key], value, atol=1e-5)
            else:
                assert shipped[key] == value


def test_unknown_samples_are_named() -> None:
    with pytest.raises(MotionError, match="dance"):
        sample_path("moonwalk")
    with pytest.raises(MotionError, match="jump as smpl_params"):
        sample_path("jump", "smpl_params")


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_clips_follow_mdms_conventions(
    name: str, motions: dict[str, SMPLMotion], joints: dict[str, NDArray[Any]]
) -> None:
    motion = motions[name]
    assert 60 <= motion.frame_count <= 120 and motion.fps == FPS and "person" in motion.text
    assert np.abs(joints[name][0, 0, [0, 2]]).max() < 1e-5  # begins above the origin
    assert abs(yaw_degrees(motion)[0]) < 10.0  # faces +Z
    assert joints[name][..., 1].min() == pytest.approx(0.0, abs=2e-3)  # the floor is at 0
    assert joints[name][0, J["left_hip"], 0] > joints[name][0, J["right_hip"], 0]  # its left is +X


@pytest.mark.parametrize(
    ("name", "limit"), [("dance", 5.0), ("walk", 5.0), ("jump", 2.0), ("wave", 0.1), ("squat", 0.1)]
)
def test_planted_feet_do_not_slide(name: str, limit: float, motions: dict[str, SMPLMotion], rest: NDArray[Any]) -> None:
    quality = measure_quality(motions[name], rest)
    assert quality.foot_slide_cm_per_s < limit
    assert quality.floor_penetration_cm < 0.1


def test_both_formats_of_a_clip_agree(motions: dict[str, SMPLMotion], rest: NDArray[Any]) -> None:
    for name in ("dance", "walk"):
        fitted = read_motion(sample_path(name, "results"))
        assert fitted.residual_cm is not None and fitted.residual_cm < 1.0 and not fitted.twist_known
        first, second = motion_joints(motions[name], rest), motion_joints(fitted, rest)
        np.testing.assert_allclose(first[:, :20], second[:, :20], atol=1e-3)


def test_the_walk_travels_at_walking_speed_step_by_step(joints: dict[str, NDArray[Any]]) -> None:
    walk = joints["walk"]
    seconds = (len(walk) - 1) / FPS
    assert (walk[-1, 0, 2] - walk[0, 0, 2]) / seconds == pytest.approx(1.3, abs=0.05)
    ahead = walk[:, J["left_ankle"], 2] - walk[:, J["right_ankle"], 2]
    steps = np.count_nonzero(np.diff(np.sign(ahead)))
    assert 6 <= steps <= 9  # about 1.8 steps a second
    left_hand = walk[:, J["left_wrist"], 2] - walk[:, 0, 2]
    assert np.corrcoef(left_hand, ahead)[0, 1] < -0.6  # arms swing against the legs
    height = walk[:, 0, 1]
    assert 0.02 < height.max() - height.min() < 0.06


def test_the_jump_is_anticipated_and_flies_a_parabola(joints: dict[str, NDArray[Any]]) -> None:
    jump = joints["jump"]
    toes = jump[:, [J["left_foot"], J["right_foot"]], 1].min(axis=1)
    air = np.flatnonzero(toes > 0.02)
    assert 8 <= len(air) <= 12 and (np.diff(air) == 1).all()
    pelvis = jump[:, 0, 1]
    acceleration = np.diff(pelvis, 2)[air[1] - 1 : air[-1] - 1] * FPS**2
    np.testing.assert_allclose(acceleration, -9.81, atol=0.3)
    assert pelvis[: air[0]].min() < pelvis[0] - 0.25 and pelvis[air[-1] :].min() < pelvis[0] - 0.2
    wrists = jump[:, [J["left_wrist"], J["right_wrist"]]]
    assert (wrists[17:21, :, 2].max(axis=1) < jump[17:21, 0, 2]).all()  # arms behind in the crouch
    assert (wrists[air[len(air) // 2], :, 1] > jump[air[len(air) // 2], J["head"], 1]).all()  # and up in the air


def test_the_wave_is_above_the_shoulder_and_to_and_fro(joints: dict[str, NDArray[Any]]) -> None:
    wave = joints["wave"]
    hand = wave[:, J["right_wrist"]] - wave[:, J["right_shoulder"]]
    up = hand[:, 1] > 0.2
    assert np.count_nonzero(up) / FPS > 2.0
    turns = np.count_nonzero(np.diff(np.sign(np.diff(hand[up, 0]))))
    assert turns >= 6
    assert (wave[:, J["left_wrist"], 1] < wave[:, J["left_shoulder"], 1]).all()


def test_the_squat_goes_deep_twice_on_planted_feet(joints: dict[str, NDArray[Any]]) -> None:
    squat = joints["squat"]
    deep = squat[:, 0, 1] < squat[0, 0, 1] - 0.33
    assert np.count_nonzero(np.diff(deep.astype(int)) == 1) == 2
    ankles = squat[:, [J["left_ankle"], J["right_ankle"]]]
    assert np.ptp(ankles, axis=0).max() < 1e-3
    assert (squat[deep][:, J["left_wrist"], 2] > squat[deep][:, J["left_shoulder"], 2] + 0.2).all()


def test_the_dance_reads_from_the_front(motions: dict[str, SMPLMotion], joints: dict[str, NDArray[Any]]) -> None:
    dance, yaw = joints["dance"], yaw_degrees(motions["dance"])
    assert 40.0 < yaw.max() < 65.0 and yaw.min() > -25.0
    assert np.mean(np.abs(yaw) < 30.0) > 0.75
    wrists = dance[:, [J["left_wrist"], J["right_wrist"]]]
    away = np.abs(wrists[..., 0] - dance[:, None, 0, 0]).max(axis=1)
    high = wrists[..., 1].max(axis=1) > dance[:, J["head"], 1]
    assert np.mean((away > 0.40) | high) > 0.75  # an arm stands out from the body's outline
    assert np.count_nonzero(np.diff(high.astype(int)) == 1) >= 4
    knees = axis_angle_to_matrix(motions["dance"].poses[:, [J["left_knee"], J["right_knee"]]])
    bend = np.degrees(np.arccos(np.clip(0.5 * (np.trace(knees, axis1=-2, axis2=-1) - 1.0), -1.0, 1.0)))
    assert np.ptp(bend, axis=0).min() > 40.0


def test_limbs_never_move_faster_than_people_do(joints: dict[str, NDArray[Any]]) -> None:
    for moved in joints.values():
        speed = np.linalg.norm(np.diff(moved, axis=0), axis=-1) * FPS
        assert speed.max() < 9.0


def test_curves_pass_through_their_keys_and_ease_does_not_overshoot() -> None:
    keys = {2: 0.0, 8: 1.0, 14: 1.0, 20: -2.0}
    for curve in (eased(keys, 30), flowing(keys, 30)):
        np.testing.assert_allclose(curve[[2, 8, 14, 20]], [0.0, 1.0, 1.0, -2.0], atol=1e-12)
        np.testing.assert_allclose(curve[[0, 29]], [0.0, -2.0], atol=1e-12)
    assert eased(keys, 30).max() == pytest.approx(1.0) and eased(keys, 30).min() == pytest.approx(-2.0)
    np.testing.assert_allclose(late(np.arange(5.0), 1.5), [0.0, 0.0, 0.5, 1.5, 2.5])
