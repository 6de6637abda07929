"""From a recorded skeleton to the library's body at 20 frames a second, on the floor, with feet that stand still."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from backend.make.motion.library.clip import rest_joints
from backend.make.motion.recorded.corrections import knees_forward, swinging_feet_lifted
from backend.make.motion.recorded.source import Shows, Source
from shared.motion.humanml.layout import HUMANML_FPS
from shared.motion.model import SMPLMotion
from shared.motion.repair.plant_feet import PLANT_FEET
from shared.motion.repair.put_on_floor import PUT_ON_FLOOR
from shared.motion.resample import resample
from shared.motion.retarget.guess import guess_map
from shared.motion.retarget.skeleton import SkeletonMotion
from shared.motion.retarget.solve import retarget

_MOST_FPS: Final = 60.0  # what is faster is thinned out first


def body_motion(recorded: SkeletonMotion, source: Source, row: Shows) -> SMPLMotion:
    """The part of a take that a row names, on the library's body. Raises MotionError where no bones fit."""
    chosen = _thinned(_part(recorded, source.skip_frames, row.part_s))
    motion = retarget(chosen, guess_map(chosen.skeleton), rest_joints()).motion
    motion = knees_forward(resample(motion, HUMANML_FPS))
    standing = PLANT_FEET.apply(PUT_ON_FLOOR.apply(motion, rest_joints()), rest_joints())
    return knees_forward(swinging_feet_lifted(knees_forward(standing)))


def _part(recorded: SkeletonMotion, skip: int, part_s: tuple[float, float] | None) -> SkeletonMotion:
    frames = slice(skip, None)
    if part_s is not None:
        frames = slice(max(skip, round(part_s[0] * recorded.fps)), round(part_s[1] * recorded.fps))
    return replace(recorded, rotations=recorded.rotations[frames], heads=recorded.heads[frames])


def _thinned(recorded: SkeletonMotion) -> SkeletonMotion:
    step = max(1, int(recorded.fps / _MOST_FPS + 1e-3))
    return replace(
        recorded, rotations=recorded.rotations[::step], heads=recorded.heads[::step], fps=recorded.fps / step
    )
