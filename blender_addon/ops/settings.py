"""Presets, frames, the job file, and what would have to be made again."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import bpy
from bpy.props import StringProperty

from ..client.job_file import read_job_file, write_job_file
from ..client.request import PASSES_FOLDER
from ..passes.comparison import Known, PassComparison
from ..passes.launcher import PassRequest
from ..scene.properties import preset_field, settings_of
from ..scene.scene_job import (
    apply_preset,
    output_base,
    scene_frames,
    shot_file,
    store_settings,
    stored_template,
)
from ..shared.jobs.job import normal_job
from ..shot.generation import chosen_backend, known_jobs, why_no_shot
from ..shot.running import generation
from ..shot.takes_on_disk import has_take_of
from ..typed_bpy import Outcome, registration_of
from .base.reporting import allow, reported


class LATENTMAN_OT_apply_preset(bpy.types.Operator):
    """Use the preset's method and settings; everything else stays as it is"""

    bl_idname = "latentman.apply_preset"
    bl_label = "Apply Preset"
    bl_options = {"REGISTER", "UNDO"}

    preset: preset_field(options={"SKIP_SAVE"})  # the scene's if it is not given

    @reported
    def execute(self, context: Any) -> Outcome:
        """Set them."""
        if self.properties.is_property_set("preset"):
            settings_of(context.scene).preset = self.preset
        apply_preset(context.scene)
        return {"FINISHED"}


class LATENTMAN_OT_set_frames(bpy.types.Operator):
    """Generate only these frames in the next take; a longer take reuses them"""

    bl_idname = "latentman.set_frames"
    bl_label = "Set Frames"
    bl_options = {"REGISTER", "UNDO"}

    frames: StringProperty(
        name="Frames", description="Frames of the next take; the scene's range where empty", options={"SKIP_SAVE"}
    )

    def execute(self, context: Any) -> Outcome:
        """Set them."""
        settings_of(context.scene).frames = self.frames
        return {"FINISHED"}


class LATENTMAN_OT_reset_hidden(bpy.types.Operator):
    """Reset the settings that the panel does not show"""

    bl_idname = "latentman.reset_hidden"
    bl_label = "Reset Other Settings"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if there are any."""
        return allow(cls, "" if context.scene.latentman.other else "They are at their defaults")

    def execute(self, context: Any) -> Outcome:
        """Forget them."""
        context.scene.latentman.other = ""
        return {"FINISHED"}


class _JobFile:
    """An operator on a job file that is chosen in a file browser."""

    filepath: StringProperty(name="File", subtype="FILE_PATH")
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})

    def invoke(self, context: Any, event: Any) -> Outcome:
        """Ask for the file."""
        if not self.filepath:
            self.filepath = f"{Path(bpy.data.filepath).stem or 'shot'}.json"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}


class LATENTMAN_OT_save_job(_JobFile, bpy.types.Operator):
    """Save this shot as a job file: blender -b -c latentman --job FILE renders it"""

    bl_idname = "latentman.save_job"
    bl_label = "Save Job"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only in a saved file, which the job can name."""
        return allow(cls, "" if bpy.data.filepath else "Save the file first: the job names it")

    @reported
    def execute(self, context: Any) -> Outcome:
        """Write it."""
        path = Path(bpy.path.ensure_ext(bpy.path.abspath(self.filepath), ".json"))
        write_job_file(path, shot_file(context.scene, output_base(context, context.scene)))
        self.report({"INFO"}, f"Saved {path}; it uses the .blend as last saved")
        return {"FINISHED"}


class LATENTMAN_OT_load_job(_JobFile, bpy.types.Operator):
    """Load the settings from a job file, or from the job.json beside a result"""

    bl_idname = "latentman.load_job"
    bl_label = "Load Job"
    bl_options = {"REGISTER", "UNDO"}

    @reported
    def execute(self, context: Any) -> Outcome:
        """Read it into the scene's settings."""
        scene = context.scene
        shot = read_job_file(Path(bpy.path.abspath(self.filepath)))
        store_settings(scene, shot.job, shot.engine or scene.latentman.engine)
        return {"FINISHED"}


class LATENTMAN_OT_count_changes(bpy.types.Operator):
    """Count the passes that would be rendered and the frames that would be generated, without making them"""

    bl_idname = "latentman.count_changes"
    bl_label = "Count Changes"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if there is something to look at, and nothing under way."""
        current = generation()
        if current.running or (current.comparison is not None and current.comparison.running):
            return allow(cls, "Passes are being compared or rendered")
        return allow(cls, why_no_shot(context))

    @reported
    def execute(self, context: Any) -> Outcome:
        """Start the child; the timer takes what it finds."""
        scene = context.scene
        current, settings = generation(), scene.latentman
        base, frames = output_base(context, scene), scene_frames(scene)
        passes = PassRequest(base / PASSES_FOLDER, frames, settings.width, settings.height, settings.engine)
        if current.comparison is not None:
            current.comparison.close()
        job = normal_job(stored_template(scene, frames))
        known = Known(known_jobs(chosen_backend(context), base), partial(has_take_of, base, job))
        current.comparison = PassComparison.start(context, passes, job, known)
        return {"FINISHED"}


_CLASSES = (
    LATENTMAN_OT_apply_preset,
    LATENTMAN_OT_set_frames,
    LATENTMAN_OT_reset_hidden,
    LATENTMAN_OT_save_job,
    LATENTMAN_OT_load_job,
    LATENTMAN_OT_count_changes,
)

register, unregister = registration_of(*_CLASSES)
