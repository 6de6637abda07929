"""The bone table of an armature: guess it, save it, load it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty

from ...rig.source.chosen import chosen_source, why_no_source
from ...rig.source.scene_armature import skeleton_of
from ...scene.bone_table import fill_table, joint_label, table_of
from ...shared.errors import InputError
from ...shared.motion.retarget.bone_map import SUFFIX, BoneMap, load_map, save_map
from ...shared.motion.retarget.guess import guess_map
from ...typed_bpy import Outcome, registration_of
from ..base.reporting import allow, reported

_EMPTY = "The table is empty: press Guess first"


class LATENTMAN_OT_guess_bones(bpy.types.Operator):
    """Fill the table with the best guess from the names of the bones and the armature's shape"""

    bl_idname = "latentman.guess_bones"
    bl_label = "Guess"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if there is an armature."""
        return allow(cls, why_no_source(context))

    @reported
    def execute(self, context: Any) -> Outcome:
        """Fill it."""
        source = chosen_source(context)
        found = guess_map(skeleton_of(source))
        if not found.bones:
            raise InputError(
                "rig.source",
                f"None of the bones of {source.name!r} was recognised.",
                "Choose a bone for each joint in the table.",
            )
        fill_table(source, found)
        _tell(self, found)
        return {"FINISHED"}


class _MapFile:
    """A bone map's place."""

    filepath: StringProperty(name="File", subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: StringProperty(default=f"*{SUFFIX}", options={"HIDDEN"})

    def invoke(self: Any, context: Any, event: Any) -> Outcome:
        """Ask for the file."""
        if self.filepath:
            outcome: Outcome = self.execute(context)
            return outcome
        self.filepath = f"{chosen_source(context).name} bones{SUFFIX}"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}


class LATENTMAN_OT_save_bone_map(_MapFile, bpy.types.Operator):
    """Save the table to a file, for other armatures with the same bone names"""

    bl_idname = "latentman.save_bone_map"
    bl_label = "Save Map"

    check_existing: BoolProperty(default=True, options={"HIDDEN"})

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if the table holds something."""
        reason = why_no_source(context)
        if not reason and table_of(chosen_source(context)) is None:
            reason = _EMPTY
        return allow(cls, reason)

    @reported
    def execute(self, context: Any) -> Outcome:
        """Write it."""
        path = Path(bpy.path.ensure_ext(bpy.path.abspath(self.filepath), SUFFIX))
        table = table_of(chosen_source(context))
        if table is None:  # emptied while the file was chosen
            raise InputError("rig.source", f"{_EMPTY}.")
        save_map(path, BoneMap(path.stem, table.bones))
        self.report({"INFO"}, f"Saved {path}")
        return {"FINISHED"}


class LATENTMAN_OT_load_bone_map(_MapFile, bpy.types.Operator):
    """Fill the table from a file that Save Map wrote"""

    bl_idname = "latentman.load_bone_map"
    bl_label = "Load Map"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if there is an armature."""
        return allow(cls, why_no_source(context))

    @reported
    def execute(self, context: Any) -> Outcome:
        """Read it."""
        source = chosen_source(context)
        found = load_map(Path(bpy.path.abspath(self.filepath)))
        strange = [bone for bone in found.bones.values() if bone not in source.data.bones]
        if len(strange) == len(found.bones):
            raise InputError(
                "motion.bone_map", f"The map {found.label!r} names no bone of {source.name!r}.", "Load another one."
            )
        fill_table(source, found)
        _tell(self, found)
        return {"FINISHED"}


def _tell(operator: Any, found: BoneMap) -> None:
    operator.report({"INFO"}, f"{found.label}: {len(found.bones)} bones")
    if found.missing:
        operator.report({"WARNING"}, f"No bone yet for: {', '.join(map(joint_label, found.missing))}")


register, unregister = registration_of(LATENTMAN_OT_guess_bones, LATENTMAN_OT_save_bone_map, LATENTMAN_OT_load_bone_map)
