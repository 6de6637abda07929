"""The user's models: listed in the preferences, checked file by file, chosen for a scene."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty

from ..scene.known_models import KnownModel, model_name
from ..scene.preferences import addon_preferences, stored_preferences
from ..scene.scene_job import store_model
from ..shared.errors import LatentManError
from ..shared.files.weight_header import WEIGHT_SUFFIXES
from ..shared.models.files import EMBEDDED, ModelFiles
from ..shot.running import generation, wake
from ..typed_bpy import Outcome, registration_of
from .base.reporting import allow, refuse


class _AddModel:
    """An operator that adds what is chosen in a file browser."""

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if the add-on has preferences."""
        return allow(cls, "" if addon_preferences(context) else "The add-on is not enabled in the preferences")

    def invoke(self, context: Any, event: Any) -> Outcome:
        """Ask for it."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def add(self, context: Any, path: Path) -> Outcome:
        """Add it, and look at its files."""
        preferences = addon_preferences(context)
        entry = preferences.models.add()
        entry.name, entry.path = model_name(str(path)), str(path)
        preferences.model_index = len(preferences.models) - 1
        context.preferences.is_dirty = True
        return {"FINISHED"}


class LATENTMAN_OT_add_model_folder(_AddModel, bpy.types.Operator):
    """Add a model that is a folder in diffusers' layout, with each part in its own folder"""

    bl_idname = "latentman.add_model_folder"
    bl_label = "Add Model Folder"
    bl_options = {"INTERNAL"}

    directory: StringProperty(name="Folder", subtype="DIR_PATH", options={"SKIP_SAVE"})
    filter_folder: BoolProperty(default=True, options={"HIDDEN"})

    def execute(self, context: Any) -> Outcome:
        """Add it."""
        return self.add(context, Path(bpy.path.abspath(self.directory)))


class LATENTMAN_OT_add_model_file(_AddModel, bpy.types.Operator):
    """Add a model that is one file, a checkpoint"""

    bl_idname = "latentman.add_model_file"
    bl_label = "Add Model File"
    bl_options = {"INTERNAL"}

    filepath: StringProperty(name="File", subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: StringProperty(default=";".join(f"*{suffix}" for suffix in WEIGHT_SUFFIXES), options={"HIDDEN"})

    def execute(self, context: Any) -> Outcome:
        """Add it."""
        return self.add(context, Path(bpy.path.abspath(self.filepath)))


class _ForMarked:
    """An operator for the model that is marked in the list."""

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if one is marked."""
        return allow(cls, "" if _marked(context) else "No model is selected")


class LATENTMAN_OT_remove_model(_ForMarked, bpy.types.Operator):
    """Remove the model from the list; its files are not deleted"""

    bl_idname = "latentman.remove_model"
    bl_label = "Remove Model"
    bl_options = {"INTERNAL"}

    def execute(self, context: Any) -> Outcome:
        """Take it off."""
        preferences = addon_preferences(context)
        preferences.models.remove(preferences.model_index)
        preferences.model_index = max(0, preferences.model_index - 1)
        context.preferences.is_dirty = True
        return {"FINISHED"}


class LATENTMAN_OT_check_model(_ForMarked, bpy.types.Operator):
    """Check that each file of the model is present, complete and of the right kind. No weights are loaded"""

    bl_idname = "latentman.check_model"
    bl_label = "Check Files"
    bl_options = {"INTERNAL"}

    def execute(self, context: Any) -> Outcome:
        """Start looking; the timer takes what is found."""
        marked = _marked(context)
        if marked is not None:
            generation().models.ask(marked)
            wake()
        return {"FINISHED"}


class LATENTMAN_OT_choose_model(bpy.types.Operator):
    """Use this model in the scene"""

    bl_idname = "latentman.choose_model"
    bl_label = "Use in This Scene"
    bl_options = {"REGISTER", "UNDO"}

    model: StringProperty(name="Model", description="Where the model is", options={"SKIP_SAVE"})

    def execute(self, context: Any) -> Outcome:
        """Use it, and look at its files."""
        known = next((one for one in stored_preferences(context).models if one.path == self.model), None)
        if known is None and self.model != EMBEDDED:
            self.report({"ERROR"}, f"{self.model!r} is not on the list of models in the preferences.")
            return {"CANCELLED"}
        try:
            store_model(context.scene, self.model, ModelFiles() if known is None else known.files)
        except LatentManError as error:
            return refuse(self, error)
        if known is not None:
            generation().models.ask(known)
            wake()
        return {"FINISHED"}


def _marked(context: Any) -> KnownModel | None:
    """The selected model in the preferences' list."""
    preferences = addon_preferences(context)
    listed = stored_preferences(context).models
    return listed[preferences.model_index] if preferences and 0 <= preferences.model_index < len(listed) else None


_CLASSES = (
    LATENTMAN_OT_add_model_folder,
    LATENTMAN_OT_add_model_file,
    LATENTMAN_OT_remove_model,
    LATENTMAN_OT_check_model,
    LATENTMAN_OT_choose_model,
)

register, unregister = registration_of(*_CLASSES)
