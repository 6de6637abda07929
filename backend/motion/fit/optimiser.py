"""The optimisation: L-BFGS over the turns against the analytic fit and the root's place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shared.motion.contacts import BALLS
from shared.motion.fitting import fit_positions
from shared.motion.model import SMPLMotion
from shared.motion.quality import measure_quality, motion_joints
from shared.rotations import axis_angle_to_matrix, matrix_to_axis_angle

from .contacts import floor_height, planted
from .energy import Aim, Skeleton, energy
from .settings import FitSettings

Array = npt.NDArray[np.float64]
OnStep = Callable[[int, int], None]  # steps done, steps at most

_STEPS_A_CALL: Final = 10  # of L-BFGS between two looks at progress and cancel
_MEMORY: Final = 20


@dataclass(frozen=True, slots=True)
class FitReport:
    """What a motion was like on the body, before or after: the last two as `measure_quality` has them."""

    residual_cm: float  # mean distance of the joints from the scaled positions
    feet_residual_cm: float  # the same of the balls of the feet
    foot_slide_cm_per_s: float
    jitter_m_per_s3: float


@dataclass(frozen=True, slots=True, eq=False)
class Refined:
    """The refined motion, and its figures beside those of the analytic fit."""

    motion: SMPLMotion
    before: FitReport
    after: FitReport


def refine(
    positions: npt.ArrayLike,  # (frames, 22 or 24, 3), Y up, SMPL's joint order, any unit of length
    rest_joints: npt.ArrayLike,  # (24, 3) metres, of the body that shows the motion
    fps: float,
    *,
    settings: FitSettings | None = None,
    name: str = "positions",
    on_step: OnStep | None = None,
) -> Refined:
    """Rotations that put the body's joints at the positions, move smoothly, keep planted feet and bend as joints do.

    `on_step` may raise to stop it. Raises MotionError as `fit_positions` does.
    """
    settings = settings or FitSettings()
    fit = fit_positions(positions, rest_joints, name=name)
    targets = np.asarray(positions, np.float64) * fit.scale
    rest = np.asarray(rest_joints, np.float64)
    first = SMPLMotion(fit.poses, fit.root, np.zeros(10), fps, source=name, twist_known=False)
    local = axis_angle_to_matrix(fit.poses)
    skeleton = Skeleton(torch.from_numpy(rest), torch.from_numpy(local))
    aim = Aim(torch.from_numpy(targets), torch.from_numpy(planted(targets, fps)), floor_height(targets))
    delta, root = _minimise(skeleton, aim, torch.from_numpy(fit.root), settings, on_step)
    poses = matrix_to_axis_angle(skeleton.rotations(delta).numpy())
    before = _report(first, targets, rest)
    motion = replace(first, poses=poses, root=root.numpy())
    after = _report(motion, targets, rest)
    motion = replace(motion, residual_cm=after.residual_cm, feet_residual_cm=after.feet_residual_cm)
    return Refined(motion, before, after)


def _minimise(
    skeleton: Skeleton, aim: Aim, start_root: Tensor, settings: FitSettings, on_step: OnStep | None
) -> tuple[Tensor, Tensor]:
    """The turns (frames, 24, 3) and the root (frames, 3) of least energy, float64."""
    delta = torch.zeros(skeleton.start.shape[:-1], dtype=torch.float64, requires_grad=True)
    move = torch.zeros_like(start_root, requires_grad=True)  # metres

    optimiser = torch.optim.LBFGS(
        [delta, move],
        max_iter=_STEPS_A_CALL,
        history_size=_MEMORY,
        line_search_fn="strong_wolfe",
        tolerance_grad=1e-9,
        tolerance_change=1e-12,
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = energy(skeleton, aim, delta, start_root + move, settings)
        torch.autograd.backward(value)
        return value

    step = cast(Callable[[Callable[[], Tensor]], Tensor], optimiser.step)  # torch leaves it without types
    last = float("inf")
    for done in range(0, settings.steps, _STEPS_A_CALL):
        if on_step is not None:
            on_step(done, settings.steps)
        value = step(closure).item()
        if last - value < settings.stop_at * abs(value):
            break
        last = value
    if on_step is not None:
        on_step(settings.steps, settings.steps)
    return delta.detach(), (start_root + move).detach()


def _report(motion: SMPLMotion, targets: Array, rest: Array) -> FitReport:
    distances_cm = 100.0 * np.linalg.norm(motion_joints(motion, rest)[:, : targets.shape[1]] - targets, axis=-1)
    quality = measure_quality(motion, rest, floor_m=floor_height(targets))
    return FitReport(
        float(distances_cm.mean()),
        float(distances_cm[:, BALLS].mean()),
        quality.foot_slide_cm_per_s,
        quality.jitter_m_per_s3,
    )
