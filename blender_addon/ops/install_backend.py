"""The backend's place: chosen, installed, removed."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
from bpy.props import StringProperty

from ..client.backend_command import parse_backend_command
from ..client.install_steps import InstallOrder, by_hand, wheel_name
from ..client.own_environment import drop_environment, own_environment
from ..client.warm_backend import BackendState
from ..scene.preferences import addon_preferences
from ..shared.errors import LatentManError
from ..shared.files.frame_files import storage_error
from ..shared.version import VERSION
from ..shot.generation import BY_HAND_FOLDER, CHECKOUT, environments_folder
from ..shot.running import generation, wake
from ..typed_bpy import Outcome, registration_of
from .base.reporting import allow, refuse, show_log_text

LOG_TEXT = "LatentMan installation.log"
_DIALOG_WIDTH = 420
_BLOCKING_SLEEP_S = 0.02
_NOT_ENABLED = "The add-on is not enabled in the preferences"


class LATENTMAN_OT_choose_backend(bpy.types.Operator):
    """Choose the latentman program, or the folder of its environment"""

    bl_idname = "latentman.choose_backend"
    bl_label = "Choose Backend"
    bl_options = {"INTERNAL"}

    filepath: StringProperty(name="Backend", subtype="FILE_PATH", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if the add-on has preferences."""
        return allow(cls, "" if addon_preferences(context) else _NOT_ENABLED)

    def invoke(self, context: Any, event: Any) -> Outcome:
        """Ask for it."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> Outcome:
        """Take it, where it leads to a backend."""
        path = bpy.path.abspath(self.filepath)
        try:
            parse_backend_command(path)
        except LatentManError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        addon_preferences(context).backend = path
        context.preferences.is_dirty = True
        return {"FINISHED"}


class LATENTMAN_OT_install_backend(bpy.types.Operator):
    """Install the backend into its own environment, in this add-on's folder"""

    bl_idname = "latentman.install_backend"
    bl_label = "Install Backend"

    filepath: StringProperty(name="Package", subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: StringProperty(default="*.whl", options={"HIDDEN"})

    @classmethod
    def poll(cls, context: Any) -> bool:
        """One at a time, and not while the backend works."""
        current = generation()
        if current.install.running:
            return allow(cls, "The backend is being installed")
        return allow(cls, "A shot is being generated; cancel it first" if current.running else "")

    def invoke(self, context: Any, event: Any) -> Outcome:
        """Ask first: for the file, if none is chosen yet, else whether to begin: it is a large download."""
        order = install_order(context)
        if not order.package and addon_preferences(context):
            self.filepath = wheel_name(order.version)
            context.window_manager.fileselect_add(self)
            return {"RUNNING_MODAL"}
        return set(context.window_manager.invoke_props_dialog(self, width=_DIALOG_WIDTH))

    def draw(self, context: Any) -> None:
        """Say what it takes."""
        order = install_order(context)
        layout: Any = self.layout
        if not order.package:
            layout.label(text=f"Choose {wheel_name(order.version)}")
        layout.label(text=f"Downloads torch and other packages; about {order.needed_bytes / 1e9:.0f} GB must be free.")
        layout.label(text=f"Folder: {order.root}")

    def execute(self, context: Any) -> Outcome:
        """Begin; the timer goes on. Scripts in the background come back when it has ended."""
        order = install_order(context)
        if self.filepath:
            order = replace(order, package=bpy.path.abspath(self.filepath))
            _keep_package(context, order.package)
        install = generation().install
        install.start(order)
        while bpy.app.background and install.running:
            install.step()
            time.sleep(_BLOCKING_SLEEP_S)
        wake()
        if install.error is not None:
            self.report({"ERROR"}, str(install.error))  # the preferences and the panel show it with its buttons
            return {"CANCELLED"}
        return {"FINISHED"}


class LATENTMAN_OT_cancel_install(bpy.types.Operator):
    """Stop installing the backend, and remove what was installed so far"""

    bl_idname = "latentman.cancel_install"
    bl_label = "Cancel Installation"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only while it runs."""
        return allow(cls, "" if generation().install.running else "Nothing is being installed")

    def execute(self, context: Any) -> Outcome:
        """Stop it."""
        generation().install.close()
        wake()
        return {"FINISHED"}


class LATENTMAN_OT_remove_backend(bpy.types.Operator):
    """Remove the backend that the add-on has installed, with all its packages"""

    bl_idname = "latentman.remove_backend"
    bl_label = "Remove Installed Backend"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if there is one, and it does not run."""
        current = generation()
        if current.install.running:
            return allow(cls, "The backend is being installed")
        if current.running or current.backend.state is not BackendState.STOPPED:
            return allow(cls, "The backend is running; stop it first")
        there = own_environment(environments_folder()) is not None
        return allow(cls, "" if there else "The add-on has not installed a backend")

    def invoke(self, context: Any, event: Any) -> Outcome:
        """Ask first."""
        return set(context.window_manager.invoke_confirm(self, event))

    def execute(self, context: Any) -> Outcome:
        """Remove it; the files go while Blender goes on."""
        root = environments_folder()
        try:
            drop_environment(root)
        except OSError as error:
            return refuse(self, storage_error(error, root))
        generation().version.forget()
        wake()
        return {"FINISHED"}


class LATENTMAN_OT_copy_install_commands(bpy.types.Operator):
    """Copy the commands that install the backend, to run them in a terminal"""

    bl_idname = "latentman.copy_install_commands"
    bl_label = "Copy Commands"

    def execute(self, context: Any) -> Outcome:
        """Copy them."""
        try:
            context.window_manager.clipboard = by_hand(install_order(context), BY_HAND_FOLDER)
        except LatentManError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, "The commands were copied to the clipboard")
        return {"FINISHED"}


class LATENTMAN_OT_show_install_log(bpy.types.Operator):
    """Open the log of the last installation as a text"""

    bl_idname = "latentman.show_install_log"
    bl_label = "Open Log"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if something was installed since Blender was started."""
        file = generation().install.log_file
        there = file is not None and file.is_file()
        return allow(cls, "" if there else "Nothing has been installed since Blender started")

    def execute(self, context: Any) -> Outcome:
        """Fill the text."""
        return show_log_text(self, generation().install.log_file, LOG_TEXT)


def _keep_package(context: Any, package: str) -> None:
    """Name the package in the preferences, for the next time; the bpy module may have none."""
    own = addon_preferences(context)
    if own is not None:
        own.package = package
        context.preferences.is_dirty = True


def install_order(context: Any) -> InstallOrder:
    """What the preferences ask for; the project itself where the add-on runs from it and no package is named."""
    own = addon_preferences(context)
    project = str(CHECKOUT) if (CHECKOUT / "backend" / "__main__.py").is_file() else ""
    if own is None:
        return InstallOrder(environments_folder(), VERSION, package=project)
    package = str(Path(bpy.path.abspath(own.package))) if own.package else project
    return InstallOrder(environments_folder(), VERSION, package=package, index=own.package_index.strip(), card=own.card)


_CLASSES = (
    LATENTMAN_OT_choose_backend,
    LATENTMAN_OT_install_backend,
    LATENTMAN_OT_cancel_install,
    LATENTMAN_OT_remove_backend,
    LATENTMAN_OT_copy_install_commands,
    LATENTMAN_OT_show_install_log,
)

register, unregister = registration_of(*_CLASSES)
