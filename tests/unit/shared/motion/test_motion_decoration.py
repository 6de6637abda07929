"""What only decorates a motion file's numbers is read past, and what is not read is told."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from shared.errors import MotionError
from shared.motion import Ask, SMPLMotion, Take, contents_of, read_motion, read_people
from shared.motion.quality import motion_joints
from shared.motion.readers import READERS, SUFFIXES
from shared.motion.skeleton import PARENTS
from shared.rotations import axis_angle_to_matrix, matrix_to_rot6d_rows, rotation_angle
from tests.reference import rotations as twin
from tests.unit.shared.motion.test_motion_readers import (
    FRAMES,
    amass,
    code_of,
    pelvis,
    poses,
    results_content,
    save,
    skeleton,
    smpl_content,
)

Z_UP = Rotation.from_euler("x", 90, degrees=True)  # a body of SMPL's that stands in a file with Z up


def read(path: Path, **options: object) -> SMPLMotion:
    return read_motion(path, rest_joints=skeleton(), **options)  # type: ignore[arg-type]


def standing() -> tuple[NDArray[Any], NDArray[Any]]:
    """poses (FRAMES, 52, 3) and trans of a body that stands in Z-up axes."""
    full = np.zeros((FRAMES, 52, 3))
    full[:, :22] = poses()[:, :22]
    full[:, 0] = (Z_UP * Rotation.from_rotvec(poses()[:, 0])).as_rotvec()
    return full, np.random.default_rng(2).normal(scale=0.02, size=(FRAMES, 3))


def same(first: SMPLMotion, second: SMPLMotion) -> None:
    np.testing.assert_allclose(first.poses, second.poses, atol=1e-12)
    np.testing.assert_allclose(first.root, second.root, atol=1e-12)
    assert first.fps == second.fps


FORMS: dict[str, Callable[[NDArray[Any]], object]] = {
    "list": lambda array: array.tolist(),
    "object array": lambda array: array.astype(object),
    "leading axis": lambda array: array[None],
    "trailing axis": lambda array: array[..., None],
    "axis between": lambda array: array[:, None],
    "rows in an object array": lambda array: as_objects(list(array)),
}


def as_objects(items: list[object]) -> NDArray[Any]:
    array = np.empty(len(items), dtype=object)
    for index, item in enumerate(items):
        array[index] = item
    return array


# --- AMASS ---


@pytest.mark.parametrize("form", FORMS)
def test_amass_entries_in_any_wrapping(form: str, tmp_path: Path) -> None:
    full, trans = standing()
    flat = full.reshape(FRAMES, 156)
    plain = read(amass(tmp_path / "plain.npz", poses=flat, trans=trans))
    entries = {"poses": FORMS[form](flat), "trans": FORMS[form](trans), "mocap_framerate": 120.00004}
    same(read(save(tmp_path / "dict.npy", entries)), plain)
    wrapped: dict[str, Any] = {
        key: value if isinstance(value, np.ndarray) else as_objects([value]) for key, value in entries.items()
    }
    same(read(amass(tmp_path / "a.npz", **wrapped)), plain)


def test_amass_by_other_names_and_joint_by_joint(tmp_path: Path) -> None:
    full, trans = standing()
    plain = read(amass(tmp_path / "plain.npz", poses=full.reshape(FRAMES, 156), trans=trans))
    by_joint: dict[str, Any] = {"poses": full, "trans": None, "transl": trans}
    same(read(amass(tmp_path / "a.npz", **by_joint)), plain)
    parts: dict[str, Any] = {"poses": None, "global_orient": full[:, 0], "body_pose": full[:, 1:22]}
    same(read(amass(tmp_path / "b.npz", trans=trans, **parts)), plain)


@pytest.mark.parametrize(
    "rate",
    [np.array([30.0]), np.array([[30]]), np.array("30"), np.array(b"30"), np.array("30 fps"), np.array("60/2"),
     np.full(FRAMES, 30.0), np.array(30, np.int16), np.array(30.0, np.float16), np.array([30.0], dtype=object)],
)  # fmt: skip
@pytest.mark.parametrize("key", ["mocap_framerate", "framerate", "frame_rate"])
def test_the_rate_in_any_form_and_spelling(rate: NDArray[Any], key: str, tmp_path: Path) -> None:
    entries: dict[str, Any] = {"mocap_framerate": None, key: rate}
    motion = read(amass(tmp_path / "a.npz", **entries))
    assert motion.fps == 30.0 and not any("fps" in note for note in motion.notes)


@pytest.mark.parametrize("rate", [0.0, -30.0, 1e6, np.nan, np.linspace(1.0, 2.0, FRAMES)])
def test_a_rate_that_cannot_be_one_says_where_to_give_another(rate: object, tmp_path: Path) -> None:
    path = amass(tmp_path / "a.npz", mocap_framerate=np.array(rate))
    assert "'mocap_framerate'" in code_of(path)[1] and "--motion-fps" in code_of(path)[1]
    assert read(path, fps=24.0).fps == 24.0


@pytest.mark.parametrize("rate", [None, np.array(None)])
def test_a_file_without_a_rate_is_never_guessed_at(rate: NDArray[Any] | None, tmp_path: Path) -> None:
    path = amass(tmp_path / "a.npz", mocap_framerate=rate)
    code, said = code_of(path)
    assert code == "motion.no_rate" and "--motion-fps" in said and "30 is likely" in said
    found = contents_of(path)
    assert found.asks_fps and found.likely_fps == 30.0
    assert read(path, fps=25.0).fps == 25.0 and not any("fps" in warning for warning in read(path, fps=25.0).warnings)
    (spare,) = read_people(path, Ask(spare_fps=24.0), skeleton())
    assert spare.fps == 24.0 and "the scene's 24 fps" in spare.warnings[0] and "--motion-fps" in spare.warnings[0]


def test_a_file_with_a_rate_or_a_format_of_one_rate_asks_nothing(tmp_path: Path) -> None:
    with_rate = contents_of(amass(tmp_path / "a.npz"))
    assert not with_rate.asks_fps and with_rate.format == "AMASS" and with_rate.takes[0].frames == FRAMES
    positions = contents_of(save(tmp_path / "results.npy", results_content()))
    assert not positions.asks_fps and positions.likely_fps == 20.0 and positions.unit_m is None
    assert [(one.sample, one.repetition, one.text, one.frames) for one in positions.takes] == [
        (index % 2, index // 2, f"text {index}", 4 + index) for index in range(6)
    ]


def test_a_rate_that_is_none_of_numbers_can_be_replaced(tmp_path: Path) -> None:
    path = amass(tmp_path / "a.npz", mocap_framerate=np.array("fast"))
    assert "--motion-fps" in code_of(path)[1]
    assert read(path, fps=24.0).fps == 24.0


@pytest.mark.parametrize(
    ("betas", "expected"),
    [
        (np.arange(16.0)[None], np.arange(10.0)),
        (np.arange(10.0)[:, None], np.arange(10.0)),
        (np.tile(np.arange(10.0), (FRAMES, 1)), np.arange(10.0)),
        (np.arange(3.0), [0, 1, 2, 0, 0, 0, 0, 0, 0, 0]),
        (np.zeros(0), np.zeros(10)),
        (np.arange(300), np.arange(10.0)),
        (np.array("tall"), np.zeros(10)),
        (np.array(None), np.zeros(10)),
    ],
)
def test_shape_numbers_of_any_count(betas: NDArray[Any], expected: NDArray[Any], tmp_path: Path) -> None:
    motion = read(amass(tmp_path / "a.npz", betas=betas))
    np.testing.assert_array_equal(motion.betas, expected)
    assert not any("changes" in note for note in motion.notes)


def test_a_shape_that_changes_is_told_and_its_median_taken(tmp_path: Path) -> None:
    betas = np.zeros((FRAMES, 10))
    betas[:, 0] = [0.5, 0.6, 0.4, 0.5, 9.0, 0.5, -9.0]  # two frames are wrong
    motion = read(amass(tmp_path / "a.npz", betas=betas))
    assert motion.betas[0] == 0.5
    assert any("changes from frame to frame" in note for note in motion.notes)


@pytest.mark.parametrize("gender", [np.array(None), np.array(5), np.array(["male"]), np.array([b"male"]), None])
def test_gender_is_never_a_reason_to_refuse(gender: NDArray[Any] | None, tmp_path: Path) -> None:
    said = next(note for note in read(amass(tmp_path / "a.npz", gender=gender)).notes if "Gender" in note)
    assert ("male" in said) == (gender is not None and gender.shape == (1,))


def test_of_several_tracks_the_first_is_read_the_others_are_told_and_can_be_chosen(tmp_path: Path) -> None:
    full, trans = standing()
    flat = full.reshape(FRAMES, 156)
    path = amass(tmp_path / "two.npz", poses=np.stack([flat, flat[::-1]]), trans=np.stack([trans, trans[::-1]]))
    first, second = read(path), read(path, sample=1)
    np.testing.assert_allclose(first.poses, second.poses[::-1])
    np.testing.assert_allclose(first.root, second.root[::-1])
    assert "2 people" in first.warnings[0] and second.warnings == () == read(path, person=0).warnings
    same(read(path, person=1), second)
    assert code_of(path, sample=2)[0] == "motion.no_such_sample"
    assert code_of(path, person=2)[0] == "motion.no_such_person"
    assert code_of(amass(tmp_path / "one.npz"), person=1)[0] == "motion.no_such_person"
    assert contents_of(path).takes == (Take(frames=FRAMES, people=("Person 0", "Person 1")),)
    for got, alone in zip(read_people(path, Ask(), skeleton()), (first, second), strict=True):
        same(got, alone)
        assert got.warnings == ()


def test_entries_that_nobody_reads_are_told_and_known_ones_are_not(tmp_path: Path) -> None:
    path = amass(tmp_path / "a.npz", dmpls=np.zeros((FRAMES, 8)), camera=np.eye(3), poses_of_person_2=np.zeros(3))
    said = [note for note in read(path).notes if note.startswith("Ignored entries")]
    assert len(said) == 1 and "'camera'" in said[0] and "'poses_of_person_2'" in said[0] and "dmpls" not in said[0]
    assert not any(note.startswith("Ignored entries") for note in read(amass(tmp_path / "b.npz")).notes)


def test_an_entry_that_nobody_reads_is_not_opened(tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
            return (__import__("os").system, ("true",))

    path = amass(tmp_path / "a.npz", thumbnail=as_objects([Hostile()]))
    assert any("'thumbnail'" in note for note in read(path).notes)
    assert code_of(amass(tmp_path / "b.npz", gender=as_objects([Hostile()])))[0] == "file.refused"


def test_lists_that_stand_in_many_places_do_not_fill_the_memory(tmp_path: Path) -> None:
    nested: list[object] = [0.0] * 10
    for _ in range(28):
        nested = [nested, nested]
    entries = {"poses": nested, "trans": np.zeros((1, 3)), "mocap_framerate": 30.0, "gender": nested, "betas": nested}
    assert code_of(save(tmp_path / "a.npy", entries))[0] == "motion.wrong_type"


# --- HY-Motion ---


def test_hy_motion_is_y_up_at_30_frames_a_second(tmp_path: Path) -> None:
    """Its entries as its own writer makes them: (T, 156), a copy of the root as Rh, (1, 16) betas, no rate."""
    body = np.zeros((FRAMES, 156))
    body[:, :66] = poses()[:, :22].reshape(FRAMES, 66)
    trans = pelvis() - skeleton()[0]
    np.savez(
        tmp_path / "hy.npz", betas=np.zeros((1, 16)), gender=np.array("neutral"), poses=body, trans=trans,
        num_frames=FRAMES, Rh=body[:, :3],
    )  # fmt: skip
    motion = read(tmp_path / "hy.npz")
    expected = np.zeros((24, 3))
    expected[:22] = poses()[3, :22]
    joints = twin.forward_kinematics(expected, trans[3], skeleton(), PARENTS)
    np.testing.assert_allclose(motion_joints(motion, skeleton())[3], joints, atol=1e-9)
    assert motion.fps == 30.0 and motion.warnings == ()
    assert any("HY-Motion" in note for note in motion.notes)
    assert not any(note.startswith("Ignored entries") for note in motion.notes)


# --- MDM's rotations ---


def results_rot(count: int = 2) -> NDArray[Any]:
    """(count, 25, 6, FRAMES): 24 rotations as rot6d in rows, then the pelvis' place and three zeros."""
    motion = np.zeros((count, 25, 6, FRAMES), np.float32)
    for index in range(count):
        matrices = axis_angle_to_matrix(poses(seed=index))
        motion[index, :24] = np.moveaxis(matrix_to_rot6d_rows(matrices), 0, -1)
        motion[index, 24, :3] = pelvis(seed=index).T
    return motion


@pytest.mark.parametrize("form", ["dict", "bare", "bare list"])
def test_results_rot_holds_rotations_and_the_pelvis(form: str, tmp_path: Path) -> None:
    motion = results_rot()
    content: object = {"motion": motion, "text": ["a", "b"], "lengths": np.array([FRAMES, 5]), "num_samples": 2,
                       "num_repetitions": 1}  # fmt: skip
    if form == "dict":
        path = save(tmp_path / "results_rot.npy", content)
    elif form == "bare":
        np.save(tmp_path / "results_rot.npy", motion)
        path = tmp_path / "results_rot.npy"
    else:
        path = save(tmp_path / "results_rot.npy", list(motion))
    for sample in (0, 1):
        got = read(path, sample=sample)
        frames = 5 if form == "dict" and sample else FRAMES
        assert got.frame_count == frames and got.twist_known and got.fps == 20.0
        assert got.text == ("ab"[sample] if form == "dict" else "")
        expected = axis_angle_to_matrix(poses(seed=sample)[:frames])
        assert rotation_angle(axis_angle_to_matrix(got.poses), expected).max() < 1e-3
        np.testing.assert_allclose(motion_joints(got, skeleton())[:, 0], pelvis(seed=sample)[:frames], atol=1e-6)


def test_rotations_without_a_place_stay_where_they_are(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", results_rot(1)[0, :24])
    motion = read(tmp_path / "a.npy")
    assert np.ptp(motion.root, axis=0).max() < 1e-9
    assert any("stays in place" in note for note in motion.notes)


def test_root_translation_may_be_frames_first(tmp_path: Path) -> None:
    plain = read(save(tmp_path / "a.npy", smpl_content()))
    same(read(save(tmp_path / "b.npy", smpl_content(root_translation=pelvis()))), plain)
    assert read(save(tmp_path / "c.npy", smpl_content(text=5))).text == ""


# --- joint positions ---


def joints() -> NDArray[Any]:
    """(9, 22, 3): the rest pose on a walk."""
    walk: NDArray[Any] = np.linspace(0.0, 1.0, 9)[:, None, None] * [0.3, 0.0, 1.0]
    return np.asarray(skeleton()[:22] + walk + [0.0, 1.15, 0.0])


def more_joints(count: int) -> NDArray[Any]:
    rest = np.random.default_rng(0).normal(size=(9, count - 22, 3))
    return np.concatenate([joints(), rest], axis=1)


POSITIONS: dict[str, object] = {
    "batch axis": joints()[None],
    "trailing axis": joints()[..., None],
    "joints first": np.moveaxis(joints(), 0, -1),
    "MDM's motion alone": np.moveaxis(joints(), 0, -1)[None],
    "float16": joints().astype(np.float16),
    "SMPL+H": more_joints(52),
    "SMPL-X": more_joints(55),
    "SMPL-X with its landmarks": more_joints(127),
    "a list": joints().tolist(),
    "frames in a list": list(joints()),
    "dict of joints": {"joints": joints()},
    "dict of positions": {"positions": joints()[None], "fps": 20},
    "dict in a list": [{"motion": np.moveaxis(joints(), 0, -1)[None]}],
    "a list of motions": {"motion": [np.moveaxis(joints(), 0, -1)], "lengths": [9], "text": "a walk"},
}


@pytest.mark.parametrize("name", POSITIONS)
def test_positions_in_any_wrapping(name: str, tmp_path: Path) -> None:
    content = POSITIONS[name]
    if isinstance(content, np.ndarray):
        np.save(tmp_path / "a.npy", content)
    else:
        save(tmp_path / "a.npy", content)
    motion = read(tmp_path / "a.npy")
    atol = 2e-3 if name == "float16" else 1e-6
    np.testing.assert_allclose(motion_joints(motion, skeleton())[:, :22], joints(), atol=atol)
    assert motion.warnings == ()


def test_whole_numbers_are_positions_too(tmp_path: Path) -> None:
    """Millimetres: the size is the body's anyway."""
    np.save(tmp_path / "a.npy", np.rint(1000 * joints()).astype(np.int32))
    np.testing.assert_allclose(motion_joints(read(tmp_path / "a.npy"), skeleton())[:, :22], joints(), atol=5e-3)


def test_positions_of_an_archive(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", joints=joints(), fps=25)
    np.savez(tmp_path / "b.npz", joints())
    assert read(tmp_path / "a.npz").fps == 25.0 and read(tmp_path / "b.npz").frame_count == 9


@pytest.mark.parametrize(
    "change",
    [
        {"lengths": None}, {"text": None}, {"num_samples": None}, {"num_repetitions": None}, {"num_samples": "two"},
        {"num_repetitions": 1.5}, {"num_samples": np.array([2])}, {"text": ["only one"]}, {"text": [1] * 6},
        {"lengths": np.array([1, 2])}, {"lengths": list(range(4, 10))}, {"lengths": np.arange(4.0, 10.0)},
        {"lengths": [np.int64(length) for length in range(4, 10)]}, {"extra": "x"},
    ],
)  # fmt: skip
def test_what_describes_a_results_file_is_no_reason_to_refuse_it(change: dict[str, object], tmp_path: Path) -> None:
    content = {key: value for key, value in results_content(**change).items() if value is not None}
    motion = read(save(tmp_path / "results.npy", content))
    assert motion.frame_count == (10 if content.get("lengths") is None or len(content["lengths"]) == 2 else 4)  # type: ignore[arg-type]
    expected = np.moveaxis(np.asarray(results_content()["motion"])[0, :, :, :4], -1, 0)
    np.testing.assert_allclose(motion_joints(motion, skeleton())[:4, :22], expected, atol=1e-4)
    assert any("6 motions" in note for note in motion.notes)


def test_more_frames_promised_than_there_are(tmp_path: Path) -> None:
    motion = read(save(tmp_path / "results.npy", results_content(lengths=np.full(6, 11))))
    assert motion.frame_count == 10 and any("11 frames, but the file has 10" in note for note in motion.notes)


def test_motions_of_different_lengths_in_a_list(tmp_path: Path) -> None:
    """PriorMDM's and GMD's lists: one array a motion, or one batch a repetition."""
    motion = np.asarray(results_content()["motion"])
    ragged = [motion[0, ..., :5], motion[1, ..., :7]]
    path = save(tmp_path / "ragged.npy", {"motion": ragged, "text": ["a", "b"]})
    assert [(read(path, sample=index).frame_count, read(path, sample=index).text) for index in (0, 1)] == [
        (5, "a"),
        (7, "b"),
    ]
    batches = {**results_content(), "motion": [motion[:2], motion[2:4], motion[4:]]}
    same(
        read(save(tmp_path / "batches.npy", batches), sample=1, repetition=2),
        read(save(tmp_path / "whole.npy", results_content()), sample=1, repetition=2),
    )


def test_parts_of_one_long_motion_are_read_whole(tmp_path: Path) -> None:
    """PriorMDM's double_take: one motion, the lengths and texts of its parts."""
    motion = np.asarray(results_content()["motion"])[:1]
    content = {"motion": motion, "lengths": [4, 6, 4], "text": ["walks", "turns", "waves"]}
    got = read(save(tmp_path / "results.npy", content))
    assert got.frame_count == 10 and got.text == "walks; turns; waves"


def test_a_second_person_is_told_and_both_can_be_read(tmp_path: Path) -> None:
    motion = np.asarray(results_content()["motion"])[:, :, :, :4]
    path = save(tmp_path / "results.npy", {"motion": motion[:1], "other_motion": 0.9 * motion[1:2]})
    assert read(path).warnings == ("The file has 2 people. Only person 0 was imported.",)
    same(read(path, person=1), read(save(tmp_path / "b.npy", {"motion": 0.9 * motion[1:2]})))
    first, second = read_people(path, Ask(), skeleton())
    assert first.warnings == second.warnings == ()
    apart = motion_joints(second, skeleton())[:, 0] - motion_joints(first, skeleton())[:, 0]
    np.testing.assert_allclose(apart.mean(axis=0)[0], 0.9 * (1 + 1 / 0.9) / 2, atol=0.02)  # as large as the bodies
    assert contents_of(path).takes[0].people == ("Person 0", "Person 1")


@pytest.mark.parametrize(
    ("array", "code"),
    [
        (np.zeros((9, 21, 3)), "motion.kit"),
        (np.zeros((9, 30, 3)), "motion.wrong_shape"),
        (np.full((9, 22, 3), np.nan), "motion.not_finite"),
        (np.zeros((22, 3)), "motion.unknown_format"),
        (np.zeros((9, 66)), "motion.unknown_format"),
        (np.zeros((9, 22, 4)), "motion.unknown_format"),
        (np.zeros((0, 22, 3)), "motion.wrong_shape"),
        (np.zeros((9, 22, 3), dtype=complex), "motion.unknown_format"),
    ],
)
def test_what_cannot_be_guessed_is_refused(array: NDArray[Any], code: str, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", array)
    got, message = code_of(tmp_path / "a.npy")
    assert got == code and "a.npy" in message and "again" not in message.replace("Generate the motion again", "")


def test_a_track_of_several_in_parts_is_chosen(tmp_path: Path) -> None:
    full, trans = standing()
    tracks = [full[:, :22].reshape(FRAMES, 66), np.roll(full[:, :22].reshape(FRAMES, 66), 1, axis=0)]
    both = {
        "poses": None,
        "root_orient": np.stack(tracks)[..., :3],
        "pose_body": np.stack(tracks)[..., 3:],
        "trans": np.stack([trans, trans + 1.0]),
    }
    second = read(amass(tmp_path / "both.npz", **both), person=1)
    same(second, read(amass(tmp_path / "one.npz", 66, poses=tracks[1], trans=trans + 1.0)))
    assert second.warnings == ()


@pytest.mark.parametrize("suffix", [".npy", ".pkl"])
def test_aist_has_its_places_in_the_unit_of_its_scaling(suffix: str, tmp_path: Path) -> None:
    place = pelvis() - skeleton()[0]
    content = {"smpl_poses": poses().reshape(FRAMES, 72), "smpl_trans": place * 93.5, "smpl_scaling": np.array([93.5])}
    path = tmp_path / f"gBR{suffix}"
    path.write_bytes(pickle.dumps(content)) if suffix == ".pkl" else save(path, content)
    motion = read(path)
    np.testing.assert_allclose(motion.root, place, atol=1e-9)
    np.testing.assert_allclose(motion.poses, poses(), atol=1e-9)
    assert motion.fps == 60.0 and not motion.warnings
    content["smpl_scaling"] = np.array([0.0])
    assert code_of(save(tmp_path / "none.npy", content))[0] == "motion.scaling"


def test_smpl_poses_without_a_scaling_are_not_taken_for_joint_positions(tmp_path: Path) -> None:
    full, trans = standing()
    edge = {"smpl_poses": full[:, :24].reshape(FRAMES, 72), "smpl_trans": trans, "full_pose": np.ones((FRAMES, 24, 3))}
    motion = read(save(tmp_path / "edge.npy", edge))
    np.testing.assert_allclose(motion.poses[:, 1:22], poses()[:, 1:22], atol=1e-12)
    assert motion.fps == 30.0


def test_a_pickle_that_asks_for_code_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"smpl_poses": Path("x")}))
    assert code_of(tmp_path / "a.pkl")[0] == "file.refused"


def test_rotations_in_degrees_are_refused(tmp_path: Path) -> None:
    full, trans = standing()
    full[:, 4] = [0.6, 0.0, 0.0]  # a knee, 34 degrees
    degrees = np.degrees(full).reshape(FRAMES, 156)
    code, said = code_of(amass(tmp_path / "a.npz", poses=degrees, trans=trans))
    assert code == "motion.degrees" and "'poses'" in said and "radians" in said


def test_a_root_that_has_turned_round_and_round_is_no_fault(tmp_path: Path) -> None:
    full, trans = standing()
    full[:, 0] *= 1.0 + 8.0 * np.pi / np.linalg.norm(full[:, 0], axis=-1, keepdims=True)  # four turns more
    turned = read(amass(tmp_path / "a.npz", poses=full.reshape(FRAMES, 156), trans=trans), up="z")
    np.testing.assert_allclose(axis_angle_to_matrix(turned.poses[:, 0]), axis_angle_to_matrix(poses()[:, 0]), atol=1e-9)


def test_places_in_centimetres_are_told(tmp_path: Path) -> None:
    full, trans = standing()
    far = amass(tmp_path / "a.npz", poses=full.reshape(FRAMES, 156), trans=trans * 0.0 + [0.0, 0.0, 90.0])
    assert any("metres" in warning for warning in read(far).warnings)
    near = amass(tmp_path / "b.npz", poses=full.reshape(FRAMES, 156), trans=trans * 0.0 + [0.0, 0.0, 1.2])
    assert not read(near).warnings


# --- names, bodies, the table ---


def test_a_suffix_in_capitals_changes_nothing(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", joints())
    (tmp_path / "a.npy").rename(tmp_path / "A.NPY")
    assert read(tmp_path / "A.NPY").frame_count == 9


def test_a_template_that_lies_elsewhere_changes_nothing_in_the_world(tmp_path: Path) -> None:
    """A body whose template stands on the floor, a metre higher than SMPL's: the clip plays where it did."""
    full, trans = standing()
    for path in (
        amass(tmp_path / "a.npz", poses=full.reshape(FRAMES, 156), trans=trans),
        save(tmp_path / "b.npy", smpl_content()),
        save(tmp_path / "c.npy", results_content()),
    ):
        usual = motion_joints(read(path), skeleton())
        raised = skeleton() + [0.1, 1.2, -0.3]
        moved = motion_joints(read_motion(path, rest_joints=raised), raised)
        np.testing.assert_allclose(moved, usual, atol=5e-3)  # SMPL's pelvis and this figure's differ by 4 mm


def test_the_rest_joints_are_asked_for_the_shape_that_is_shown(tmp_path: Path) -> None:
    """Of a body that grows by 1 cm a unit of its first shape number, and whose pelvis rises by 2 mm."""

    def rest(betas: object) -> NDArray[Any]:
        grown = skeleton() * (1.0 + 0.01 * float(np.asarray(betas)[0]))
        return np.asarray(grown)

    shape = np.eye(10)[0] * 2.0
    path = save(tmp_path / "b.npy", smpl_content())
    motion = read_motion(path, betas=shape, rest_joints=rest)
    np.testing.assert_array_equal(motion.betas, shape)
    np.testing.assert_allclose(motion_joints(motion, rest(shape))[:, 0], pelvis(), atol=1e-6)
    fitted = read_motion(save(tmp_path / "c.npy", {"motion": joints() * 1.02}), betas=shape, rest_joints=rest)
    assert fitted.residual_cm == pytest.approx(0.0, abs=1e-3) and "scaled by 1.000" in " ".join(fitted.notes)
    full, trans = standing()
    in_file = amass(tmp_path / "a.npz", poses=full.reshape(FRAMES, 156), trans=trans, betas=shape)
    got = motion_joints(read_motion(in_file, rest_joints=rest), rest(shape))
    world = rest(shape)[0] + trans  # the pelvis joint in Z-up axes, SMPL's own formula
    np.testing.assert_allclose(got[:, 0], world[:, [0, 2, 1]] * [1.0, 1.0, -1.0], atol=1e-9)


def test_a_shape_that_is_none_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "b.npy", smpl_content())
    with pytest.raises(MotionError, match="10 finite numbers"):
        read_motion(path, betas=np.full(10, np.nan), rest_joints=skeleton())


def test_every_row_of_the_table_says_what_it_assumes() -> None:
    for reader in READERS:
        assert (
            reader.name and reader.entries and (reader.fps or reader.likely_fps) > 0.0 and reader.up in ("y", "z", "-y")
        )
        assert not set(reader.entries) & set(reader.needless) or reader.name == "MDM"
    assert SUFFIXES == (".bvh", ".mcs", ".npy", ".npz", ".pkl", ".pt", ".smpl")
