"""The add-on's preferences: how its backend is found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
from bpy.props import StringProperty


class LatentManPreferences(bpy.types.AddonPreferences):
    """Where the backend is."""

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

    def draw(self, context: Any) -> None:
        """Draw the two fields."""
        self.layout.prop(self, "backend")
        self.layout.prop(self, "connection")


@dataclass(frozen=True, slots=True)
class BackendPreference:
    """The stored choice; empty strings where nothing is set."""

    backend: str
    connection: str


def backend_preference(context: Any) -> BackendPreference:
    """The user's choice of backend; empty where the add-on is not enabled as an add-on (batch, tests)."""
    addon = context.preferences.addons.get(__package__)
    if addon is None or addon.preferences is None:
        return BackendPreference("", "")
    return BackendPreference(addon.preferences.backend, addon.preferences.connection)


def register() -> None:
    """Register the preferences."""
    bpy.utils.register_class(LatentManPreferences)


def unregister() -> None:
    """Take the preferences back."""
    bpy.utils.unregister_class(LatentManPreferences)
