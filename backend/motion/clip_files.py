"""The file of a motion: MDM's results, with the features that it was made of.

`results.npy` is Tevet et al.'s (`sample/generate.py`): every program that reads it still can. The entries that begin
with `latentman_` let a later edit start from the very features, where positions would have to be encoded again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backend.motion.edits import EditedClip
from backend.motion.generate import Made
from shared.body import free_body
from shared.errors import MotionError
from shared.files.frame_files import write_atomic
from shared.files.safe_load import is_npy, parse_npy, read_bytes
from shared.motion import SMPLMotion, read_motion, resample
from shared.motion.fitting import fit_positions
from shared.motion.humanml.encode import Placement, encode
from shared.motion.humanml.layout import FEATURE_COUNT, HUMANML_FPS, KEPT_ENTRIES
from shared.motion.humanml.statistics import Statistics
from shared.motion.quality import motion_joints
from shared.motion.reading.fields import Fields
from shared.motion.writers.writer import as_npy

Array = npt.NDArray[np.float64]

_FEATURES, _MEAN, _STD, _PLACEMENT = KEPT_ENTRIES


def write_clip(path: Path, made: Made, text: str, statistics: Statistics) -> None:
    """Write MDM's results with one motion. The file is whole or not there. Raises LatentManError."""
    content = {
        "motion": np.moveaxis(made.positions, 0, -1)[None].astype(np.float32),  # (1, 22, 3, frames)
        "text": [text],
        "lengths": np.array([len(made.positions)], dtype=np.int64),
        "num_samples": 1,
        "num_repetitions": 1,
        _FEATURES: made.features,
        _MEAN: statistics.mean,
        _STD: statistics.std,
        _PLACEMENT: np.array([made.placement.scale, *made.placement.origin, made.placement.turn]),
    }
    write_atomic(path, as_npy(content))


def read_clip(path: Path, statistics: Statistics, fps: float | None = None) -> EditedClip:
    """A clip to edit: the features that `write_clip` kept, or any motion file, encoded at 20 frames a second.

    `fps` is the rate of a file that does not say it. Raises MotionError for files that cannot be read.
    """
    kept = _kept_entries(path)
    if kept is not None:
        return _kept_clip(Fields(path.name, kept), statistics)
    motion = resample(read_motion(path, fps=fps), HUMANML_FPS)
    joints = motion_joints(motion, free_body().joints(motion.betas))
    if len(joints) < 2:
        raise MotionError("motion.too_short", f"{path.name} has one frame, which is not a motion.")
    encoded = encode(joints, continued=True)
    return EditedClip(statistics.normalised(encoded.features), encoded.placement, motion.text)


def smpl_motion(made: Made, text: str, name: str) -> SMPLMotion:
    """The motion as rotations of the free body, by the analytic fit."""
    fit = fit_positions(made.positions, free_body().joints(np.zeros(10)), name=name)
    return SMPLMotion(
        fit.poses, fit.root, np.zeros(10), HUMANML_FPS, text=text, source=name, twist_known=False,
        residual_cm=fit.residual_cm, feet_residual_cm=fit.feet_cm,
    )  # fmt: skip


def _kept_entries(path: Path) -> Mapping[str, object] | None:
    """The entries of a file that has kept features; None for other files."""
    data = read_bytes(path, error=MotionError)
    content = parse_npy(data, name=path.name, error=MotionError) if is_npy(data) else None
    if isinstance(content, np.ndarray) and content.size == 1:
        content = content.reshape(-1)[0]
    if not isinstance(content, dict) or _FEATURES not in content:
        return None
    return {str(key): value for key, value in content.items()}


def _kept_clip(fields: Fields, statistics: Statistics) -> EditedClip:
    features = fields.numbers(_FEATURES, (None, FEATURE_COUNT))
    own = Statistics(fields.numbers(_MEAN, (FEATURE_COUNT,)), fields.numbers(_STD, (FEATURE_COUNT,)))
    place = fields.numbers(_PLACEMENT, (5,))
    same = np.array_equal(own.mean, statistics.mean) and np.array_equal(own.std, statistics.std)
    values = features.astype(np.float32) if same else statistics.normalised(own.restored(features))
    origin = (float(place[1]), float(place[2]), float(place[3]))
    return EditedClip(values, Placement(float(place[0]), origin, float(place[4])), fields.label("text"))
