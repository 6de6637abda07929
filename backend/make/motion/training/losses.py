"""What the motion model is trained to do: the clean features, how joints move in the world, and feet that stand.

The terms are MDM's (Tevet et al., 2022, equations 2 to 5), computed from the features themselves: a joint's way from
frame to frame follows from its places, the root's step and the root's turn.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shared.motion.humanml.layout import CONTACT_JOINTS, CONTACTS, PLACES, STEP, TURN
from shared.motion.skeleton import BODY_JOINT_COUNT

_USUAL_WAY_M = 0.03  # of a joint in a frame
_FEET = [joint - 1 for joint in CONTACT_JOINTS]  # in PLACES, which has no root


@dataclass(frozen=True, slots=True)
class Weights:
    """Of the terms beside the clean features."""

    velocity: float = 1.0
    world: float = 0.4
    foot: float = 0.2


def world_ways(features: Tensor) -> Tensor:  # (batch, frames, 263) not normalised
    """Way of every joint but the root until the next frame, as seen from there: (batch, frames - 1, 21, 3) metres."""
    places = features[..., PLACES].reshape(*features.shape[:-1], BODY_JOINT_COUNT - 1, 3)
    before, after = places[:, :-1], places[:, 1:]
    turn = 2.0 * features[:, :-1, TURN, None]
    cosine, sine = turn.cos(), turn.sin()
    x, y, z = before.unbind(-1)
    turned = torch.stack([x * cosine + z * sine, y, z * cosine - x * sine], dim=-1)
    step = torch.zeros_like(after)
    step[..., 0] = features[:, :-1, STEP.start, None]
    step[..., 2] = features[:, :-1, STEP.start + 1, None]
    ways: Tensor = after + step - turned
    return ways


def losses(
    clean: Tensor,  # (batch, frames, 263) normalised
    target: Tensor,  # the same shape
    padding: Tensor,  # (batch, frames) true beyond the clip
    mean: Tensor,
    spread: Tensor,
    weights: Weights,
) -> tuple[Tensor, dict[str, float]]:
    """The loss and its terms."""
    kept = (~padding).float()
    both = kept[:, 1:] * kept[:, :-1]
    simple = _mean((clean - target).square().mean(-1), kept)
    velocity = _mean((clean.diff(dim=1) - target.diff(dim=1)).square().mean(-1), both)
    truth = target * spread + mean
    made, wanted = world_ways(clean * spread + mean), world_ways(truth)
    # Metres a frame against the usual size of a way, so that the term counts as the others do.
    world = _mean((made - wanted).square().mean((-1, -2)) / _USUAL_WAY_M**2, both)
    still = (truth[:, :-1, CONTACTS] > 0.5).float() * both[..., None]
    slide = made[:, :, _FEET].square().sum(-1) - wanted[:, :, _FEET].square().sum(-1)
    foot = _mean(slide.clamp(min=0.0) / _USUAL_WAY_M**2, still)
    total = simple + weights.velocity * velocity + weights.world * world + weights.foot * foot
    terms = {"simple": simple, "velocity": velocity, "world": world, "foot": foot}
    return total, {name: float(value.detach()) for name, value in terms.items()}


def _mean(values: Tensor, kept: Tensor) -> Tensor:
    return (values * kept).sum() / kept.sum().clamp(min=1.0)
