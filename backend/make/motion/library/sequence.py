"""Several actions one after the other as one motion, with the frames of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from backend.make.motion.library.action import Action, PoseKind, Variation
from backend.make.motion.library.clip import LibraryClip, performed_controls, posed
from backend.make.motion.library.table import ACTIONS
from backend.make.motion.library.transition import joined_at_rest, joined_in_stride
from shared.errors import InputError

_GOING: Final = ("stepping", "airborne")


@dataclass(frozen=True, slots=True)
class Part:
    """An action of a sequence and its frames, `start` to `end` - 1; half of each transition is either's."""

    action: Action
    variation: Variation
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class SequenceClip:
    """A clip of several actions."""

    clip: LibraryClip
    parts: tuple[Part, ...]


def in_sequence(wanted: Sequence[tuple[Action, Variation]], text: str = "") -> SequenceClip:
    """The actions in order. Whoever walks runs on in stride; others come to rest, and step to the next stance.

    Where the next action starts from another pose (someone sits), the library's action that leads there is put between.
    Raises InputError for no actions, or where no action leads from one pose to the next.
    """
    if not wanted:
        raise InputError("training.sequence", "A sequence has no actions.", "Name at least one action.")
    linked = _linked(wanted)
    controls = performed_controls(*linked[0])
    cuts = [0]
    for (before, _), (action, variation) in zip(linked, linked[1:], strict=False):
        following = performed_controls(action, variation)
        joint = joined_in_stride(controls, following, cuts[-1]) if _both_going(before, action) else None
        joint = joint or joined_at_rest(controls, following)
        controls = joint.controls
        cuts.append(joint.cut)
    ends = [*cuts[1:], len(controls.pelvis)]
    parts = tuple(Part(a, v, start, end) for (a, v), start, end in zip(linked, cuts, ends, strict=True))
    return SequenceClip(posed(controls, text or ", then ".join(action.phrases[0] for action, _ in wanted)), parts)


def _both_going(before: Action, after: Action) -> bool:
    return before.feet in _GOING and after.feet in _GOING


def _linked(wanted: Sequence[tuple[Action, Variation]]) -> list[tuple[Action, Variation]]:
    linked = [wanted[0]]
    for action, variation in wanted[1:]:
        pose = linked[-1][0].end
        if pose != action.start:
            linked.append((_leading(pose, action.start), replace(variation, seconds=None)))
        linked.append((action, variation))
    return linked


def _leading(start: PoseKind, end: PoseKind) -> Action:
    for action in ACTIONS:
        if action.start == start and action.end == end:
            return action
    raise InputError(
        "training.sequence", f"No action of the library leads from {start} to {end}.", "Put another action between."
    )
