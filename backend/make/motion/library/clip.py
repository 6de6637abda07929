"""From an action and a variation to a motion: style, life, mirror, reach, arms out of the body, pose."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from backend.make.motion.library.action import Action, Variation
from backend.make.motion.library.edits import mirrored, taken
from backend.make.motion.library.grounding import clear_of_body, within_reach
from backend.make.motion.library.stand import alive
from backend.make.motion.library.styles import BY_NAME, paced, styled
from backend.make.motion.library.timing import FPS
from backend.make.motion.puppet import Controls
from shared.body import free_body
from shared.motion.model import SMPLMotion

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LibraryClip:
    """A clip of the library at 20 frames a second; the floor is y = 0."""

    controls: Controls
    motion: SMPLMotion
    joints: Array  # (frames, 22, 3) metres: the joints of HumanML3D
    joints24: Array  # (frames, 24, 3) metres, with the hands


@cache
def rest_joints() -> Array:
    """The skeleton that the library is posed on, (24, 3) metres; read-only."""
    joints = np.array(free_body().joints(np.zeros(10)), dtype=np.float64)
    joints.setflags(write=False)
    return joints


def make_clip(action: Action, variation: Variation, text: str = "") -> LibraryClip:
    """One clip of an action; `text` becomes the motion's title."""
    return posed(performed_controls(action, variation), text or action.phrases[0])


def performed_controls(action: Action, variation: Variation) -> Controls:
    """The action in its style, with the waiting time that fills the clip; not yet checked for reach."""
    controls = action.controls(paced(variation))
    if variation.seconds is not None and not action.loops:
        controls = _waited(controls, round(variation.seconds * FPS) + 1, variation.random("wait"))
    random = variation.random(action.name + "/style")
    controls = styled(controls, BY_NAME[variation.style], random, free_arms=action.free_arms)
    controls = alive(controls, random, free_arms=action.free_arms)
    return mirrored(controls) if variation.mirrored and action.mirrors else controls


def posed(controls: Controls, text: str) -> LibraryClip:
    """The motion of the controls, after feet and arms have been put where they can be."""
    rest = rest_joints()
    controls, performance = clear_of_body(within_reach(controls, rest), rest)
    motion = SMPLMotion(
        poses=performance.poses, root=performance.pelvis - rest[0], betas=np.zeros(10), fps=FPS, text=text
    )
    return LibraryClip(controls, motion, performance.joints[:, :22], performance.joints)


def _waited(controls: Controls, frames: int, random: np.random.Generator) -> Controls:
    """The first pose held before and the last one after, until the clip has its frames; longer ones stay."""
    spare = frames - len(controls.pelvis)
    if spare <= 0:
        return controls
    before = int(random.integers(0, min(spare, 30) + 1)) if spare > 4 else 0
    index = np.clip(np.arange(frames) - before, 0, len(controls.pelvis) - 1)
    return taken(controls, index)
