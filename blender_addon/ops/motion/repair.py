"""Repairs of the active character's motion, each a layer that can be removed."""

from __future__ import annotations

from typing import Any, ClassVar

import bpy
from bpy.props import FloatProperty, StringProperty

from ...rig.character import chosen_character, why_grey
from ...rig.stack.repair_layer import why_no_repair, why_no_repair_removed
from ...rig.stack.repair_motion import removal_steps, repair_steps
from ...scene_time import Steps
from ...shared.errors import InputError
from ...shared.motion.quality import MotionQuality
from ...shared.motion.repair import Repair
from ...shared.motion.repair.plant_feet import PLANT_FEET
from ...shared.motion.repair.put_on_floor import PUT_ON_FLOOR
from ...shared.motion.repair.smooth import SMOOTH
from ...typed_bpy import Outcome, registration_of
from ..base.frame_by_frame import FrameByFrame
from ..base.reporting import allow


def _strength(repair: Repair) -> Any:
    return FloatProperty(
        name="Strength",
        description="How strong the repair is; 0 changes nothing",
        default=repair.strength,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )


class _Repairing(FrameByFrame):
    """What the repairs share."""

    repair: ClassVar[Repair]
    strength: float

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if the chosen character's keys alone say how it moves."""
        return allow(cls, why_grey(context) or why_no_repair(chosen_character(context).armature))

    def steps(self, context: Any) -> Steps[Outcome]:
        """Repair the active character, or the first, and say what it brought."""
        done = yield from repair_steps(context.scene, chosen_character(context), self.repair, self.strength)
        said: Any = self  # an operator reports
        said.report({"INFO"}, f"{self.repair.label}: {figures(done.before, done.after)}")
        return {"FINISHED"}


def figures(before: MotionQuality, after: MotionQuality) -> str:
    """What a repair has changed, in numbers."""
    return (
        f"slide {before.foot_slide_cm_per_s:.0f} to {after.foot_slide_cm_per_s:.0f} cm/s, "
        f"jitter {before.jitter_m_per_s3:.0f} to {after.jitter_m_per_s3:.0f} m/s³, "
        f"below the floor {before.floor_penetration_cm:.1f} to {after.floor_penetration_cm:.1f} cm"
    )


class LATENTMAN_OT_plant_feet(_Repairing, bpy.types.Operator):
    """Hold planted feet in place, as a layer; the legs follow"""

    bl_idname = "latentman.plant_feet"
    bl_label = PLANT_FEET.label
    bl_options = {"REGISTER", "UNDO"}
    repair = PLANT_FEET
    strength: _strength(PLANT_FEET)


class LATENTMAN_OT_smooth_motion(_Repairing, bpy.types.Operator):
    """Remove jitter from the motion, as a layer; planted feet stay where they are"""

    bl_idname = "latentman.smooth_motion"
    bl_label = SMOOTH.label
    bl_options = {"REGISTER", "UNDO"}
    repair = SMOOTH
    strength: _strength(SMOOTH)


class LATENTMAN_OT_put_on_floor(_Repairing, bpy.types.Operator):
    """Raise or lower the body so that planted feet stand at height 0, as a layer"""

    bl_idname = "latentman.put_on_floor"
    bl_label = PUT_ON_FLOOR.label
    bl_options = {"REGISTER", "UNDO"}
    repair = PUT_ON_FLOOR
    strength: _strength(PUT_ON_FLOOR)


class LATENTMAN_OT_remove_repair(FrameByFrame, bpy.types.Operator):
    """Remove this layer; without any the motion is what it was before"""

    bl_idname = "latentman.remove_repair"
    bl_label = "Remove Repair"
    bl_options = {"REGISTER", "UNDO"}

    repair: StringProperty(name="Repair", description="Which layer to remove", options={"HIDDEN"})

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if there is a character."""
        return allow(cls, why_grey(context))

    def steps(self, context: Any) -> Steps[Outcome]:
        """Remove it from the active character, or the first."""
        character = chosen_character(context)
        reason = why_no_repair_removed(character.armature, self.repair)
        if reason:
            raise InputError("repair.refused", f"{reason}.")
        yield from removal_steps(context.scene, character, self.repair)
        return {"FINISHED"}


register, unregister = registration_of(
    LATENTMAN_OT_plant_feet, LATENTMAN_OT_smooth_motion, LATENTMAN_OT_put_on_floor, LATENTMAN_OT_remove_repair
)
