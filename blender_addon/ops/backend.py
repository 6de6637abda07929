"""The backend by hand: start, stop, its log, the doctor, and the preferences that say where it is."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import StringProperty

from .. import __package__ as addon_name
from ..client.warm_backend import BackendState
from ..shared.errors import LatentManError
from ..shot.generation import backend_command, chosen_backend
from ..shot.running import generation, wake
from ..typed_bpy import Outcome, registration_of
from .base.reporting import allow, refuse, show_log_text

LOG_TEXT = "LatentMan backend.log"


class LATENTMAN_OT_start_backend(bpy.types.Operator):
    """Start the backend now, so that Generate does not have to wait for it"""

    bl_idname = "latentman.start_backend"
    bl_label = "Start Backend"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if none runs."""
        state = generation().backend.state
        return allow(cls, "" if state is BackendState.STOPPED else f"The backend is {state.value.lower()}")

    def execute(self, context: Any) -> Outcome:
        """Start it; the timer keeps the connection."""
        try:
            generation().start_backend(context)
        except LatentManError as error:
            return refuse(self, error)
        wake()
        return {"FINISHED"}


class LATENTMAN_OT_stop_backend(bpy.types.Operator):
    """Stop the backend and free its memory"""

    bl_idname = "latentman.stop_backend"
    bl_label = "Stop Backend"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if one runs and has nothing to do."""
        if generation().running:
            return allow(cls, "A shot is being generated; cancel it first")
        running = generation().backend.state not in (BackendState.STOPPED, BackendState.STOPPING)
        return allow(cls, "" if running else "The backend is not running")

    def execute(self, context: Any) -> Outcome:
        """Begin to end it, without waiting."""
        generation().backend.stop()
        wake()
        return {"FINISHED"}


class LATENTMAN_OT_release_memory(bpy.types.Operator):
    """Unload the backend's models to free their memory; the next job loads them again"""

    bl_idname = "latentman.release_memory"
    bl_label = "Release Memory"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if a model is loaded that nothing needs."""
        current = generation()
        if current.running:
            return allow(cls, "A shot is being generated, and its model is in use")
        if current.backend.state is not BackendState.READY:
            return allow(cls, "The backend is not running")
        loaded = any(memory.model_loaded for memory in current.backend.memory)
        return allow(cls, "" if loaded else "The backend has no model loaded")

    def execute(self, context: Any) -> Outcome:
        """Ask for it; the panel shows what is held then."""
        generation().backend.release_models()
        wake()
        return {"FINISHED"}


class LATENTMAN_OT_show_log(bpy.types.Operator):
    """Open the backend's log as a text, to read it in a text editor or copy it into a report"""

    bl_idname = "latentman.show_log"
    bl_label = "Open Log"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if the add-on has started a backend."""
        file = generation().log_file
        return allow(cls, "" if file is not None and file.is_file() else "The add-on has not started a backend yet")

    def execute(self, context: Any) -> Outcome:
        """Fill the text."""
        return show_log_text(self, generation().log_file, LOG_TEXT)


class LATENTMAN_OT_doctor(bpy.types.Operator):
    """Ask the backend's doctor what works on this machine, and what to do about the rest"""

    bl_idname = "latentman.doctor"
    bl_label = "Ask the Doctor"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """One at a time."""
        return allow(cls, "The doctor is running" if generation().doctor.running else "")

    def execute(self, context: Any) -> Outcome:
        """Start it; the timer takes the report."""
        try:
            generation().doctor.ask(backend_command(chosen_backend(context)))
        except LatentManError as error:
            return refuse(self, error)
        wake()
        return {"FINISHED"}


class LATENTMAN_OT_open_preferences(bpy.types.Operator):
    """Open this add-on's preferences: the backend, models and output"""

    bl_idname = "latentman.open_preferences"
    bl_label = "Open Preferences"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Not in the background: there is no window."""
        return allow(cls, "Blender runs without a window" if bpy.app.background else "")

    def execute(self, context: Any) -> Outcome:
        """Open the window at the add-on."""
        bpy.ops.preferences.addon_show(module=addon_name)
        return {"FINISHED"}


class LATENTMAN_OT_clear_error(bpy.types.Operator):
    """Dismiss this message"""

    bl_idname = "latentman.clear_error"
    bl_label = "Dismiss"

    place: StringProperty(name="Panel", description="The panel that shows it", options={"SKIP_SAVE"})

    def execute(self, context: Any) -> Outcome:
        """Forget it."""
        generation().problems.clear(self.place)
        return {"FINISHED"}


_CLASSES = (
    LATENTMAN_OT_start_backend,
    LATENTMAN_OT_stop_backend,
    LATENTMAN_OT_release_memory,
    LATENTMAN_OT_show_log,
    LATENTMAN_OT_doctor,
    LATENTMAN_OT_open_preferences,
    LATENTMAN_OT_clear_error,
)

register, unregister = registration_of(*_CLASSES)
