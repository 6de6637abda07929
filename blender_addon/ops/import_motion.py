"""Import a motion file as a character."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import StringProperty

from ..rig.source.foreign_file import FOREIGN_SUFFIXES
from ..shared.motion import SUFFIXES
from ..shared.motion.samples import sample_at
from ..typed_bpy import Outcome, registration_of
from .motion.file_import import MotionFiles, take_from_scene

_GLOB = ";".join(f"*{form}" for suffix in (*SUFFIXES, *FOREIGN_SUFFIXES) for form in (suffix, suffix.upper()))


class LATENTMAN_OT_import_motion(MotionFiles, bpy.types.Operator):
    """Import a motion file as a character with ordinary keyframes"""

    bl_idname = "latentman.import_motion"
    bl_label = "Import Motion"
    bl_options = {"REGISTER", "UNDO"}

    filter_glob: StringProperty(default=_GLOB, options={"HIDDEN"})

    @classmethod
    def description(cls, context: Any, properties: Any) -> str:
        """What a button says of itself: of a sample what it shows."""
        sample = sample_at(Path(properties.filepath)) if properties.filepath else None
        return (cls.__doc__ or "") if sample is None else f"{sample.description}. {sample.seconds:g} seconds"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if objects can be made."""
        if context.mode != "OBJECT":
            cls.poll_message_set("Switch to Object Mode first")
            return False
        return True

    def invoke(self, context: Any, event: Any) -> Outcome:
        """Ask for files, where the caller names none: by a drop into the 3D view, or a menu's entry."""
        take_from_scene(self, context.scene)
        self.may_ask = not bpy.app.background
        if self.filepath or self.files:
            return self.execute(context)
        self.filepath = bpy.path.abspath(context.scene.latentman.motion_path)  # where the browser begins
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}


class LATENTMAN_FH_motion(bpy.types.FileHandler):
    """Motion files that are dropped into a 3D view are imported"""

    bl_idname = "LATENTMAN_FH_motion"
    bl_label = "Motion as a Character"
    bl_import_operator = "latentman.import_motion"
    bl_file_extensions = ";".join(SUFFIXES)

    @classmethod
    def poll_drop(cls, context: Any) -> bool:
        """Only in a 3D view."""
        return context.area is not None and context.area.type == "VIEW_3D"


def _draw_in_file_menu(menu: Any, context: Any) -> None:
    """The entry of File > Import."""
    menu.layout.operator("latentman.import_motion", text="Motion as a Character (LatentMan)")


_register, _unregister = registration_of(LATENTMAN_OT_import_motion, LATENTMAN_FH_motion)


def register() -> None:
    """Add the operator, what may be dropped, and the entry of File > Import."""
    _register()
    bpy.types.TOPBAR_MT_file_import.append(_draw_in_file_menu)


def unregister() -> None:
    """Take them back."""
    bpy.types.TOPBAR_MT_file_import.remove(_draw_in_file_menu)
    _unregister()
