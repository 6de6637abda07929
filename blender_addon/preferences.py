"""The add-on's preferences: how its backend is found, what it runs on, and where results go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

DEFAULT_OUTPUT = "//latentman"
_DEVICE_ITEMS = (
    ("auto", "Automatic", "A graphics card where there is one"),
    ("cpu", "CPU", "The processor, although there may be a graphics card"),
)


class LatentManPreferences(bpy.types.AddonPreferences):
    """Backend, device, output folder, and the doctor."""

    bl_idname = __package__

    backend: StringProperty(
        name="Backend",
        description="Command that starts the backend, for example the path of `latentman`; found by itself where empty",
    )
    connection: StringProperty(
        name="Connection file",
        description="Written by `latentman serve --connection-file`; for a backend that already runs",
        subtype="FILE_PATH",
    )
    device: EnumProperty(
        name="Device", description="What a backend started by the add-on runs on", items=_DEVICE_ITEMS, default="auto"
    )
    output: StringProperty(
        name="Output",
        description="Output folder of scenes that name none; BLEND and SCENE stand for the names of file and scene",
        default=DEFAULT_OUTPUT,
    )

    notify: BoolProperty(
        name="Notify",
        description="A notification on the desktop when a shot of over a minute has ended. It needs notify-send on "
        "Linux, PowerShell on Windows, osascript on macOS; without them the status bar alone says it",
        default=True,
    )

    def draw(self, context: Any) -> None:
        """Draw the fields, and what the doctor says."""
        from .ui.preferences import draw_preferences

        draw_preferences(self.layout, self)


@dataclass(frozen=True, slots=True)
class StoredPreferences:
    """The stored choices; empty strings where nothing is set."""

    backend: str = ""
    connection: str = ""
    device: str = "auto"
    output: str = DEFAULT_OUTPUT
    notify: bool = True


def stored_preferences(context: Any) -> StoredPreferences:
    """The user's choices; the defaults where the add-on is not enabled as an add-on (batch, tests)."""
    addon = context.preferences.addons.get(__package__)
    if addon is None or addon.preferences is None:
        return StoredPreferences()
    own = addon.preferences
    return StoredPreferences(own.backend, own.connection, own.device, own.output, own.notify)


register, unregister = bpy.utils.register_classes_factory((LatentManPreferences,))
