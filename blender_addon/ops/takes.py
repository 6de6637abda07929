"""Takes against each other, and back from a take to its settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import StringProperty

from ..scene.scene_job import output_base, store_settings
from ..shared.errors import InputError, LatentManError
from ..shot.running import generation
from ..shot.takes_on_disk import finished_takes
from ..shot.unfinished_takes import delete_take, unfinished_folder
from ..timeline.compare import clear_background, other_take, set_background, show_only
from ..timeline.take import ENGINE, Take, add_take, find_take, remove_takes, take_job, take_named, takes
from ..typed_bpy import Outcome, registration_of
from .base.reporting import allow, refuse, reported


class _OfTake:
    """An operator on one take, which is named."""

    take: StringProperty(name="Take", description="Name of the take's strip", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if there is a take."""
        return allow(cls, "" if takes(context.scene) else "There is no take yet: press Generate")

    @reported
    def execute(self, context: Any) -> Outcome:
        """Do it."""
        self.act(context.scene, self.take)
        return {"FINISHED"}

    def act(self, scene: Any, take: str) -> None:
        """What is done with the take."""
        raise NotImplementedError


class LATENTMAN_OT_show_take(_OfTake, bpy.types.Operator):
    """Show this take and mute the others"""

    bl_idname = "latentman.show_take"
    bl_label = "Show Take"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, scene: Any, take: str) -> None:
        """Show it alone."""
        show_only(scene, take)


class LATENTMAN_OT_redo_take(_OfTake, bpy.types.Operator):
    """Copy this take's settings back into the scene: prompt, seed, method, frames and the rest"""

    bl_idname = "latentman.redo_take"
    bl_label = "Use Settings"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, scene: Any, take: str) -> None:
        """Copy them."""
        strip = take_named(scene, take)
        store_settings(scene, take_job(strip), str(strip.get(ENGINE, "cycles")))


class LATENTMAN_OT_take_background(_OfTake, bpy.types.Operator):
    """Show this take behind the camera's view, to line the rig up with it"""

    bl_idname = "latentman.take_background"
    bl_label = "Camera Background"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, scene: Any, take: str) -> None:
        """Make it the background."""
        set_background(scene, take)


class LATENTMAN_OT_clear_background(bpy.types.Operator):
    """Remove the take from behind the camera's view"""

    bl_idname = "latentman.clear_background"
    bl_label = "Clear Background"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if there is a camera."""
        return allow(cls, "" if context.scene.camera is not None else "The scene has no camera")

    def execute(self, context: Any) -> Outcome:
        """Remove it."""
        clear_background(context.scene)
        return {"FINISHED"}


class LATENTMAN_OT_compare_takes(bpy.types.Operator):
    """Switch to the take that was shown before; press again to switch back"""

    bl_idname = "latentman.compare_takes"
    bl_label = "A/B"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if there are two."""
        return allow(cls, "" if other_take(context.scene) else "Two takes are needed to compare")

    @reported
    def execute(self, context: Any) -> Outcome:
        """Change over."""
        show_only(context.scene, other_take(context.scene))
        return {"FINISHED"}


class LATENTMAN_OT_find_takes(bpy.types.Operator):
    """Add finished takes of the output folder that are missing on the timeline, for example after a crash"""

    bl_idname = "latentman.find_takes"
    bl_label = "Find Takes"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Not while a take is being made."""
        return allow(cls, "A shot is being generated" if generation().running else "")

    @reported
    def execute(self, context: Any) -> Outcome:
        """Look, and add them."""
        scene, added = context.scene, 0
        for found in finished_takes(output_base(context, scene)):
            if find_take(scene, found.folder) is None:
                add_take(scene, Take(found.folder, found.job, found.job_id, found.engine, found.notes))
                added += 1
        self.report({"INFO"}, f"Takes added to the timeline: {added}")
        return {"FINISHED"}


class LATENTMAN_OT_delete_take(bpy.types.Operator):
    """Delete an unfinished take: its folder, its frames and its strip"""

    bl_idname = "latentman.delete_take"
    bl_label = "Delete Unfinished Take"
    bl_options = {"REGISTER", "UNDO"}

    take: StringProperty(name="Take", description='Name of its folder, "take-002"', options={"SKIP_SAVE"})

    def invoke(self, context: Any, event: Any) -> Outcome:
        """Ask first, and name what is deleted."""
        try:
            folder = self._folder(context)
        except LatentManError as error:
            return refuse(self, error)
        outcome: Outcome = context.window_manager.invoke_confirm(
            self,
            event,
            title=f"Delete {folder.name}?",
            message=f"The folder {folder}, its frames and its strip are deleted. Undo does not bring the files back.",
            confirm_text="Delete",
            icon="WARNING",
        )
        return outcome

    @reported
    def execute(self, context: Any) -> Outcome:
        """Delete it."""
        folder = self._folder(context)
        try:
            delete_take(folder)
        finally:
            generation().takes.unfinished.forget()
        remove_takes(context.scene, folder)
        self.report({"INFO"}, f"{folder} was deleted")
        return {"FINISHED"}

    def _folder(self, context: Any) -> Path:
        """The take's folder. Raises InputError if the take is not named, finished, under way or not there."""
        if not self.take:
            raise InputError("take.none", "No take is named.", "Name the take to delete.")
        return unfinished_folder(output_base(context, context.scene), self.take, generation().under_way)


_CLASSES = (
    LATENTMAN_OT_show_take,
    LATENTMAN_OT_redo_take,
    LATENTMAN_OT_take_background,
    LATENTMAN_OT_clear_background,
    LATENTMAN_OT_compare_takes,
    LATENTMAN_OT_find_takes,
    LATENTMAN_OT_delete_take,
)

register, unregister = registration_of(*_CLASSES)
