"""Characters of a scene: making one from a motion and a body, and finding those that are there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..shared.errors import InputError
from ..shared.motion import SMPLMotion, resample
from ..shared.strict_json import as_text
from .armature import new_armature
from .body_mesh import new_body_object, require_parts
from .correctives import store_correctives
from .keyframes import write_motion

if TYPE_CHECKING:
    from ..shared.body import Body

# On the armature; the names are what an animator sees under Custom Properties.
SOURCE, TEXT, FPS = "latentman_source", "latentman_text", "latentman_source_fps"
RESIDUAL, FEET_RESIDUAL = "latentman_residual_cm", "latentman_feet_residual_cm"
TWIST_KNOWN, NOTES, WARNINGS = "latentman_twist_known", "latentman_notes", "latentman_warnings"
_SURFACES = ("MESH", "CURVE", "CURVES", "SURFACE", "META", "FONT", "POINTCLOUD")
# On the body mesh object: marks it as the rendered surface of the armature that is its parent.
BODY = "latentman_body"
# On the scene: the frame range that an import has set. Another one is the user's, and stays.
RANGE = "latentman_range"
_FACTORY_RANGE = (1, 250)


@dataclass(frozen=True, slots=True)
class Character:
    """An armature and its body. References die with undo and file loading: find them again, never keep them."""

    armature: Any
    body: Any


def import_motion(
    scene: Any, motion: SMPLMotion, body: Body, *, name: str = "Character", start_frame: int | None = None
) -> Any:
    """Make a character that plays the motion in the scene from `start_frame` on, and return its armature object.

    The motion is resampled to the scene's frame rate and keeps its duration. It starts at the scene's first frame where
    no other is given. The scene's frame range is set to it, or widened where other characters are in the scene, as long
    as nobody has set that range himself. A second character gets a name of its own from Blender. Raises BodyError where
    the body has no parts and charts.
    """
    require_parts(body)
    others = bool(characters(scene))
    first = scene.frame_start if start_frame is None else start_frame
    betas = np.asarray(motion.betas, np.float64)
    armature = new_armature(scene, body.joints(betas), as_text(name))
    mesh = new_body_object(body, betas, armature, f"{armature.name} body")
    mesh[BODY] = True
    store_correctives(mesh, body)
    fitted = resample(motion, scene.render.fps / scene.render.fps_base)
    write_motion(armature, fitted, first)
    outside = _fit_range(scene, first, first + fitted.frame_count - 1, others)
    _store_facts(armature, motion, outside)
    return armature


def disown_range(scene: Any) -> None:
    """Have the next import set the scene's frame range, whatever it is now."""
    scene[RANGE] = (scene.frame_start, scene.frame_end)


def _fit_range(scene: Any, first: int, last: int, others: bool) -> str:
    """Make the scene's range fit a clip where the range is not the user's; one sentence about what is outside of it."""
    present = (scene.frame_start, scene.frame_end)
    if present not in (_FACTORY_RANGE, tuple(scene.get(RANGE, ()))):
        scene.frame_set(scene.frame_current)
        if present[0] <= first and last <= present[1]:
            return ""
        return f"The clip plays from frame {first} to {last}, the scene from {present[0]} to {present[1]}."
    # Blender's frame range begins at 0 at the earliest; what comes before plays all the same.
    scene.frame_start = max(0, min(present[0], first) if others else first)
    scene.frame_end = max(scene.frame_start, max(present[1], last) if others else last)
    scene[RANGE] = (scene.frame_start, scene.frame_end)
    scene.frame_set(scene.frame_start)
    return ""


def characters(scene: Any) -> list[Character]:
    """The scene's characters that are rendered, in the order of their names."""
    found = [
        Character(item.parent, item)
        for item in scene.objects
        if item.type == "MESH" and item.get(BODY) and not item.hide_render
        if item.parent is not None and item.parent.type == "ARMATURE"
    ]
    return sorted(found, key=lambda one: one.body.name)


def others_in_picture(scene: Any) -> list[str]:
    """The names of the other objects with a surface that are rendered: their depth becomes part of the passes."""
    bodies = [one.body for one in characters(scene)]
    return sorted(
        item.name for item in scene.objects if item.type in _SURFACES and not item.hide_render and item not in bodies
    )


def require_characters(scene: Any, view_layer: Any = None) -> list[Character]:
    """As `characters`, of one view layer where it is given; raises InputError where there is none."""
    found = [one for one in characters(scene) if view_layer is None or one.body.name in view_layer.objects]
    if not found:
        raise InputError(
            "rig.no_character",
            f"The scene {scene.name!r} has no character to render.",
            "Import a motion file first, and show it in the view layer.",
        )
    return found


def _store_facts(armature: Any, motion: SMPLMotion, outside: str) -> None:
    warnings = [*motion.warnings, *([outside] if outside else [])]
    armature[SOURCE] = as_text(motion.source)
    armature[TEXT] = as_text(motion.text)
    armature[FPS] = motion.fps
    armature[TWIST_KNOWN] = motion.twist_known
    armature[NOTES] = json.dumps([*motion.notes, *warnings])
    armature[WARNINGS] = json.dumps(warnings)
    if motion.residual_cm is not None:
        armature[RESIDUAL] = float(motion.residual_cm)
    if motion.feet_residual_cm is not None:
        armature[FEET_RESIDUAL] = float(motion.feet_residual_cm)
