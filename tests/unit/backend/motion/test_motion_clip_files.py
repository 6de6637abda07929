"""The files of a motion: MDM's results with the features in them, and AMASS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.models.mdm.model import MDMModel
from backend.motion.clip_files import read_clip, smpl_motion, write_clip
from backend.motion.generate import Made
from shared.body import free_body
from shared.errors import LatentManError, MotionError
from shared.motion import read_motion, sample_path
from shared.motion.humanml.decode import decode
from shared.motion.humanml.encode import Placement
from shared.motion.humanml.statistics import Statistics
from shared.motion.quality import motion_joints
from shared.motion.writers.amass import AMASS
from shared.motion.writers.table import write_motion
from tests.helpers.tiny_mdm import humanml_statistics, sample_features

STATISTICS = humanml_statistics()
PLACE = Placement(0.95, (1.0, 0.05, -2.0), 0.7)


def walked() -> Made:
    """A sample motion as if a model had made it."""
    features = STATISTICS.normalised(sample_features("walk"))
    return Made(features, PLACE.back(decode(STATISTICS.restored(features))), PLACE, ())


def test_a_clip_is_mdms_results(tmp_path: Path) -> None:
    made = walked()
    write_clip(tmp_path / "clip.npy", made, "a person walks", STATISTICS)
    content: dict[str, Any] = np.load(tmp_path / "clip.npy", allow_pickle=True).item()
    assert content["motion"].shape == (1, 22, 3, len(made.features))
    assert content["motion"].dtype == np.float32
    assert content["text"] == ["a person walks"]
    assert content["lengths"].tolist() == [len(made.features)]
    assert (content["num_samples"], content["num_repetitions"]) == (1, 1)
    np.testing.assert_allclose(content["motion"][0].transpose(2, 0, 1), made.positions, atol=1e-6)
    motion = read_motion(tmp_path / "clip.npy")
    assert motion.text == "a person walks"
    assert not any("Ignored" in note for note in motion.notes)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.npy"]


def test_an_edit_starts_from_the_very_features(tmp_path: Path) -> None:
    made = walked()
    write_clip(tmp_path / "clip.npy", made, "a person walks", STATISTICS)
    clip = read_clip(tmp_path / "clip.npy", STATISTICS)
    np.testing.assert_array_equal(clip.features, made.features)
    assert clip.placement == PLACE
    assert clip.text == "a person walks"


def test_features_of_a_model_with_other_statistics_are_converted(tmp_path: Path) -> None:
    made = walked()
    write_clip(tmp_path / "clip.npy", made, "", STATISTICS)
    other = Statistics(STATISTICS.mean + 0.1, STATISTICS.std * 2.0)
    clip = read_clip(tmp_path / "clip.npy", other)
    np.testing.assert_allclose(other.restored(clip.features), STATISTICS.restored(made.features), atol=1e-5)


@pytest.mark.parametrize("name", ["walk", "dance", "squat"])
def test_any_motion_file_can_be_edited(name: str) -> None:
    clip = read_clip(sample_path(name), STATISTICS)
    motion = read_motion(sample_path(name))
    joints = motion_joints(motion, free_body().joints(motion.betas))[:, :22]
    assert len(clip.features) == motion.frame_count
    back = clip.placement.back(decode(STATISTICS.restored(clip.features)))
    assert np.linalg.norm(back - joints, axis=-1).mean() < 0.04
    np.testing.assert_allclose(back[:, 0], joints[:, 0], atol=2e-4)
    assert clip.text == motion.text


def test_the_rate_of_a_file_that_does_not_say_it_can_be_given(tmp_path: Path) -> None:
    motion = smpl_motion(walked(), "", "clip.npy")
    write_motion(tmp_path / "clip.npz", motion, AMASS)
    with np.load(tmp_path / "clip.npz") as content:
        np.savez(tmp_path / "silent.npz", poses=content["poses"], trans=content["trans"])
    with pytest.raises(MotionError) as caught:
        read_clip(tmp_path / "silent.npz", STATISTICS)
    assert "--motion-fps" in caught.value.hint
    assert len(read_clip(tmp_path / "silent.npz", STATISTICS, 40.0).features) == round(motion.frame_count / 2)


@pytest.mark.parametrize("entry", ["latentman_features", "latentman_std", "latentman_placement"])
def test_kept_features_that_cannot_be_used_are_told(tmp_path: Path, entry: str) -> None:
    write_clip(tmp_path / "clip.npy", walked(), "", STATISTICS)
    content: dict[str, Any] = np.load(tmp_path / "clip.npy", allow_pickle=True).item()
    content[entry] = np.zeros((3, 4))
    holder = np.empty((), dtype=object)
    holder[()] = content
    np.save(tmp_path / "clip.npy", holder, allow_pickle=True)
    with pytest.raises(MotionError, match=entry):
        read_clip(tmp_path / "clip.npy", STATISTICS)


def test_the_fit_follows_the_positions() -> None:
    made = walked()
    motion = smpl_motion(made, "", "clip.npy")
    assert motion.residual_cm is not None
    assert motion.residual_cm < 4.0
    assert not motion.twist_known


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(LatentManError) as caught:
        write_clip(tmp_path / "missing" / "clip.npy", walked(), "", STATISTICS)
    assert caught.value.code == "storage.unwritable"


def test_the_model_reads_its_own_file(mdm: MDMModel, tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.npy", walked(), "", mdm.statistics)
    np.testing.assert_array_equal(read_clip(tmp_path / "clip.npy", mdm.statistics).features, walked().features)
