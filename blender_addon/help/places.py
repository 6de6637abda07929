"""Where a failed action's message stands: in the panel that holds its button. No bpy in here."""

from __future__ import annotations

from collections.abc import Mapping

MOTION, GENERATE, TAKES, PASSES, BACKEND, JOB_FILE = ("motion", "generate", "takes", "passes", "backend", "job_file")
ARMATURE = "armature"

# By operator. All else belongs to Generate: what goes wrong while a shot is made, and the buttons that fix it.
PLACES: Mapping[str, str] = {
    "latentman.import_motion": MOTION,
    "latentman.motion_from_text": MOTION,
    "latentman.cancel_motion": MOTION,
    "latentman.fill_motion": MOTION,
    "latentman.refine_fit": MOTION,
    "latentman.ask_frame_rate": MOTION,
    "latentman.reimport_motion": MOTION,
    "latentman.change_frame_rate": MOTION,
    "latentman.motion_from_armature": MOTION,
    "latentman.guess_bones": ARMATURE,
    "latentman.save_bone_map": ARMATURE,
    "latentman.load_bone_map": ARMATURE,
    "latentman.add_edit_layer": MOTION,
    "latentman.merge_edit_layer": MOTION,
    "latentman.remove_edit_layer": MOTION,
    "latentman.open_help": MOTION,
    "latentman.check_motion": MOTION,
    "latentman.plant_feet": MOTION,
    "latentman.smooth_motion": MOTION,
    "latentman.put_on_floor": MOTION,
    "latentman.remove_repair": MOTION,
    "latentman.next_problem": MOTION,
    "latentman.previous_problem": MOTION,
    "latentman.show_problems": MOTION,
    "latentman.export_motion": MOTION,
    "latentman.leave_out": MOTION,
    "latentman.take_back": MOTION,
    "latentman.keep_in_picture": MOTION,
    "latentman.preview_depth": PASSES,
    "latentman.count_changes": PASSES,
    "latentman.stop_backend": BACKEND,
    "latentman.install_backend": BACKEND,
    "latentman.remove_backend": BACKEND,
    "latentman.doctor": BACKEND,
    "latentman.save_job": JOB_FILE,
    "latentman.load_job": JOB_FILE,
    "latentman.show_take": TAKES,
    "latentman.redo_take": TAKES,
    "latentman.take_background": TAKES,
    "latentman.compare_takes": TAKES,
    "latentman.find_takes": TAKES,
    "latentman.save_video": TAKES,
    "latentman.delete_take": TAKES,
    "latentman.put_texture_on_body": TAKES,
    "latentman.put_texture_file": TAKES,
}


def place_of(operator: str) -> str:
    """The panel's name, as `ui.panel` has it, for an operator's `bl_idname`."""
    return PLACES.get(operator, GENERATE)
