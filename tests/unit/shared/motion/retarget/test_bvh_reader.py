"""A BVH file is a motion file like any other: rate, up axis, people, and a bone map of the user's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.make.motion.clips import CLIPS
from backend.make.motion.puppet import Performance, perform
from shared.body import free_body
from shared.errors import MotionError
from shared.motion import read_motion
from shared.motion.quality import motion_joints
from shared.motion.reader import contents_of, read_people
from shared.motion.reading.clip import Ask
from shared.motion.retarget.bone_map import BoneMap
from shared.motion.retarget.guess import guess_map
from shared.motion.retarget.maps.table import RIGS
from shared.motion.retarget.skeleton import SkeletonMotion
from tests.helpers.bvh_files import bvh_text, z_up
from tests.helpers.disguises import A_POSE, Disguise, disguised

Array = NDArray[Any]
BY_LABEL = {rig.label: rig for rig in RIGS}


@pytest.fixture(scope="module")
def rest() -> Array:
    return np.asarray(free_body().joints(np.zeros(10)), dtype=np.float64)


@pytest.fixture(scope="module")
def clip(rest: Array) -> Performance:
    return perform(CLIPS[0].make(), rest)


def rig_motion(clip: Performance, rest: Array, label: str = "Mixamo", fps: float = 30.0) -> SkeletonMotion:
    found = disguised(clip.poses, clip.pelvis, rest, BY_LABEL[label], Disguise(A_POSE, unit=0.01, seed=None), fps)
    # BVH's bones have the world's axes at rest, whatever the pose is then.
    turns = found.rotations @ np.swapaxes(found.skeleton.rotations, -1, -2)
    plain = replace(found.skeleton, rotations=np.tile(np.eye(3), (len(found.skeleton.names), 1, 1)))
    return SkeletonMotion(plain, turns, found.heads, fps, "clip.bvh")


def written(path: Path, *people: SkeletonMotion) -> Path:
    path.write_text(bvh_text(*people), encoding="utf-8")
    return path


@pytest.mark.parametrize("label", ["Mixamo", "SOMA (Kimodo)", "CMU", "Xsens", "Rokoko"])
def test_a_file_is_read_as_the_motion_that_it_shows(label: str, clip: Performance, rest: Array, tmp_path: Path) -> None:
    motion = read_motion(written(tmp_path / "clip.bvh", rig_motion(clip, rest, label)), rest_joints=rest)
    assert np.abs(motion_joints(motion, rest) - clip.joints).max() < 1e-5
    assert motion.fps == 30.0 and motion.source == "clip.bvh"
    assert any(label in note for note in motion.notes)


def test_z_up_is_found_by_the_body(clip: Performance, rest: Array, tmp_path: Path) -> None:
    motion = read_motion(written(tmp_path / "clip.bvh", z_up(rig_motion(clip, rest))), rest_joints=rest)
    assert np.abs(motion_joints(motion, rest) - clip.joints).max() < 1e-5
    assert any("Z up" in note for note in motion.notes)


def test_the_users_rate_counts(clip: Performance, rest: Array, tmp_path: Path) -> None:
    path = written(tmp_path / "clip.bvh", rig_motion(clip, rest))
    assert read_motion(path, fps=12.0).fps == 12.0


def test_two_whole_hierarchies_are_two_people(clip: Performance, rest: Array, tmp_path: Path) -> None:
    first = rig_motion(clip, rest)
    second = rig_motion(clip, rest, "CMU")
    second = SkeletonMotion(second.skeleton, second.rotations, second.heads + [150.0, 0, 0], second.fps, second.name)
    path = written(tmp_path / "duel.bvh", first, second)
    assert len(contents_of(path).takes[0].people) == 2
    one, other = read_people(path, Ask(), rest)
    apart = motion_joints(other, rest) - motion_joints(one, rest)
    assert np.abs(apart - [1.5, 0, 0]).max() < 1e-4
    assert any("2 people" in warning for warning in read_motion(path).warnings)


def test_a_bone_map_of_the_users_counts(clip: Performance, rest: Array, tmp_path: Path) -> None:
    motion = rig_motion(clip, rest)
    bones = dict(guess_map(motion.skeleton).bones)
    del bones["left_hand"], bones["right_hand"]
    found = read_motion(written(tmp_path / "clip.bvh", motion), bones=BoneMap("Own", bones), rest_joints=rest)
    assert any("Own, 22 of 24" in note for note in found.notes)
    with pytest.raises(MotionError, match="no bone 'Tail'"):
        read_motion(tmp_path / "clip.bvh", bones=BoneMap("Own", {**bones, "left_hand": "Tail"}))


def test_a_skeleton_that_is_no_person_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    text = "HIERARCHY\nROOT crane\n{\nOFFSET 0 0 0\nCHANNELS 3 Xrotation Yrotation Zrotation\n}\nMOTION\nFrames: 1\n"
    (tmp_path / "crane.bvh").write_text(f"{text}Frame Time: 0.1\n0 0 0\n", encoding="utf-8")
    with pytest.raises(MotionError, match="no known bone for pelvis, left_hip") as caught:
        read_motion(tmp_path / "crane.bvh")
    assert caught.value.code == "motion.bone_map"
