"""Motion files with just the keys and shapes that docs/formats/motion.md gives are read as it says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.body import free_body
from shared.errors import MotionError
from shared.motion.reader import read_motion
from tests.helpers.markdown import table

FRAMES = 5
Entries = Mapping[str, object]


def rot6d(rows: int) -> NDArray[np.float64]:
    """(rows, 6, frames): no rotation anywhere."""
    return np.tile(np.array([1.0, 0, 0, 0, 1, 0])[None, :, None], (rows, 1, FRAMES))


def positions(joints: int) -> NDArray[np.float64]:
    """(frames, joints, 3) of a body that stands, in centimetres."""
    body = 100 * np.asarray(free_body().joints(np.zeros(10)))
    rows = np.concatenate([body, np.repeat(body[-1:], max(0, joints - len(body)), axis=0)])[:joints]
    return np.tile(rows, (FRAMES, 1, 1))


def amass(width: int, rate: float = 30.0) -> Entries:
    return {"poses": np.zeros((FRAMES, width)), "trans": np.zeros((FRAMES, 3)), "mocap_framerate": rate}


def kimodo() -> Entries:
    turns = np.tile(np.eye(3), (FRAMES, 22, 1, 1))
    return {"posed_joints": positions(22) / 100, "global_rot_mats": turns, "local_rot_mats": turns}


def aist() -> Entries:
    places = np.full((FRAMES, 3), 50.0)
    return {"smpl_poses": np.zeros((FRAMES, 72)), "smpl_trans": places, "smpl_scaling": np.array([100.0])}


RATELESS: Entries = {key: value for key, value in amass(156).items() if key != "mocap_framerate"}
CASES: Mapping[str, tuple[str, Entries, float]] = {
    "smpl_params": ("MDM, rotations", {"thetas": rot6d(24), "root_translation": np.zeros((3, FRAMES))}, 20),
    "smpl_params, T x 3": ("MDM, rotations", {"thetas": rot6d(24), "root_translation": np.zeros((FRAMES, 3))}, 20),
    "results_rot": ("", {"motion": rot6d(25)[None]}, 20),
    "results_rot, 24 rows": ("", {"motion": rot6d(24)[None]}, 20),
    "results": ("MDM, joint positions", {"motion": np.moveaxis(positions(22), 0, -1)[None], "lengths": [FRAMES]}, 20),
    "results, frames first": ("MDM, joint positions", {"motion": np.stack([positions(24)] * 2)}, 20),
    **{f"results, {joints} joints": ("", {"motion": positions(joints)}, 20) for joints in (22, 24, 52, 55, 127)},
    **{f"AMASS, {width}": ("AMASS", amass(width), 30) for width in (66, 72, 156, 165)},
    "AMASS, joints apart": ("", {"poses": np.zeros((FRAMES, 24, 3)), "trans": np.zeros(3), "fps": 30}, 30),
    "AMASS, root apart": (
        "AMASS",
        {
            "root_orient": np.zeros((FRAMES, 3)),
            "pose_body": np.zeros((FRAMES, 63)),
            "trans": np.zeros((FRAMES, 3)),
            "mocap_framerate": 25,
        },
        25,
    ),
    "AMASS, with a rate": ("AMASS", amass(156, 120.0), 120),
    "a rate as text": ("", {**RATELESS, "fps": "30000/1001"}, 30000 / 1001),
    "HY-Motion": ("", {**RATELESS, "Rh": np.zeros((FRAMES, 3))}, 30),
    "Kimodo": ("Kimodo", kimodo(), 30),
    "EDGE": ("", {"smpl_poses": np.zeros((FRAMES, 72)), "smpl_trans": np.zeros((FRAMES, 3))}, 30),
    "AIST++": ("", aist(), 60),
}


@pytest.mark.parametrize("case", CASES)
def test_documented_layouts_are_read(case: str, tmp_path: Path) -> None:
    section, entries, fps = CASES[case]
    file = tmp_path / "clip.npy"
    np.save(file, np.array(entries, dtype=object), allow_pickle=True)
    motion = read_motion(file)
    assert (motion.frame_count, motion.fps) == (FRAMES, fps)
    if section:
        assert entries.keys() - table("formats/motion.md", section).keys() == set()


def test_places_of_aist_are_divided_by_the_scaling(tmp_path: Path) -> None:
    file = tmp_path / "clip.npy"
    np.save(file, np.array(aist(), dtype=object), allow_pickle=True)
    scaled = read_motion(file).root
    np.save(file, np.array({**aist(), "smpl_scaling": np.array([50.0])}, dtype=object), allow_pickle=True)
    assert np.allclose(read_motion(file).root - scaled, 0.5)


def test_centimetres_are_scaled_to_the_body(tmp_path: Path) -> None:
    file = tmp_path / "clip.npy"
    np.save(file, positions(22))
    read = read_motion(file)
    assert read.residual_cm is not None and read.residual_cm < 1


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ({**RATELESS, "fps": 2000.0}, "motion.fps"),
        ({**amass(156), "poses": np.full((FRAMES, 156), 40.0)}, "motion.degrees"),
        ({"motion": np.zeros((FRAMES, 21, 3))}, "motion.kit"),
    ],
)
def test_what_the_page_says_is_refused(entries: Entries, code: str, tmp_path: Path) -> None:
    file = tmp_path / "clip.npy"
    np.save(file, np.array(entries, dtype=object), allow_pickle=True)
    with pytest.raises(MotionError) as caught:
        read_motion(file)
    assert caught.value.code == code
