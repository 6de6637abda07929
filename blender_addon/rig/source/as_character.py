"""An armature's motion as a character of the scene. The armature itself stays as it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...scene_time import Steps
from ...shared.body import Body
from ...shared.motion import SMPLMotion
from ...shared.motion.retarget.bone_map import BoneMap
from ...shared.motion.retarget.guess import guess_map
from ...shared.motion.retarget.places import mapped
from ...shared.motion.retarget.skeleton import SkeletonMotion
from ...shared.motion.retarget.solve import retarget
from ...shared.motion.skeleton import JOINT_INDEX
from ..character import import_motion
from ..motion_figures import check_of, store_check
from ..stack.layers import clip_range
from .scene_armature import reading_steps

_HIPS = (JOINT_INDEX["left_hip"], JOINT_INDEX["right_hip"])


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What the user says about the armature; None leaves it to the skeleton's names and shape, and to the mean body."""

    bones: BoneMap | None = None
    betas: tuple[float, ...] | None = None  # (10,)


def character_steps(scene: Any, armature: Any, frames: range, body: Body, options: SourceOptions) -> Steps[Any]:
    """Read the armature in these frames and make a character that moves as it does, where it does; its armature object.

    Raises InputError and MotionError as reading does, and where no bone map fits; nothing is made then.
    """
    source = yield from reading_steps(scene, armature, frames)
    motion = motion_from(source, body, options)
    outside = _outside(armature, frames)
    motion = replace(motion, warnings=(*motion.warnings, *outside))
    made = import_motion(scene, motion, body, name=f"{armature.name} Character", start_frame=frames[0])
    store_check(made, check_of(motion, body))
    return made


def motion_from(source: SkeletonMotion, body: Body, options: SourceOptions) -> SMPLMotion:
    """The skeleton's motion on the body. It starts where the skeleton starts. Raises MotionError."""
    betas = np.zeros(10) if options.betas is None else np.asarray(options.betas, np.float64)
    bone_map = options.bones or guess_map(source.skeleton)
    bones = mapped(source, bone_map).bones
    start = source.heads[0, [bones[joint] for joint in _HIPS]].mean(axis=0)
    rest = body.joints(betas)
    return retarget(source, bone_map, rest, betas=betas, anchor=(float(start[0]), float(start[2]))).motion


def _outside(armature: Any, frames: range) -> tuple[str, ...]:
    """One sentence if the armature has keys outside of the frames that were read."""
    keys = clip_range(armature)
    if keys is None or (keys[0] >= frames[0] and keys[1] <= frames[-1]):
        return ()
    return (
        f"{armature.name} has keys in frames {keys[0]} to {keys[1]}; frames {frames[0]} to {frames[-1]} were read.",
    )
