"""Recorded clips as training clips: readers, the library's body, pieces, what is dropped, and the folders they make."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from backend.make.motion.library.action import Variation
from backend.make.motion.library.clip import LibraryClip, make_clip, rest_joints
from backend.make.motion.library.table import BY_ACTION
from backend.make.motion.recorded.cmu_maps import NAMES, PARENTS, WIDTH, cmu_skeleton, read_cmu_maps
from backend.make.motion.recorded.corrections import arms_beside, knees_forward, swinging_feet_lifted
from backend.make.motion.recorded.dataset import SUMMARY, held_out_take, write_recorded
from backend.make.motion.recorded.glb import FPS, read_glb
from backend.make.motion.recorded.measure import recorded_faults
from backend.make.motion.recorded.pieces import Piece, pieces_of
from backend.make.motion.recorded.source import Shows, Source
from backend.make.motion.recorded.table import SOURCES, read_bvh_take
from backend.make.motion.recorded.take import body_motion
from backend.make.motion.training.clips import ClipSet, ClipStore, write_clips
from backend.make.motion.training.train import MotionPlan, train_motion
from backend.make.training.training_loop import Budget, Crew
from backend.motion.embedded.condition import Request
from shared.errors import InputError, MotionError
from shared.motion.humanml.layout import FEATURE_COUNT, HUMANML_FPS
from shared.motion.model import SMPLMotion
from shared.motion.quality import motion_joints
from shared.motion.resample import resample
from shared.motion.skeleton import JOINT_INDEX
from shared.motion.writers.bvh import encode_bvh
from shared.motion.writers.writer import Written
from shared.rotations import axis_angle_to_matrix

Array = npt.NDArray[np.float64]

WALK = Shows("*walk*", "walk", turning="walk_curve")


def source(*rows: Shows) -> Source:
    return Source("own", "Our own", "https://example.org/own", "CC0", ".bvh", read_bvh_take, rows)


def clip(action: str, seconds: float | None = 4.0) -> LibraryClip:
    return make_clip(BY_ACTION[action], Variation(seconds=seconds))


def as_bvh(motion: SMPLMotion, fps: float = 60.0) -> bytes:
    rest = np.asarray(rest_joints())
    return encode_bvh(Written(resample(motion, fps), rest, rest[0]))


def written(folder: Path, takes: dict[str, SMPLMotion]) -> Path:
    for name, motion in takes.items():
        file = folder / "own" / f"{name}.bvh"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(as_bvh(motion))
    return folder


def pieces(folder: Path, motion: SMPLMotion, row: Shows) -> list[Piece]:
    file = folder / "take.bvh"
    file.write_bytes(as_bvh(motion))
    ((_, recorded),) = read_bvh_take(file)
    return list(pieces_of(body_motion(recorded, source(row), row), row))


def test_no_source_forbids_commercial_use_and_every_row_names_an_action_and_a_style_of_the_library() -> None:
    for one in SOURCES:
        assert "nc" not in one.licence.lower().split("-"), one.title
        for row in one.shows:
            action = BY_ACTION[row.action]
            assert row.style in action.styles
            # The training adds the mirror image, which must be the same action.
            assert action.mirrors, row
            assert not row.turning or BY_ACTION[row.turning].mirrors
    assert len({one.folder for one in SOURCES}) == len(SOURCES)


def test_the_page_names_every_source_with_its_address() -> None:
    page = (Path(__file__).parents[4] / "docs" / "embedded_motion.md").read_text()
    for one in SOURCES:
        (row,) = (line for line in page.splitlines() if line.startswith(f"| [{one.folder}]("))
        assert f"]({one.where})" in row
        assert row.endswith(f"| {one.licence} |") or (one.credit and row.endswith("| CMU's terms |"))
        assert not one.credit or one.credit.partition(";")[0].removeprefix("Data obtained from ") in page


def test_a_take_of_another_rate_comes_back_on_the_library_body(tmp_path: Path) -> None:
    made = clip("wave", None)
    (piece,) = pieces(tmp_path, made.motion, Shows("*", "wave", side="right"))
    assert piece.request == Request("wave", side="right")
    assert piece.motion.fps == HUMANML_FPS and len(piece.joints) == pytest.approx(len(made.joints24), abs=3)
    frames = min(len(piece.joints), len(made.joints24))
    wrist = JOINT_INDEX["right_wrist"]
    way = [joints[:frames, wrist] - joints[:frames, 0] for joints in (piece.joints, made.joints24)]
    assert np.linalg.norm(way[0] - way[1], axis=-1).mean() < 0.06
    assert recorded_faults(piece) == []


def test_a_walk_is_cut_where_it_travels_and_its_pace_becomes_the_speed(tmp_path: Path) -> None:
    slow, fast = (make_clip(BY_ACTION["walk"], Variation(speed=speed, seconds=9.0)) for speed in (0.8, 1.2))
    paces = [[piece.request.speed for piece in pieces(tmp_path, one.motion, WALK)] for one in (slow, fast)]
    assert len(paces[0]) >= 2
    assert 0.7 <= max(paces[0]) < min(paces[1]) <= 1.4
    assert all(piece.request.action == "walk" for piece in pieces(tmp_path, fast.motion, WALK))


def test_a_walk_that_turns_is_the_action_that_the_row_names_for_it_or_left_out(tmp_path: Path) -> None:
    motion = clip("walk_curve", 6.0).motion
    assert {piece.request.action for piece in pieces(tmp_path, motion, WALK)} == {"walk_curve"}
    assert pieces(tmp_path, motion, replace(WALK, turning="")) == []


def test_somebody_who_stands_is_no_walk(tmp_path: Path) -> None:
    assert pieces(tmp_path, clip("idle").motion, WALK) == []


def test_a_row_takes_the_seconds_and_the_share_of_pieces_that_it_names(tmp_path: Path) -> None:
    motion = clip("idle", 9.0).motion
    assert [len(p.joints) for p in pieces(tmp_path, motion, Shows("*", "idle", part_s=(1.0, 4.0)))] == [60]
    assert len(pieces(tmp_path, motion, Shows("*", "idle", piece_s=2.0))) == 5
    assert len(pieces(tmp_path, motion, Shows("*", "idle", piece_s=2.0, every=2))) == 3


def test_a_knee_that_bends_a_little_to_the_side_bends_to_the_front() -> None:
    motion = clip("idle", 2.0).motion
    poses = np.zeros_like(motion.poses)
    poses[:, JOINT_INDEX["left_knee"], 2] = np.radians(8.0)
    bent = knees_forward(replace(motion, poses=poses))
    before, after = (motion_joints(one, rest_joints()) for one in (replace(motion, poses=poses), bent))
    hip, knee, ankle = (JOINT_INDEX[f"left_{part}"] for part in ("hip", "knee", "ankle"))
    np.testing.assert_allclose(before[:, ankle], after[:, ankle], atol=1e-6)
    aside = [one[:, knee, 0] - 0.5 * (one[:, hip, 0] + one[:, ankle, 0]) for one in (before, after)]
    ahead = [one[:, knee, 2] - 0.5 * (one[:, hip, 2] + one[:, ankle, 2]) for one in (before, after)]
    assert np.abs(aside[1]).max() < 0.5 * np.abs(aside[0]).min() and (ahead[1] > ahead[0]).all()


def test_a_foot_that_swings_clears_the_floor_and_one_that_stands_keeps_its_place() -> None:
    made = clip("walk")
    foot = JOINT_INDEX["left_foot"]
    joints = motion_joints(swinging_feet_lifted(made.motion), rest_joints())
    way = np.linalg.norm(np.diff(joints[:, foot][:, [0, 2]], axis=0), axis=-1) * HUMANML_FPS
    swings = np.minimum(way[1:], way[:-1]) > 0.5
    assert swings.any() and joints[1:-1, foot, 1][swings].min() > 0.035
    stands = np.maximum(way[1:], way[:-1]) < 0.05
    moved = np.linalg.norm(joints - made.joints24, axis=-1)[1:-1, foot]
    assert stands.any() and moved[stands].max() < 1e-3


def test_arms_in_the_body_are_turned_outwards_and_others_stay() -> None:
    motion = clip("idle", 2.0).motion
    np.testing.assert_array_equal(arms_beside(motion).poses, motion.poses)
    poses = motion.poses.copy()
    poses[:, JOINT_INDEX["left_shoulder"]] = [0.0, 0.0, -np.radians(88.0)]
    poses[:, JOINT_INDEX["left_elbow"]] = 0.0
    wrist = JOINT_INDEX["left_wrist"]
    inward = replace(motion, poses=poses)
    inside, outside = (motion_joints(one, rest_joints()) for one in (inward, arms_beside(inward)))
    assert (outside[:, wrist, 0] > inside[:, wrist, 0]).all()


def test_an_implausible_clip_has_its_faults_named() -> None:
    motion = clip("idle", 2.0).motion
    sunk = replace(motion, root=motion.root - [0.0, 0.2, 0.0])
    assert "floor_cm" in recorded_faults(Piece(sunk, motion_joints(sunk, rest_joints()), Request("idle")))


@pytest.mark.parametrize(("joint", "degrees", "fault"), [("neck", 85.0, "neck_bend"), ("pelvis", 50.0, "lean")])
def test_a_body_that_is_bent_as_no_walker_is_has_its_fault_named(joint: str, degrees: float, fault: str) -> None:
    motion = clip("walk").motion
    poses = motion.poses.copy()
    poses[:, JOINT_INDEX[joint]] = [np.radians(degrees), 0.0, 0.0]
    bent = replace(motion, poses=poses)
    assert fault in recorded_faults(Piece(bent, motion_joints(bent, rest_joints()), Request("walk")))


@pytest.fixture(scope="module")
def made_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recorded folder of three takes of which one is held out, one is bad, and one no row names."""
    root = tmp_path_factory.mktemp("recorded")
    walk, idle = clip("walk").motion, clip("idle").motion
    floating = replace(idle, poses=np.where(np.arange(len(idle.poses))[:, None, None] % 2, idle.poses, 0.4))
    takes = {kept_name("walk"): walk, held_name("walk"): walk, "shaking": floating, "unnamed": idle}
    rows = (WALK, Shows("shaking", "idle"))
    out = root / "training"
    tallies = list(write_recorded(written(root, takes), out / "clips", out / "held_out", (source(*rows),)))
    assert [(one.takes, one.held_out) for one in tallies] == [(3, 1)]
    assert sum(tallies[0].dropped.values()) == 1 and "Our own: 3 takes, 2 clips (1 held out)" in tallies[0].told
    return out


def names() -> Iterator[str]:
    return (f"walk_{number}" for number in range(1000))


def kept_name(_: str) -> str:
    return next(name for name in names() if not held_out_take(name))


def held_name(_: str) -> str:
    return next(name for name in names() if held_out_take(name))


def test_a_take_is_trained_or_held_out_as_a_whole_and_read_back_as_the_training_reads(made_set: Path) -> None:
    for part in ("clips", "held_out"):
        store = ClipStore(made_set / part)
        assert len(store) == 1 and store.requests[0].action == "walk"
        assert store.features[0].shape[1] == FEATURE_COUNT and np.isfinite(store.features[0]).all()
    (row,) = json.loads((made_set / "clips" / SUMMARY).read_text())
    assert row["licence"] == "CC0" and row["seconds"]["walk"] > 4.0


def test_files_of_one_name_are_held_out_together() -> None:
    assert held_out_take("test/walking/walking_1") == held_out_take("train/walking/walking_1")


def test_recorded_clips_are_trained_beside_those_of_the_library(made_set: Path, tmp_path: Path) -> None:
    list(write_clips(tmp_path / "clips", ClipSet(6, 1), 1))
    list(write_clips(tmp_path / "held_out", ClipSet(2, 2, only_held_out=True), 1))
    plan = MotionPlan(Budget(5.0, 4), batch=3, width=16, layers=1, heads=2, feedforward=16, check_every=2)
    train_motion(
        Crew(0, 1, torch.device("cpu")), tmp_path / "clips", tmp_path / "held_out", tmp_path / "run", plan, made_set
    )
    checks = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert all(one["recorded"] > 0.0 for one in checks if "held_out" in one)
    assert any("recorded" in one for one in checks)
    assert len(ClipStore(tmp_path / "clips", made_set / "clips")) == 7


def test_a_folder_without_any_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds none of the folders own") as caught:
        list(write_recorded(tmp_path, tmp_path / "a", tmp_path / "b", (source(WALK),)))
    assert caught.value.code == "training.no_recorded"


def test_cmu_rotation_vectors_turn_joints_the_way_their_programs_do(tmp_path: Path) -> None:
    rows = np.zeros((3, WIDTH))
    rows[1:, :3] = [1.0, 17.0, 2.0]
    knee = NAMES.index("LeftLeg")
    rows[1:, 3 + 3 * knee] = -0.5  # bent backwards as people do, in matrices that are multiplied from the right
    file = tmp_path / "walking_1.txt"
    np.savetxt(file, rows, delimiter=",")
    ((name, motion),) = read_cmu_maps(file)
    assert name == "" and len(motion.heads) == 2 and motion.fps == 120.0
    rest, ankle = cmu_skeleton().heads, NAMES.index("LeftFoot")
    np.testing.assert_allclose(motion.heads[0, knee] - motion.heads[0, 0], rest[knee], atol=1e-9)
    turned = axis_angle_to_matrix(np.array([0.5, 0.0, 0.0])) @ (rest[ankle] - rest[knee])
    np.testing.assert_allclose(motion.heads[0, ankle] - motion.heads[0, knee], turned, atol=1e-9)
    assert motion.heads[0, ankle, 2] < motion.heads[0, knee, 2]
    assert all(parent < joint for joint, parent in enumerate(PARENTS))


@pytest.mark.parametrize("text", ["1,2,3\n4,5,6\n", "a,b\n"])
def test_other_text_is_no_take_of_rotation_vectors(tmp_path: Path, text: str) -> None:
    file = tmp_path / "other.txt"
    file.write_text(text)
    with pytest.raises(MotionError) as caught:
        list(read_cmu_maps(file))
    assert caught.value.code == "motion.cmu_maps" and "other.txt" in caught.value.message


def glb(folder: Path, *, way: str = "LINEAR", magic: bytes = b"glTF", cut: int = 0) -> Path:
    """Two bones below an object that is raised by 1 m; the first turns a quarter turn about Z in a second."""
    half = np.sqrt(0.5)
    arrays = [
        np.array([0.0, 1.0], "<f4"),
        np.array([[0, 0, 0, 1], [0, 0, half, half]], "<f4"),
        np.stack([np.eye(4), [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, -2, 0, 1]]]).astype("<f4"),
    ]
    starts = np.cumsum([0, *(one.nbytes for one in arrays)]).tolist()
    kinds = ("SCALAR", "VEC4", "MAT4")
    content = {
        "asset": {"version": "2.0"},
        "nodes": [
            {"name": "Rig", "children": [1], "translation": [0, 1, 0]},
            {"name": "hips", "children": [2]},
            {"name": "spine", "translation": [0, 2, 0]},
        ],
        "skins": [{"joints": [1, 2], "inverseBindMatrices": 2}],
        "accessors": [
            {"bufferView": view, "componentType": 5126, "type": kind, "count": 2} for view, kind in enumerate(kinds)
        ],
        "bufferViews": [{"buffer": 0, "byteOffset": start, "byteLength": 8} for start in starts[:-1]],
        "buffers": [{"byteLength": starts[-1]}],
        "animations": [
            {
                "name": "Rig|Bow",
                "channels": [{"sampler": 0, "target": {"node": 1, "path": "rotation"}}],
                "samplers": [{"input": 0, "output": 1, "interpolation": way}],
            }
        ],
    }  # fmt: skip
    text = json.dumps(content).encode()
    text += b" " * (-len(text) % 4)
    binary = b"".join(one.tobytes() for one in arrays)
    body = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary
    file = folder / "rig.glb"
    data = magic + struct.pack("<II", 2, 12 + len(body)) + body
    file.write_bytes(data[: len(data) - cut])
    return file


def test_an_animation_of_a_glb_file_moves_its_skin(tmp_path: Path) -> None:
    ((name, motion),) = read_glb(glb(tmp_path))
    assert name == "Bow" and motion.fps == FPS and motion.skeleton.names == ("hips", "spine")
    assert motion.skeleton.parents == (-1, 0)
    np.testing.assert_allclose(motion.skeleton.heads, [[0, 0, 0], [0, 2, 0]], atol=1e-6)
    np.testing.assert_allclose(motion.heads[0], [[0, 1, 0], [0, 3, 0]], atol=1e-6)
    middle = motion.heads[len(motion.heads) // 2, 1]
    np.testing.assert_allclose(middle, [-np.sqrt(2.0), 1.0 + np.sqrt(2.0), 0.0], atol=1e-5)
    np.testing.assert_allclose(motion.heads[-1, 1], [-2.0, 1.0, 0.0], atol=1e-6)


def test_steps_between_keys_hold_the_pose(tmp_path: Path) -> None:
    ((_, motion),) = read_glb(glb(tmp_path, way="STEP"))
    np.testing.assert_allclose(motion.heads[len(motion.heads) // 2, 1], [0.0, 3.0, 0.0], atol=1e-6)


@pytest.mark.parametrize(
    ("options", "said"),
    [({"way": "CUBICSPLINE"}, "CUBICSPLINE"), ({"magic": b"nope"}, "not a glTF"), ({"cut": 40}, "cut short")],
)
def test_a_glb_file_that_cannot_be_read_says_why(tmp_path: Path, options: dict[str, object], said: str) -> None:
    with pytest.raises(MotionError, match=said) as caught:
        list(read_glb(glb(tmp_path, **options)))  # type: ignore[arg-type]
    assert caught.value.code == "motion.glb"
