"""The character's texture: from a take or a file onto the body, and off again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import bpy
from bpy.props import StringProperty

from ..rig.body_texture import has_texture, put_texture, remove_texture
from ..rig.character import bodies, chosen_character, why_grey
from ..shared.errors import LatentManError
from ..shared.files.frame_files import is_file
from ..shared.methods import METHODS
from ..shared.methods.finish import FinishSettings
from ..shared.methods.setting import declared
from ..timeline.compare import shown_take
from ..timeline.take import take_texture
from ..typed_bpy import Outcome, registration_of
from .base.reporting import allow, refuse

_LOCK = declared(FinishSettings)["lock"].label
_LOCKED = " and ".join(one.label for one in METHODS.values() if one.locked)
_WHICH_HAVE_ONE = f"takes of {_LOCKED} have one, and those of any method with {_LOCK} on"
_DONE = "{} wears the texture: see it in Material Preview, or light and render it"


def _put(operator: Any, context: Any, path: Path) -> Outcome:
    try:
        body = chosen_character(context).body
        put_texture(body, path)
    except LatentManError as error:
        return refuse(operator, error)
    operator.report({"INFO"}, _DONE.format(body.name))
    return {"FINISHED"}


class LATENTMAN_OT_put_texture_on_body(bpy.types.Operator):
    """Put the shown take's texture on the active character, or the first, to light and render it from any side"""

    bl_idname = "latentman.put_texture_on_body"
    bl_label = "Texture from Take"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if a take with a texture is shown, and there is a character."""
        return allow(cls, _why_no_texture(context))

    def execute(self, context: Any) -> Outcome:
        """Put it on."""
        return _put(self, context, take_texture(shown_take(context.scene)))


def _why_no_texture(context: Any) -> str:
    strip = shown_take(context.scene)
    if strip is None:
        return "No take is shown: press Generate, or show one"
    if not is_file(take_texture(strip)):
        return f"{strip.name} has no texture: {_WHICH_HAVE_ONE}"
    return why_grey(context)


class LATENTMAN_OT_put_texture_file(bpy.types.Operator):
    """Put the atlas.png of any take, or a painted copy of one, on the active character, or the first"""

    bl_idname = "latentman.put_texture_file"
    bl_label = "Texture from File"
    bl_options = {"REGISTER", "UNDO"}

    filepath: StringProperty(name="File", subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: StringProperty(default="*.png;*.PNG", options={"HIDDEN"})

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if there is a character."""
        return allow(cls, why_grey(context))

    def invoke(self, context: Any, event: Any) -> Outcome:
        """Ask for a file."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> Outcome:
        """Put it on."""
        return _put(self, context, Path(os.path.expanduser(bpy.path.abspath(self.filepath))))


class LATENTMAN_OT_remove_texture(bpy.types.Operator):
    """Remove the textures from all characters and restore their own materials"""

    bl_idname = "latentman.remove_texture"
    bl_label = "Remove Texture"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if a body has one."""
        textured = any(has_texture(body) for body in bodies(context.scene))
        return allow(cls, "" if textured else "No character has a texture")

    def execute(self, context: Any) -> Outcome:
        """Take them off."""
        try:
            for body in bodies(context.scene):
                if has_texture(body):
                    remove_texture(body)
        except LatentManError as error:
            return refuse(self, error)
        return {"FINISHED"}


_CLASSES = (LATENTMAN_OT_put_texture_on_body, LATENTMAN_OT_put_texture_file, LATENTMAN_OT_remove_texture)

register, unregister = registration_of(*_CLASSES)
