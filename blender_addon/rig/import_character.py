"""A motion file as a character: the one way in, for panel and batch alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..shared.body import Body, free_body, load_body
from ..shared.motion import Up, read_motion
from .character import add_note, characters, import_motion
from .motion_figures import check_of, store_check
from .placement import stand_beside


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the user says about the file, and about where it goes; None leaves it to the file and the scene."""

    sample: int = 0
    repetition: int = 0
    fps: float | None = None  # of the file
    up: Up = "auto"
    start_frame: int | None = None
    betas: tuple[float, ...] | None = None  # (10,) instead of the file's
    beside: bool = False  # stand beside the characters that are there instead of inside one


def import_character(scene: Any, path: Path, body: Body, options: ImportOptions) -> Any:
    """Read the file for this body, make the character, keep what was found of it, and return its armature object.

    Joints are the body's with the shape that it is shown with. Raises MotionError and BodyError; nothing is made then.
    """
    motion = read_motion(
        path,
        sample=options.sample,
        repetition=options.repetition,
        fps=options.fps,
        up=options.up,
        betas=options.betas,
        rest_joints=body.joints,
    )
    others = [one.armature for one in characters(scene)]
    armature = import_motion(scene, motion, body, name=path.stem, start_frame=options.start_frame)
    store_check(armature, check_of(motion, body))
    moved_m = stand_beside(scene, armature, others) if options.beside else 0.0
    if moved_m:
        add_note(armature, f"Moved {moved_m:.1f} m along X, to stand beside the other characters")
    return armature


def scene_body(scene: Any) -> Body:
    """The body that the scene's settings name, else the free one. Raises BodyError."""
    path = bpy.path.abspath(scene.latentman.body_path)
    return load_body(Path(path)) if path else free_body()


def scene_betas(scene: Any) -> tuple[float, ...] | None:
    """The shape that the scene's settings put in place of a file's; None if they leave it to the file."""
    settings = scene.latentman
    return tuple(settings.betas) if settings.own_betas else None
