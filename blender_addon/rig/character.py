"""Characters of a scene: making one from a motion and a body, and finding those that are there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from .. import compat
from ..scene_time import scene_fps
from ..shared.body import Body
from ..shared.errors import InputError
from ..shared.files.frame_files import LAST_FRAME
from ..shared.files.strict_json import as_text
from ..shared.motion import SMPLMotion, resample
from .armature import new_armature
from .body_mesh import new_body_object, require_parts
from .correctives import store_correctives
from .joints import joint_bones
from .keyframes import write_motion
from .left_out import has_surface, is_left_out
from .stack.edit_layer import replace_motion
from .visibility import may_render, rendered_objects, why_not_rendered

# On the armature; the names are what an animator sees under Custom Properties.
SOURCE, TEXT, FPS = "latentman_source", "latentman_text", "latentman_source_fps"
RESIDUAL, FEET_RESIDUAL = "latentman_residual_cm", "latentman_feet_residual_cm"
TWIST_KNOWN, NOTES, WARNINGS = "latentman_twist_known", "latentman_notes", "latentman_warnings"
MOVED = "Moved "  # how the note about a character's place begins
BETAS = "latentman_betas"  # the shape that the body was made with
# On the body mesh object: marks it as the rendered surface of the armature that it is parented to, or deformed by.
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
    no other is given. The scene's frame range is set to it, or widened where other characters are in the scene, unless
    the user has set that range. A second character gets a name of its own from Blender. Raises BodyError if the body
    has no parts and charts, InputError where the clip goes past Blender's frames.
    """
    require_parts(body)
    others = bool(characters(scene))
    first = scene.frame_start if start_frame is None else start_frame
    fitted = _fitted(scene, motion, first)
    betas = np.asarray(motion.betas, np.float64)
    armature = new_armature(scene, body.joints(betas), as_text(name))
    mesh = new_body_object(body, betas, armature, f"{armature.name} body")
    mesh[BODY] = True
    store_correctives(mesh, body)
    write_motion(armature, fitted, first)
    outside = _fit_range(scene, first, first + fitted.frame_count - 1, others)
    _store_facts(armature, motion, outside)
    return armature


def replay_motion(scene: Any, armature: Any, motion: SMPLMotion, start_frame: int) -> None:
    """Have a character that is there play another motion instead of its own; an edit layer stays over it.

    Its body, name and place stay. Raises InputError where the clip goes past Blender's frames.
    """
    fitted = _fitted(scene, motion, start_frame)
    replace_motion(armature, lambda: write_motion(armature, fitted, start_frame))
    outside = _fit_range(scene, start_frame, start_frame + fitted.frame_count - 1, len(characters(scene)) > 1)
    moved = [note for note in json.loads(armature.get(NOTES, "[]")) if note.startswith(MOVED)]
    for figure in (RESIDUAL, FEET_RESIDUAL):
        armature.pop(figure, None)
    _store_facts(armature, motion, outside)
    for note in moved:
        add_note(armature, note)


def _fitted(scene: Any, motion: SMPLMotion, first: int) -> SMPLMotion:
    """The motion at the scene's frame rate. Raises InputError where it goes past Blender's frames."""
    fitted = resample(motion, scene_fps(scene))
    _require_frames(first, first + fitted.frame_count - 1)
    return fitted


def _require_frames(first: int, last: int) -> None:
    """Raises InputError if a clip is not within the frames that Blender has."""
    if first < -LAST_FRAME or last > LAST_FRAME:
        raise InputError(
            "motion.past_the_end",
            f"The clip would play from frame {first} to {last}; Blender's range is -{LAST_FRAME} to {LAST_FRAME}.",
            "Give another start frame.",
        )


def disown_range(scene: Any) -> None:
    """Have the next import set the scene's frame range, whatever it is now."""
    scene[RANGE] = (scene.frame_start, scene.frame_end)


def _fit_range(scene: Any, first: int, last: int, others: bool) -> str:
    """Make the scene's range fit a clip where the range is not the user's; one sentence about what is outside of it."""
    present = (scene.frame_start, scene.frame_end)
    own = present in (_FACTORY_RANGE, tuple(scene.get(RANGE, ())))
    if own:
        # Blender's frame range begins at 0 at the earliest; what comes before still plays.
        scene.frame_start = max(0, min(present[0], first) if others else first)
        scene.frame_end = max(scene.frame_start, max(present[1], last) if others else last)
        scene[RANGE] = present = (scene.frame_start, scene.frame_end)
    scene.frame_set(scene.frame_start if own else scene.frame_current)
    if present[0] <= first and last <= present[1]:
        return ""
    return f"The clip plays from frame {first} to {last}, the scene from {present[0]} to {present[1]}."


def bodies(scene: Any) -> list[Any]:
    """The objects of the scene that are marked as bodies, rendered or not, in the order of their names."""
    return sorted((item for item in scene.objects if item.type == "MESH" and item.get(BODY)), key=lambda one: one.name)


def characters(scene: Any, view_layer: Any = None) -> list[Character]:
    """The scene's characters that some frame may show, in the order of their bodies' names.

    A character that keys or a driver switch off in the current frame still counts. Where `view_layer` is given,
    it must render the body.
    """
    return [
        Character(rig, item)
        for item in bodies(scene)
        if (rig := _rig_of(item)) is not None and not why_not_rendered(item, view_layer)
    ]


def _rig_of(body: Any) -> Any:
    """The armature that a body is parented to, else the one that deforms it; None if there is neither."""
    deforming = [modifier.object for modifier in body.modifiers if modifier.type == "ARMATURE"]
    around = [item for item in (body.parent, *deforming) if item is not None and item.type == "ARMATURE"]
    return around[0] if around else None


def others_in_picture(scene: Any, view_layer: Any) -> list[str]:
    """The names of the other objects with a surface that some frame may show: they hide what is behind them."""
    own = {one.body for one in characters(scene, view_layer)}
    return sorted(
        item.name
        for item in rendered_objects(view_layer)
        if has_surface(item) and item not in own
        if may_render(item) and item.visible_camera and not item.indirect_only_get(view_layer=view_layer)
    )


def require_characters(scene: Any, view_layer: Any = None) -> list[Character]:
    """As `characters`; raises InputError with the cause if there is none, or if one's rig lacks a joint."""
    found = characters(scene, view_layer)
    if not found:
        raise _why_no_character(scene, view_layer)
    for one in found:
        if not one.armature.data.bones and _missing_libraries():
            raise _library_is_missing(scene)
        joint_bones(one.armature)
    return found


def chosen_character(context: Any) -> Character:
    """The character that is active, else the first. Raises InputError if there is none."""
    found = require_characters(context.scene, context.view_layer)
    return next((one for one in found if context.object in (one.armature, one.body)), found[0])


def why_grey(context: Any) -> str:
    """Why a button that works on characters is grey; empty if it can work."""
    try:
        require_characters(context.scene, context.view_layer)
    except InputError as error:
        return str(error)
    return ""


def _why_no_character(scene: Any, view_layer: Any) -> InputError:
    """The cause, when `characters` finds none."""
    found = bodies(scene)
    for item in found:
        if _rig_of(item) is not None:
            cause = f"{item.name!r} {why_not_rendered(item, view_layer)}"
            remedy = "Press the cross beside its name in Motion." if is_left_out(item) else "Show it in renders."
            return InputError("rig.not_rendered", _none_because(scene, cause), remedy)
    if _missing_libraries():
        return _library_is_missing(scene)
    instances = [item for item in scene.objects if item.instance_type == "COLLECTION" and item.instance_collection]
    shown = [item for item in instances if any(one.get(BODY) for one in item.instance_collection.all_objects)]
    elsewhere = [other.name for other in bpy.data.scenes if other != scene and bodies(other)]
    if found:
        cause, remedy = f"the armature of {found[0].name!r} is missing", "Parent the body to its armature."
    elif shown:
        cause, remedy = (
            f"{shown[0].name!r} is an instance of a character and has no rig here",
            "Make the instance real.",
        )
    elif elsewhere:
        cause, remedy = (
            f"it is in the scene {elsewhere[0]!r}",
            "Switch to that scene, or link the character to this one.",
        )
    else:
        return InputError("rig.no_character", f"The scene {scene.name!r} has no character yet.", "Import a motion.")
    return InputError("rig.no_character", _none_because(scene, cause), remedy)


def _library_is_missing(scene: Any) -> InputError:
    cause = f"the linked library {_missing_libraries()[0]!r} cannot be found"
    return InputError("rig.library", _none_because(scene, cause), "Find it: File > External Data > Find Missing Files.")


def _none_because(scene: Any, cause: str) -> str:
    return f"The scene {scene.name!r} has no character to render: {cause}."


def _missing_libraries() -> list[str]:
    return [library.filepath for library in bpy.data.libraries if compat.library_is_missing(library)]


def add_note(armature: Any, text: str) -> None:
    """Say one more thing of a character's import."""
    armature[NOTES] = json.dumps([*json.loads(armature.get(NOTES, "[]")), text])


def _store_facts(armature: Any, motion: SMPLMotion, outside: str) -> None:
    warnings = [*motion.warnings, *([outside] if outside else [])]
    armature[SOURCE] = as_text(motion.source)
    armature[TEXT] = as_text(motion.text)
    armature[FPS] = motion.fps
    armature[BETAS] = np.asarray(motion.betas, np.float64).tolist()
    armature[TWIST_KNOWN] = motion.twist_known
    armature[NOTES] = json.dumps([*motion.notes, *warnings])
    armature[WARNINGS] = json.dumps(warnings)
    if motion.residual_cm is not None:
        armature[RESIDUAL] = float(motion.residual_cm)
    if motion.feet_residual_cm is not None:
        armature[FEET_RESIDUAL] = float(motion.feet_residual_cm)
