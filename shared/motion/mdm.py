"""Reads what MDM writes: `results.npy` (joint positions) and `sample##_rep##_smpl_params.npy` (SMPL rotations).

Tevet et al., "Human Motion Diffusion Model", 2022; the files are those of its sample and visualisation scripts.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import MotionError
from .fields import Fields
from .fitting import fit_positions
from .model import SMPLMotion
from .rest import rest_joints_for
from .rotations import matrix_to_axis_angle, rot6d_rows_to_matrix
from .skeleton import BODY_JOINT_COUNT, JOINT_COUNT, JOINT_INDEX

Array = npt.NDArray[np.float64]

MDM_FPS: Final = 20.0
_KIT_JOINT_COUNT: Final = 21
_HEAD = JOINT_INDEX["head"]
_FEET = [JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"]]


def _rate(fps: float | None) -> tuple[float, str]:
    if fps is not None:
        return fps, f"The file has no frame rate; {fps:g} fps was given."
    return MDM_FPS, f"The file has no frame rate; {MDM_FPS:g} fps, HumanML3D's rate, is assumed."


def read_smpl_params(fields: Fields, *, fps: float | None, rest_joints: npt.ArrayLike | None) -> SMPLMotion:
    # rest_joints (24, 3) metres
    """The motion of an smpl_params file; rot6d in rows, Y up.

    `root_translation` is the pelvis joint, so SMPL's transl is root_translation - J0. `vertices` is never read: it may
    be a torch tensor, and files of before November 2023 hold the root translation in it twice.
    """
    thetas = fields.numbers("thetas", (JOINT_COUNT, 6, None))
    frames = thetas.shape[-1]
    pelvis = fields.numbers("root_translation", (3, frames)).T
    try:
        matrices = rot6d_rows_to_matrix(np.moveaxis(thetas, -1, 0))
    except MotionError as error:
        raise fields.fault(
            error.code, "thetas", "has a rotation whose rows are zero or parallel", "Fit it again."
        ) from error
    betas = np.zeros(10)
    rest = rest_joints_for(rest_joints, betas)
    rate, note = _rate(fps)
    return SMPLMotion(
        poses=matrix_to_axis_angle(matrices),
        root=pelvis - rest[0],
        betas=betas,
        fps=rate,
        text=fields.label("text") if "text" in fields else "",
        source=fields.name,
        twist_known=True,
        notes=(note, "Y is up; the shape is SMPL's mean, as the file's rotations mean it."),
    )


def read_results(
    fields: Fields, *, sample: int, repetition: int, fps: float | None, rest_joints: npt.ArrayLike | None
) -> SMPLMotion:  # rest_joints (24, 3) metres
    """One motion of a results file, cut to its length and fitted to joint rotations.

    Sample s of repetition r is entry r * num_samples + s. Raises MotionError for KIT's 21 joints, for a sample that the
    file does not hold, and for any entry that does not fit the others.
    """
    motions = fields.numbers("motion", (None, None, 3, None))
    count, joints, _, longest = motions.shape
    if joints == _KIT_JOINT_COUNT:
        raise fields.fault(
            "motion.kit", "motion", "has KIT's 21 joints, which are not SMPL's", "Generate with MDM's HumanML3D model."
        )
    if joints not in (BODY_JOINT_COUNT, JOINT_COUNT):
        raise fields.fault("motion.wrong_shape", "motion", f"has {joints} joints, not 22 or 24", "Export it again.")
    index = _entry_index(fields, count, sample, repetition)
    length = int(fields.numbers("lengths", (count,))[index])
    if not 0 < length <= longest:
        raise fields.fault("motion.wrong_length", "lengths", f"says {length} of {longest} frames", "Export it again.")
    positions = np.moveaxis(motions[index, :, :, :length], -1, 0)
    notes: tuple[str, ...] = ()
    if joints == JOINT_COUNT:
        positions, notes = _action_upright(positions)
    return positions_motion(
        positions, name=fields.name, text=_text(fields, index, count), fps=fps, rest_joints=rest_joints, notes=notes
    )


def positions_motion(
    positions: Array,  # (frames, 22 or 24, 3) metres, Y up
    *,
    name: str,
    text: str,
    fps: float | None,
    rest_joints: npt.ArrayLike | None,  # (24, 3) metres
    notes: tuple[str, ...] = (),
) -> SMPLMotion:
    """The motion fitted to joint positions; says in its notes what was assumed and how well the joints fit."""
    betas = np.zeros(10)
    fit = fit_positions(positions, rest_joints_for(rest_joints, betas), name=name)
    rate, note = _rate(fps)
    fitted = (
        f"Fitted to joint positions scaled by {fit.scale:.3f}: mean joint distance {fit.residual_cm:.2f} cm; "
        "the turn of straight limbs, head and hands about themselves is guessed."
    )
    return SMPLMotion(
        poses=fit.poses,
        root=fit.root,
        betas=betas,
        fps=rate,
        text=text,
        source=name,
        twist_known=False,
        notes=(note, "Y is up.", *notes, fitted),
        residual_cm=fit.residual_cm,
    )


def _entry_index(fields: Fields, count: int, sample: int, repetition: int) -> int:
    samples, repetitions = fields.whole("num_samples"), fields.whole("num_repetitions")
    if samples < 1 or repetitions < 1 or samples * repetitions != count:
        raise fields.fault(
            "motion.wrong_shape", "motion", f"has {count} motions, not {samples} x {repetitions}", "Export it again."
        )
    if not (0 <= sample < samples and 0 <= repetition < repetitions):
        raise MotionError(
            "motion.no_such_sample",
            f"{fields.name} has no sample {sample}, repetition {repetition}.",
            f"It has samples 0 to {samples - 1} and repetitions 0 to {repetitions - 1}.",
        )
    return repetition * samples + sample


def _text(fields: Fields, index: int, count: int) -> str:
    texts = fields.raw("text")
    if isinstance(texts, np.ndarray):
        texts = texts.tolist()
    if not isinstance(texts, list) or len(texts) != count:
        raise fields.fault("motion.wrong_type", "text", f"is not a list of {count} texts", "Export the file again.")
    text = texts[index]
    parts = text if isinstance(text, list | tuple) else [text]  # DiP's dynamic text is a list of prompts
    if not all(isinstance(part, str) for part in parts):
        raise fields.fault("motion.wrong_type", "text", "is not text", "Export the file again.")
    return "; ".join(parts)


def _action_upright(positions: Array) -> tuple[Array, tuple[str, ...]]:  # (frames, 24, 3)
    """Action-to-motion clips are Y down and have the pelvis at the origin: turned by pi about X, put on the floor."""
    if float(np.median(positions[:, _HEAD, 1] - positions[:, _FEET, 1].mean(axis=1))) >= 0.0:
        return positions, ("24 joints, Y up.",)
    turned = positions * np.array([1.0, -1.0, -1.0])
    lift = -float(turned[..., 1].min())
    turned[..., 1] += lift
    return turned, (f"Y was down: turned by 180 degrees about X and lifted by {lift:.2f} m onto the floor.",)
