"""Read a character's motion file again with one assumption changed: take, person, rate, up axis, unit or view."""

from __future__ import annotations

import json
from typing import Any

import bpy
from bpy.props import IntProperty, StringProperty

from ...look.tracked_camera import film
from ...rig.character import WARNINGS, characters
from ...rig.import_character import reimport
from ...rig.import_record import stored_import
from ...rig.stack.layers import has_edit
from ...scene.properties import motion_fps_field, motion_unit_field, motion_up_field, motion_view_field
from ...shared.errors import InputError
from ...shared.motion.units import UNITS_M
from ...shot.running import wake
from ...typed_bpy import Outcome, registration_of
from ..base.reporting import reported


class _Reimport:
    """A character, and what is said differently of its file; an operator's base. What is not given stays as it was."""

    armature: StringProperty(name="Character", options={"HIDDEN", "SKIP_SAVE"})
    sample: IntProperty(name="Sample", description="Which motion of the file", min=0, options={"SKIP_SAVE"})
    repetition: IntProperty(
        name="Repetition", description="Which repetition of the sample", min=0, options={"SKIP_SAVE"}
    )
    person: IntProperty(name="Person", description="Which person of the take", min=0, options={"SKIP_SAVE"})
    fps: motion_fps_field(options={"SKIP_SAVE"})
    up: motion_up_field(options={"SKIP_SAVE"})
    unit: motion_unit_field(options={"SKIP_SAVE"})
    view: motion_view_field(options={"SKIP_SAVE"})

    @reported
    def execute(self: Any, context: Any) -> Outcome:
        """Change it for all people of the import; another person for this character alone."""
        armature = _found(context.scene, self.armature)
        for one in reimport(context.scene, armature, _change(self), film):
            for warning in json.loads(one[WARNINGS]):
                self.report({"WARNING"}, warning)
            if has_edit(one):
                self.report(
                    {"WARNING"}, f"The edit layer of {one.name} now lies over a different motion: check its keys"
                )
        wake()
        return {"FINISHED"}


def _change(operator: Any) -> dict[str, Any]:
    """What was said differently."""
    given = operator.properties.is_property_set
    change: dict[str, Any] = {
        name: getattr(operator, name) for name in ("sample", "repetition", "person", "up", "view") if given(name)
    }
    if given("fps"):
        change["fps"] = operator.fps or None
    if given("unit"):
        change["unit_m"] = UNITS_M.get(operator.unit)
    return change


class LATENTMAN_OT_reimport_motion(_Reimport, bpy.types.Operator):
    """Read the motion file again with this change. Name, location, body and edit layer stay"""

    bl_idname = "latentman.reimport_motion"
    bl_label = "Change"
    bl_options = {"REGISTER", "UNDO"}


class LATENTMAN_OT_change_frame_rate(_Reimport, bpy.types.Operator):
    """Set the frame rate of the motion file, and read it again"""

    bl_idname = "latentman.change_frame_rate"
    bl_label = "Frame Rate"
    bl_options = {"REGISTER", "UNDO"}

    def invoke(self, context: Any, event: Any) -> Outcome:
        """Ask, with the rate that the file was read at filled in."""
        record = stored_import(_found(context.scene, self.armature))
        self.fps = 0.0 if record is None else record.read_fps
        return set(context.window_manager.invoke_props_dialog(self))

    def draw(self, context: Any) -> None:
        """The rate alone."""
        layout: Any = self.layout
        layout.prop(self, "fps")


def _found(scene: Any, name: str) -> Any:
    """The armature of a character of the scene. Raises InputError if it is gone."""
    found = next((one.armature for one in characters(scene) if one.armature.name == name), None)
    if found is None:
        raise InputError("rig.no_character", f"The scene has no character {name!r}.", "Import its motion again.")
    return found


register, unregister = registration_of(LATENTMAN_OT_reimport_motion, LATENTMAN_OT_change_frame_rate)
