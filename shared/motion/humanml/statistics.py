"""Mean and standard deviation of features: what a model's motions are normalised by, and where they lie on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from ...errors import ModelError, MotionError
from ...files.safe_load import parse_npy, read_bytes
from .layout import CONTACTS, FEATURE_COUNT, HEIGHT, STEP, TURN

Array = npt.NDArray[np.float64]

MEAN_FILE: Final = "Mean.npy"
STD_FILE: Final = "Std.npy"
# The deviations that MDM's `t2m_std.npy` has for turn, step, height and contacts: the data set's, divided by 25 there.
_EVALUATORS: Final = ((TURN, 0.000514), (STEP, 0.000677), (HEIGHT, 0.00612), (CONTACTS, 0.0141))
_WHERE: Final = "They are in the folder HumanML3D of the HumanML3D repository, 1180 bytes each."


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Mean and standard deviation (263,) of each feature. Raises MotionError for unusable ones."""

    mean: Array
    std: Array

    def __post_init__(self) -> None:
        for name, values in (("mean", self.mean), ("deviation", self.std)):
            array = np.array(values, dtype=np.float64).reshape(-1)
            if array.shape != (FEATURE_COUNT,) or not np.isfinite(array).all():
                raise MotionError("motion.statistics", f"The features' {name} must be {FEATURE_COUNT} finite numbers.")
            array.setflags(write=False)
            object.__setattr__(self, "mean" if values is self.mean else "std", array)
        if (self.std <= 0.0).any():
            raise MotionError("motion.statistics", "The features' deviation is not above 0 everywhere.")

    def normalised(self, features: npt.ArrayLike) -> npt.NDArray[np.float32]:  # (..., 263)
        """As a model sees them, float32."""
        return ((np.asarray(features, dtype=np.float64) - self.mean) / self.std).astype(np.float32)

    def restored(self, normalised: npt.ArrayLike) -> Array:  # (..., 263)
        """From what a model made to features, float64."""
        restored: Array = np.asarray(normalised, dtype=np.float64) * self.std + self.mean
        return restored

    @property
    def are_the_evaluators(self) -> bool:
        """Whether they are the ones for measuring models, whose root moves 25 times too little."""
        return all(np.allclose(self.std[part], value, rtol=0.02) for part, value in _EVALUATORS)


def read_statistics(folder: Path) -> Statistics:
    """`Mean.npy` and `Std.npy` of a folder. Raises ModelError for missing or wrong ones."""
    found = [_read(folder / name) for name in (MEAN_FILE, STD_FILE)]
    try:
        statistics = Statistics(*found)
    except MotionError as error:
        raise ModelError(
            "model.statistics", f"{folder}: {MEAN_FILE} or {STD_FILE} is wrong. {error}", _WHERE
        ) from error
    if statistics.are_the_evaluators:
        raise ModelError(
            "model.statistics",
            f"{folder / STD_FILE} has the statistics for measuring models (t2m_std.npy), not those of the data set.",
            f"With them a body would hardly move from its place. Use HumanML3D's {MEAN_FILE} and {STD_FILE}.",
        )
    return statistics


def has_statistics(folder: Path) -> bool:
    """Whether a folder has both files."""
    return all((folder / name).is_file() for name in (MEAN_FILE, STD_FILE))


def _read(path: Path) -> Array:
    if not path.is_file():
        raise ModelError("model.statistics", f"{path} is missing.", _WHERE)
    content = parse_npy(read_bytes(path, error=ModelError), name=path.name, error=ModelError)
    if not isinstance(content, np.ndarray) or content.dtype.kind != "f":
        raise ModelError("model.statistics", f"{path} is not an array of numbers.", _WHERE)
    return content.astype(np.float64)
