"""What an animator should look at before a long render."""

from __future__ import annotations

import json
from typing import Any

import bpy
import numpy as np

from ..passes.geometry import camera_view, world_joints
from ..rig.character import FEET_RESIDUAL, TWIST_KNOWN, WARNINGS, Character
from ..rig.motion_figures import MotionCheck, stored_check
from ..rig.read_motion import reading_steps, rest_joints
from ..rig.stack.problem_frames import Problems
from ..rig.stack.repair_motion import ground_of
from ..scene_time import Steps, at_once
from ..shared.jobs.frame_range import format_frames
from ..shared.motion.checks import Found, run_checks
from ..shared.motion.checks.table import OUT_OF_PICTURE
from ..shared.motion.quality import measure_quality
from ..shared.shot import ShotCamera

# From here on it is seen. Captured and generated walks that look right stay below 5 cm/s and 110 m/s^3; a centimetre
# of noise in every frame alone gives about 350 m/s^3 at 20 frames a second.
SLIDE_CM_PER_S = 8.0
JITTER_M_PER_S3 = 300.0
PENETRATION_CM = 3.0
FEET_RESIDUAL_CM = 2.0


def check_motion(
    scene: Any, character: Character, frames: tuple[int, ...], width: int, height: int
) -> MotionCheck:  # picture size in pixels
    """The figures of `check_steps`, at once."""
    return at_once(check_steps(scene, character, frames, width, height))[0]


def check_steps(
    scene: Any, character: Character, frames: tuple[int, ...], width: int, height: int
) -> Steps[tuple[MotionCheck, Problems]]:  # picture size in pixels
    """Look at a character in these frames, with the floor at height 0: the figures, and what is wrong in which frame.

    The scene's current frame is put back. Raises InputError if there are no frames, or the scene's camera is not a
    perspective one.
    """
    armature = character.armature
    # Every frame between the first and the last: speeds are only right where frames follow each other.
    motion = yield from reading_steps(scene, armature, tuple(range(min(frames), max(frames) + 1)) if frames else ())
    ground = ground_of(character)
    quality = measure_quality(motion, rest_joints(armature), floor_m=ground.floor_m)
    found = run_checks(motion, rest_joints(armature), floor_m=ground.floor_m, sole_m=ground.sole_m)
    outside: dict[int, int] = {}
    if scene.camera is not None:
        outside = yield from _out_of_picture(scene, character, frames, width, height)
        joints = np.array([outside.get(frame, 0) for frame in range(min(frames), max(frames) + 1)], np.float64)
        found += (Found(OUT_OF_PICTURE, joints),)
    check = MotionCheck(
        quality.foot_slide_cm_per_s,
        quality.jitter_m_per_s3,
        quality.floor_penetration_cm,
        format_frames(frames),
        format_frames(tuple(outside)),
    )
    return check, Problems(min(frames), found)


def warnings(armature: Any) -> tuple[str, ...]:
    """What to look at, one sentence each; empty if nothing was found."""
    said = list(json.loads(armature.get(WARNINGS, "[]")))
    if not armature.get(TWIST_KNOWN, True):
        said.append("Twist unknown: the file holds positions only")
    if armature.get(FEET_RESIDUAL, 0.0) > FEET_RESIDUAL_CM:
        said.append(f"Feet are {armature[FEET_RESIDUAL]:.1f} cm from where the file has them, on average")
    check = stored_check(armature)
    if check is None:
        return tuple(said)
    if check.foot_slide_cm_per_s > SLIDE_CM_PER_S:
        said.append(f"Feet slide: {check.foot_slide_cm_per_s:.0f} cm/s on the floor")
    if check.jitter_m_per_s3 > JITTER_M_PER_S3:
        said.append(f"Jitter: {check.jitter_m_per_s3:.0f} m/s³; Smooth helps")
    if check.floor_penetration_cm > PENETRATION_CM:
        said.append(f"Feet go {check.floor_penetration_cm:.0f} cm below the floor")
    if check.out_of_frame:
        said.append(f"Out of frame: {check.out_of_frame}")
    return tuple(said)


def _out_of_picture(
    scene: Any, character: Character, frames: tuple[int, ...], width: int, height: int
) -> Steps[dict[int, int]]:
    """How many joints are outside the picture, by frame; frames in which none is are left out."""
    outside = {}
    current = scene.frame_current
    try:
        for frame in frames:
            scene.frame_set(frame)
            depsgraph = bpy.context.evaluated_depsgraph_get()
            view = camera_view(scene, depsgraph, width, height)
            camera = ShotCamera(view.world_to_camera[None], view.intrinsics[None])
            picture, depth = camera.project(world_joints(character, depsgraph)[None])
            inside = ((picture >= 0) & (picture <= (width, height))).all(axis=-1) & (depth > view.clip_start_m)
            if not inside.all():
                outside[frame] = int((~inside).sum())
            yield
    finally:
        scene.frame_set(current)
    return outside
