"""The add-on's preferences: how its backend is found, what it runs on, the user's models, where results go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, IntProperty, StringProperty

from .. import __package__ as addon_name
from ..client.install_steps import ANY_CARD, CPU, NVIDIA
from ..shared.models.files import ModelFiles, place_of
from ..shared.models.table import CHECKPOINT_KINDS, SINGLE_PLACES
from ..typed_bpy import registration_of
from .known_models import KnownModel

DEFAULT_OUTPUT = "//latentman"
_DEVICE_ITEMS = (
    ("auto", "Automatic", "A graphics card if there is one"),
    ("cpu", "CPU", "The processor, even if there is a graphics card"),
)
_CARD_ITEMS = (
    (ANY_CARD, "Automatic", "Whichever torch the package index has"),
    (NVIDIA, "NVIDIA", "The installation fails if torch finds no NVIDIA card"),
    (
        CPU,
        "CPU",
        "The installation is checked without a card, and takes less space if Package Index has torch for CPUs",
    ),
)


def _mark(model: Any, context: Any) -> None:
    """Another path was entered."""
    model.changed = True


def _path(name: str, description: str, subtype: Literal["FILE_PATH", "DIR_PATH"] = "FILE_PATH") -> Any:
    return StringProperty(name=name, description=description, subtype=subtype, update=_mark)


class LatentManModel(bpy.types.PropertyGroup):
    """A model of the user's own, and a field for each place that a model family declares."""

    name: StringProperty(name="Name", description="What the panel calls it")
    changed: BoolProperty(options={"HIDDEN", "SKIP_SAVE"})  # its files are to be looked at (`take_changed_models`)
    path: _path("Model", f"A folder in diffusers' layout, or {CHECKPOINT_KINDS}")


LatentManModel.__annotations__.update(
    {
        place.name: _path(place.label, place.description, "DIR_PATH" if place.folder_of else "FILE_PATH")
        for place in SINGLE_PLACES
    }
)


class PreferenceFields:
    """The fields of the add-on's preferences; `ui.preferences` registers them with the class that draws them."""

    backend: StringProperty(
        name="Backend",
        description="The latentman program, or the Python or the folder of the environment that it is installed "
        "in. Empty: the add-on looks for it",
    )
    package: StringProperty(
        name="Package",
        description="The file to install the backend from: the wheel that comes with the add-on's zip, or the "
        "project's folder",
        subtype="FILE_PATH",
    )
    package_index: StringProperty(
        name="Package Index",
        description="Address of another package index, for example one that has torch for your graphics card",
    )
    card: EnumProperty(
        name="Graphics Card", description="What the installed backend must be able to use", items=_CARD_ITEMS
    )
    connection: StringProperty(
        name="Connection File",
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
        description="Show a desktop notification when a shot of over a minute has ended. It needs notify-send on "
        "Linux, PowerShell on Windows, osascript on macOS; without them only the status bar says it",
        default=True,
    )

    models: CollectionProperty(type=LatentManModel)
    model_index: IntProperty(name="Model", description="The selected model")


@dataclass(frozen=True, slots=True)
class StoredPreferences:
    """The stored choices; empty strings where nothing is set."""

    backend: str = ""
    connection: str = ""
    device: str = "auto"
    output: str = DEFAULT_OUTPUT
    notify: bool = True
    models: tuple[KnownModel, ...] = ()


def stored_preferences(context: Any) -> StoredPreferences:
    """The user's choices; the defaults where the add-on is not enabled as an add-on (batch, tests)."""
    own = addon_preferences(context)
    if own is None:
        return StoredPreferences()
    models = tuple(known_model(model) for model in own.models)
    return StoredPreferences(own.backend, own.connection, own.device, own.output, own.notify, models)


def addon_preferences(context: Any) -> Any:
    """The preferences themselves, to change them; None if the add-on is not enabled as an add-on."""
    addon = context.preferences.addons.get(addon_name)
    return None if addon is None else addon.preferences


def take_changed_models(context: Any) -> tuple[KnownModel, ...]:
    """The models of which another path was entered since the last call."""
    own = addon_preferences(context)
    marked = [] if own is None else [model for model in own.models if model.changed]
    for model in marked:
        model.changed = False
    return tuple(known_model(model) for model in marked)


def known_model(model: Any) -> KnownModel:
    """An entry of the preferences' list as plain values."""
    named: dict[str, Any] = {place.name: _normal(getattr(model, place.name)) for place in SINGLE_PLACES}
    return KnownModel(model.name, _normal(model.path), ModelFiles(**named))


def _normal(path: str) -> str:
    """A path as jobs name it: absolute, and without the slash that a chosen folder ends in."""
    return place_of(str(Path(bpy.path.abspath(path))), Path.cwd()) if path else ""


register, unregister = registration_of(LatentManModel)
