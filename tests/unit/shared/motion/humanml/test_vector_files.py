"""Files of HumanML3D's features are read as motions, in the layout of `new_joint_vecs`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.body import free_body
from shared.errors import MotionError
from shared.motion import read_motion, sample_path
from shared.motion.humanml.encode import encode
from shared.motion.quality import motion_joints


@pytest.fixture(scope="module")
def features() -> NDArray[Any]:
    rest = free_body().joints(np.zeros(10))
    return encode(motion_joints(read_motion(sample_path("walk")), rest)).features.astype(np.float32)


def test_features_become_the_motion_they_were_made_of(tmp_path: Path, features: NDArray[Any]) -> None:
    np.save(tmp_path / "012314.npy", features)
    motion = read_motion(tmp_path / "012314.npy")
    assert motion.fps == 20.0
    assert motion.frame_count == len(features)
    assert not motion.twist_known
    assert any("features" in note for note in motion.notes)
    rest = free_body().joints(np.zeros(10))
    walked = motion_joints(read_motion(sample_path("walk")), rest)
    went = motion_joints(motion, rest)
    assert np.linalg.norm(went[-1, 0] - went[0, 0]) == pytest.approx(
        np.linalg.norm(walked[-2, 0] - walked[0, 0]), rel=0.02
    )


@pytest.mark.parametrize("shape", ["normalised", "nothing"])
def test_normalised_features_are_told_from_raw_ones(tmp_path: Path, features: NDArray[Any], shape: str) -> None:
    spoiled = (features - features.mean(0)) / 0.3 if shape == "normalised" else np.zeros_like(features)
    np.save(tmp_path / "vectors.npy", spoiled)
    with pytest.raises(MotionError, match="normalised") as caught:
        read_motion(tmp_path / "vectors.npy")
    assert caught.value.code == "motion.features"
    assert "Std.npy" in caught.value.hint


def test_one_clip_of_a_batch_of_one_is_read(tmp_path: Path, features: NDArray[Any]) -> None:
    np.save(tmp_path / "batch.npy", features[None])
    assert read_motion(tmp_path / "batch.npy").frame_count == len(features)


def test_not_finite_features_are_named(tmp_path: Path, features: NDArray[Any]) -> None:
    spoiled = features.copy()
    spoiled[3, 7] = np.nan
    np.save(tmp_path / "vectors.npy", spoiled)
    with pytest.raises(MotionError, match=r"not finite at index \[3, 7\]"):
        read_motion(tmp_path / "vectors.npy")
