"""Opens a motion file of any format that the project knows; the content decides, not the file's name."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import MotionError
from ..safe_load import is_npy, is_npz, parse_npy, parse_npz, read_bytes
from .amass import AMASS_KEYS, read_amass
from .fields import Fields
from .mdm import positions_motion, read_results, read_smpl_params
from .model import SMPLMotion
from .skeleton import BODY_JOINT_COUNT, JOINT_COUNT

_HUMANML_WIDTH: Final = 263
_KNOWN_FORMATS: Final = "Known formats: MDM's results.npy and smpl_params.npy, joint positions (.npy), AMASS (.npz)."


def read_motion(
    path: str | Path,
    *,
    sample: int = 0,
    repetition: int = 0,
    fps: float | None = None,
    rest_joints: npt.ArrayLike | None = None,  # (24, 3) metres
) -> SMPLMotion:
    """The motion that a file holds.

    `sample` and `repetition` choose one motion of an MDM results file; other files hold one. `fps` replaces the file's
    rate, or the assumed one. `rest_joints` are those of the body that will show the motion (default: the free body's).
    No code in the file is run. Raises MotionError with the file, the entry at fault and what to do.
    """
    path = Path(path)
    data = read_bytes(path, error=MotionError)
    if is_npz(data):
        entries = parse_npz(data, AMASS_KEYS, name=path.name, error=MotionError)
        if "trans" not in entries and "poses" not in entries:
            raise MotionError("motion.unknown_format", f"{path.name} is an archive without a motion.", _KNOWN_FORMATS)
        _require_single(path.name, sample, repetition)
        return read_amass(Fields(path.name, entries), fps=fps, rest_joints=rest_joints)
    if not is_npy(data):
        raise MotionError("motion.unknown_format", f"{path.name} is not a motion file.", _KNOWN_FORMATS)
    content = parse_npy(data, name=path.name, error=MotionError)
    if isinstance(content, dict) and "thetas" in content:
        _require_single(path.name, sample, repetition)
        return read_smpl_params(Fields(path.name, content), fps=fps, rest_joints=rest_joints)
    if isinstance(content, dict) and "motion" in content:
        fields = Fields(path.name, content)
        return read_results(fields, sample=sample, repetition=repetition, fps=fps, rest_joints=rest_joints)
    if isinstance(content, np.ndarray):
        _require_single(path.name, sample, repetition)
        return _read_positions(path.name, content, fps, rest_joints)
    raise MotionError("motion.unknown_format", f"{path.name} holds no motion that is known here.", _KNOWN_FORMATS)


def _read_positions(
    name: str, content: npt.NDArray[np.generic], fps: float | None, rest_joints: npt.ArrayLike | None
) -> SMPLMotion:
    """HumanML3D's new_joints: a bare (frames, 22, 3) array of joint positions."""
    if content.ndim == 2 and content.shape[1] == _HUMANML_WIDTH:
        raise MotionError(
            "motion.features",
            f"{name} holds HumanML3D's 263 features a frame, not a motion.",
            "Use the positions (new_joints, or MDM's results.npy) of the same clip.",
        )
    if content.ndim != 3 or content.shape[1:] not in ((BODY_JOINT_COUNT, 3), (JOINT_COUNT, 3)):
        raise MotionError(
            "motion.unknown_format", f"{name} holds an array of shape {content.shape}, not a motion.", _KNOWN_FORMATS
        )
    positions = Fields(name, {"array": content}).numbers("array", (None, None, 3))
    return positions_motion(positions, name=name, text="", fps=fps, rest_joints=rest_joints)


def _require_single(name: str, sample: int, repetition: int) -> None:
    if sample or repetition:
        raise MotionError(
            "motion.no_such_sample", f"{name} holds one motion only.", "Leave sample and repetition at 0."
        )
