"""Fit a character's rotations to the positions in its file again, by the backend's optimiser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from ...client.motion_order import FitOrder, next_motion_file
from ...rig.character import TWIST_KNOWN, add_note, characters, chosen_character, why_grey
from ...rig.import_character import reimport
from ...rig.import_record import ImportRecord, stored_import
from ...scene.scene_job import keep_output, output_base
from ...shared.errors import InputError
from ...shared.motion.writers.amass import AMASS
from ...shared.protocol.command_lines import Written
from ...shot.generation import chosen_backend
from ...shot.running import generation, push_undo
from ...typed_bpy import Outcome, registration_of
from ..base.reporting import allow, reported


class LATENTMAN_OT_refine_fit(bpy.types.Operator):
    """Fit the body to the file's joint positions again: less jitter, planted feet and natural knees. Takes a few
    seconds"""

    bl_idname = "latentman.refine_fit"
    bl_label = "Refine Fit"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only for a character whose file has positions."""
        if generation().making.running:
            return allow(cls, generation().making.why_busy)
        return allow(cls, why_grey(context) or why_no_fit(chosen_character(context).armature))

    @reported
    def execute(self, context: Any) -> Outcome:
        """Begin; scripts in the background come back when the character plays the new fit."""
        armature, base = chosen_character(context).armature, output_base(context, context.scene)
        record = _record(armature)
        keep_output(context.scene, base)
        target = next_motion_file(base, f"{armature.name} refined").with_suffix(AMASS.suffix)
        order = FitOrder(
            Path(record.path), record.sample, record.repetition, record.person, record.read_fps, record.read_up,
            tuple(record.betas), record.body,
        )  # fmt: skip
        making = generation().making
        scene, name = context.scene.name, armature.name
        making.start(
            chosen_backend(context), order.words(), target, "Refine Fit", lambda made: _receive(scene, name, made)
        )
        if bpy.app.background:
            making.finish()
        return {"FINISHED"}


def why_no_fit(armature: Any) -> str:
    """Why there is nothing to fit; empty if there is."""
    if stored_import(armature) is None:
        return f"{armature.name!r} has no file of joint positions"
    return f"The file of {armature.name!r} has rotations, not positions" if armature.get(TWIST_KNOWN, True) else ""


def _record(armature: Any) -> ImportRecord:
    record = stored_import(armature)
    if record is None:  # since `poll` has looked
        raise InputError(
            "motion.not_fitted", f"{why_no_fit(armature)}.", "Import the file, and press Refine Fit again."
        )
    return record


def _receive(scene_name: str, name: str, made: Written) -> None:
    """Play the new file in the character's place. Raises LatentManError."""
    scene = bpy.data.scenes.get(scene_name)
    found: list[Any] = [] if scene is None else [one.armature for one in characters(scene)]
    armature = next((one for one in found if one.name == name), None)
    if armature is None:
        raise InputError("motion.not_fitted", f"{name!r} is gone.", f"The fitted motion is in {made.written}.")
    record = _record(armature)
    change = {
        "path": made.written, "sample": 0, "repetition": 0, "person": 0, "fps": None, "up": "auto", "unit_m": None,
        "view": "world", "bones": {}, "group": f"{record.group} refined {name}",
    }  # fmt: skip
    reimport(scene, armature, change)
    for note in made.notes:
        add_note(armature, note)
    push_undo("Refine Fit")


register, unregister = registration_of(LATENTMAN_OT_refine_fit)
