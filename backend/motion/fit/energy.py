"""What the fit minimises: a sum of terms, each a mean over the frames, in centimetres and radians.

    E = joints   sum_j rho(|x_j - y_j|)              rho(d) = s^2 d^2 / (s^2 + d^2)
      + jerk     sum_j |x_j(t+1) - 3 x_j(t) + 3 x_j(t-1) - x_j(t-2)|^2
      + turn     sum_j |R_j(t+1) - 2 R_j(t) + R_j(t-1)|^2
      + contact  sum_b c_b(t) |x_b(t+1) - x_b(t)|^2
      + floor    sum_b max(0, floor - x_b)^2
      + hinge    sum_h |off-hinge turn|^2 + max(0, backward bend)^2
      + limit    sum_j max(0, |turn_j| - limit_j)^2
      + start    sum_j |delta_j|^2

x are the body's joints, y the given ones, R the local rotations, delta their turns against the analytic fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from smplx.lbs import batch_rigid_transform, batch_rodrigues
from torch import Tensor

from shared.motion.checks.joint_limits import HINGES as JOINT_HINGES
from shared.motion.contacts import BALLS
from shared.motion.skeleton import JOINT_COUNT, JOINT_INDEX, PARENTS

from .settings import FitSettings

_J = JOINT_INDEX
_CM: Final = 100.0
# Joint, the axis of its hinge in its own frame, and the sign of the turn that bends it the natural way.
HINGES: Final = tuple((_J[name], hinge.axis, hinge.sign) for name, hinge in JOINT_HINGES.items())
# How far a joint usually turns from its place in the rest pose, radians: the fit is drawn back from there on. The check
# of joint limits has what no body does, which is further.
LIMITS: Final = {
    "spine1": 0.8, "spine2": 0.8, "spine3": 0.6, "neck": 0.9, "head": 0.9, "left_collar": 0.7, "right_collar": 0.7,
    "left_hip": 2.3, "right_hip": 2.3, "left_ankle": 1.0, "right_ankle": 1.0, "left_foot": 0.9, "right_foot": 0.9,
    "left_wrist": 1.4, "right_wrist": 1.4, "left_shoulder": 2.4, "right_shoulder": 2.4,
    "left_knee": 2.7, "right_knee": 2.7, "left_elbow": 2.7, "right_elbow": 2.7,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Aim:
    """What the body is fitted to."""

    joints: Tensor  # (frames, joints, 3) metres, joints 22 or 24
    planted: Tensor  # (frames - 1, 2) 0 to 1, left and right ball
    floor_m: float


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The body, and the analytic fit that everything is counted from."""

    rest: Tensor  # (24, 3) metres
    start: Tensor  # (frames, 24, 3, 3) local rotations

    def rotations(self, delta: Tensor) -> Tensor:  # (frames, 24, 3) radians
        """Local rotations exp(delta) R_start, (frames, 24, 3, 3)."""
        turns: Tensor = batch_rodrigues(delta.reshape(-1, 3)).view_as(self.start)
        return turns @ self.start

    def joints(self, rotations: Tensor, root: Tensor) -> Tensor:  # (frames, 24, 3, 3), (frames, 3) metres
        """Where the joints are, (frames, 24, 3) metres."""
        rest = self.rest.expand(len(rotations), -1, -1)
        parents = torch.tensor(PARENTS)
        placed: Tensor = batch_rigid_transform(rotations, rest, parents, dtype=rotations.dtype)[0]
        return placed + root[:, None]


def energy(skeleton: Skeleton, aim: Aim, delta: Tensor, root: Tensor, settings: FitSettings) -> Tensor:
    # delta (frames, 24, 3) radians, root (frames, 3) metres
    """The energy as a scalar; differentiable in `delta` and `root`."""
    rotations = skeleton.rotations(delta)
    joints = skeleton.joints(rotations, root) * _CM
    balls = joints[:, BALLS]
    far = (joints[:, : aim.joints.shape[1]] - aim.joints * _CM).square().sum(-1)
    reach = settings.robust_cm**2
    below = (aim.floor_m * _CM - balls[..., 1]).clamp(min=0.0)
    terms = (
        settings.joints * _mean(reach * far / (reach + far)),
        settings.jerk * _mean(torch.diff(joints, n=3, dim=0).square().sum(-1)),
        settings.turn * _mean(torch.diff(rotations, n=2, dim=0).square().sum((-1, -2))),
        settings.contact * _mean(aim.planted * torch.diff(balls, dim=0).square().sum(-1)),
        settings.floor * _mean(below.square()),
        settings.hinge * _hinges(rotations),
        settings.limit * _mean((_angles(rotations) - _limits(rotations)).clamp(min=0.0).square()),
        settings.start * _mean(delta.square().sum(-1)),
    )
    return torch.stack(terms).sum()


def _mean(values: Tensor) -> Tensor:  # (frames, n)
    """The sum over n, averaged over the frames; 0 where a clip is too short to have any."""
    return values.sum(-1).mean() if len(values) else values.new_zeros(())


def _vectors(rotations: Tensor) -> Tensor:  # (..., 3, 3)
    """sin(angle) times the axis, (..., 3): as good as the rotation vector for telling the axis, and smooth at 0."""
    return 0.5 * torch.stack(
        [
            rotations[..., 2, 1] - rotations[..., 1, 2],
            rotations[..., 0, 2] - rotations[..., 2, 0],
            rotations[..., 1, 0] - rotations[..., 0, 1],
        ],
        dim=-1,
    )


def _hinges(rotations: Tensor) -> Tensor:  # (frames, 24, 3, 3)
    """Turns off the hinges, and bends the wrong way."""
    off = []
    for joint, axis, sign in HINGES:
        vector = _vectors(rotations[:, joint])
        bend = vector[:, axis] * sign
        others = vector.square().sum(-1) - vector[:, axis].square()
        off.append(others + bend.clamp(max=0.0).square())
    return _mean(torch.stack(off, dim=-1))


def _angles(rotations: Tensor) -> Tensor:  # (frames, 24, 3, 3)
    """How far each joint is turned, (frames, 24) radians."""
    sine = _vectors(rotations).square().sum(-1).clamp(min=1e-12).sqrt()
    cosine = 0.5 * (rotations.diagonal(dim1=-2, dim2=-1).sum(-1) - 1.0)
    return torch.atan2(sine, cosine)


def _limits(rotations: Tensor) -> Tensor:
    """The limit of each joint, (24,) radians; those without one may turn all the way."""
    by_index = {_J[name]: limit for name, limit in LIMITS.items()}
    return rotations.new_tensor([by_index.get(joint, torch.pi) for joint in range(JOINT_COUNT)])
