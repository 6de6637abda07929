"""The statistics of features: read from disk, applied, and the wrong ones recognised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.errors import ModelError, MotionError
from shared.motion.humanml.statistics import Statistics, has_statistics, read_statistics

Array = NDArray[Any]


def data_set_deviation() -> Array:
    """HumanML3D's, which is constant in each block."""
    blocks = ((1, 0.01282556), (2, 0.0169271), (1, 0.15376593), (63, 0.12224359), (126, 0.2996918), (66, 0.01947031))
    return np.concatenate([*(np.full(count, value) for count, value in blocks), np.full(4, 0.35593265)])


def write(folder: Path, mean: Array, std: Array) -> Path:
    folder.mkdir(exist_ok=True)
    np.save(folder / "Mean.npy", mean.astype(np.float32))
    np.save(folder / "Std.npy", std.astype(np.float32))
    return folder


def test_features_come_back_from_their_normalised_form(tmp_path: Path) -> None:
    statistics = read_statistics(write(tmp_path, np.linspace(-1.0, 1.0, 263), data_set_deviation()))
    features = np.random.default_rng(0).normal(size=(7, 263))
    normalised = statistics.normalised(features)
    assert normalised.dtype == np.float32
    np.testing.assert_allclose(normalised[0, 5], (features[0, 5] - statistics.mean[5]) / 0.12224359, rtol=1e-6)
    np.testing.assert_allclose(statistics.restored(normalised), features, atol=1e-6)


def test_the_statistics_for_measuring_models_are_refused(tmp_path: Path) -> None:
    std = data_set_deviation()
    std[:4] /= 25.0
    std[259:] /= 25.0
    with pytest.raises(ModelError, match="for measuring models"):
        read_statistics(write(tmp_path, np.zeros(263), std))


@pytest.mark.parametrize(
    ("mean", "std", "said"),
    [
        (np.zeros(251), np.ones(251), "263 finite numbers"),
        (np.full(263, np.nan), np.ones(263), "mean must be 263 finite numbers"),
        (np.zeros(263), np.zeros(263), "not above 0"),
    ],
)
def test_unusable_statistics_are_refused(tmp_path: Path, mean: Array, std: Array, said: str) -> None:
    with pytest.raises(ModelError, match=said) as caught:
        read_statistics(write(tmp_path, mean, std))
    assert str(tmp_path) in caught.value.message
    with pytest.raises(MotionError):
        Statistics(mean, std)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    np.save(tmp_path / "Mean.npy", np.zeros(263))
    assert not has_statistics(tmp_path)
    with pytest.raises(ModelError, match=r"Std\.npy is missing"):
        read_statistics(tmp_path)
