"""Export a character's motion to a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ...rig.character import chosen_character, why_grey
from ...shared.errors import InputError
from ...shared.files.frame_files import shown_path
from ...shot.running import wake
from ...typed_bpy import Outcome, registration_of
from ..base.reporting import allow, reported
from .exports import EXPORTS, export_named, frames_of

_MENU = "LATENTMAN_MT_export_motion"


class LATENTMAN_OT_export_motion(bpy.types.Operator):
    """Export the active character's motion as you see it, with repairs and edits"""

    bl_idname = "latentman.export_motion"
    bl_label = "Export Motion"
    bl_options = {"REGISTER"}

    filepath: StringProperty(name="File", subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: StringProperty(options={"HIDDEN", "SKIP_SAVE"})
    check_existing: BoolProperty(
        name="Check Existing", description="Ask before a file is replaced", default=True, options={"HIDDEN"}
    )
    form: EnumProperty(
        name="Format",
        description="What to write",
        items=[(one.name, one.label, one.description) for one in EXPORTS],
        options={"SKIP_SAVE"},
    )

    @classmethod
    def description(cls, context: Any, properties: Any) -> str:
        """What an entry of the menu says of itself."""
        return f"{export_named(properties.form).description}"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if there is a character."""
        return allow(cls, why_grey(context))

    def invoke(self, context: Any, event: Any) -> Outcome:
        """Ask where to."""
        suffix = export_named(self.form).suffix
        if not self.filepath:
            armature = chosen_character(context).armature
            self.filepath = str(Path(bpy.path.abspath("//") or Path.home()) / f"{armature.name}{suffix}")
        self.filter_glob = f"*.{suffix.rsplit('.', 1)[1]}"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @reported
    def execute(self, context: Any) -> Outcome:
        """Write the file, and say what it holds."""
        export, character = export_named(self.form), chosen_character(context)
        path = self._path(export.suffix)
        for note in export.write(context, character, path):
            self.report({"WARNING"}, note)
        frames = len(frames_of(context.scene, character.armature))
        self.report({"INFO"}, f"{export.label}: {frames} frames in {shown_path(path)}")
        wake()
        return {"FINISHED"}

    def _path(self, suffix: str) -> Path:
        """The file, with the format's ending. Raises InputError if none was named."""
        if not self.filepath:
            raise InputError("export.no_file", "No file was named.", "Choose one.")
        path = Path(os.path.expanduser(bpy.path.abspath(self.filepath)))
        ending = f".{suffix.rsplit('.', 1)[1]}"
        return path if path.suffix.lower() == ending else path.with_name(path.name + suffix)


def _draw_in_file_menu(menu: Any, context: Any) -> None:
    """The entry of File > Export."""
    menu.layout.menu(_MENU, text="Motion of a Character (LatentMan)")


_register, _unregister = registration_of(LATENTMAN_OT_export_motion)


def register() -> None:
    """Add the operator, and the entry of File > Export."""
    _register()
    bpy.types.TOPBAR_MT_file_export.append(_draw_in_file_menu)


def unregister() -> None:
    """Take them back."""
    bpy.types.TOPBAR_MT_file_export.remove(_draw_in_file_menu)
    _unregister()
