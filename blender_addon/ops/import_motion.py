"""Import a motion file as a character."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, CollectionProperty, IntProperty, StringProperty

from ..look.camera import frame_shot, look_through
from ..rig.character import NOTES, WARNINGS, characters
from ..rig.import_character import ImportOptions, import_character, scene_betas, scene_body
from ..scene.properties import motion_fps_field, motion_start_field, motion_up_field
from ..scene_time import scene_range
from ..shared.errors import InputError, LatentManError
from ..shared.motion import SUFFIXES
from ..shared.motion.samples import sample_at
from ..shot.running import wake
from ..typed_bpy import Outcome, registration_of
from .base.reporting import refuse, reported
from .picture_size import adopt, adopted

_GLOB = ";".join(f"*{form}" for suffix in SUFFIXES for form in (suffix, suffix.upper()))


class LATENTMAN_OT_import_motion(bpy.types.Operator):
    """Import a motion file as a character with ordinary keyframes"""

    bl_idname = "latentman.import_motion"
    bl_label = "Import Motion"
    bl_options = {"REGISTER", "UNDO"}

    # Nothing of one file is remembered for the next import: neither its place nor what was said of it.
    filepath: StringProperty(name="File", subtype="FILE_PATH", options={"SKIP_SAVE"})
    directory: StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"})
    files: CollectionProperty(type=bpy.types.OperatorFileListElement, options={"HIDDEN", "SKIP_SAVE"})
    filter_glob: StringProperty(default=_GLOB, options={"HIDDEN"})
    sample: IntProperty(
        name="Sample",
        description="Which motion to import from a file that has several",
        default=0,
        min=0,
        options={"SKIP_SAVE"},
    )
    repetition: IntProperty(
        name="Repetition",
        description="Which repetition of a generated sample",
        default=0,
        min=0,
        options={"SKIP_SAVE"},
    )
    fps: motion_fps_field(options={"SKIP_SAVE"})
    up: motion_up_field(options={"SKIP_SAVE"})
    start_frame: motion_start_field(options={"SKIP_SAVE"})  # the scene's first frame if it is not given
    beside: BoolProperty(
        name="Beside Others",
        description="Move the character sideways if it would stand inside another",
        default=True,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def description(cls, context: Any, properties: Any) -> str:
        """What a button says of itself: of a sample what it shows."""
        sample = sample_at(Path(properties.filepath)) if properties.filepath else None
        return (cls.__doc__ or "") if sample is None else f"{sample.description}. {sample.seconds:g} seconds"

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if objects can be made."""
        if context.mode != "OBJECT":
            cls.poll_message_set("Switch to Object Mode first")
            return False
        return True

    def invoke(self, context: Any, event: Any) -> Outcome:
        """Ask for files, where the caller names none: by a drop into the 3D view, or a menu's entry."""
        self._take_from_scene(context.scene)
        if self.filepath or self.files:
            return self.execute(context)
        self.filepath = bpy.path.abspath(context.scene.latentman.motion_path)  # where the browser begins
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @reported
    def execute(self, context: Any) -> Outcome:
        """Read each file, make its character, and frame them where the scene has no camera of the user's.

        Of several files those that are motions are imported, and each of the others is named.
        """
        scene = context.scene
        self._take_from_scene(scene)
        made = []
        for path in self._paths(scene):
            try:
                made.append(self._import(scene, path))
            except LatentManError as error:
                refuse(self, error)
        if not made:
            return {"CANCELLED"}
        if adopt(scene):  # not before: an operator that is cancelled leaves no step to undo
            self.report({"INFO"}, adopted(scene))
        try:
            _frame(context, made[-1])
        except LatentManError as error:
            refuse(self, error)
        _select(context, made)
        wake()
        return {"FINISHED"}

    def _paths(self, scene: Any) -> list[Path]:
        """The files that were chosen or dropped; called without one, the file of the last import."""
        named = [os.path.join(self.directory, one.name) for one in self.files if one.name]
        texts = named or [self.filepath or scene.latentman.motion_path]
        if not texts[0]:
            raise InputError("motion.no_file", "No motion file was chosen.", "Choose one.")
        return [Path(os.path.expanduser(bpy.path.abspath(text))) for text in texts]

    def _import(self, scene: Any, path: Path) -> Any:
        """The armature of one file; its notes are reported. Raises LatentManError, and nothing is made then."""
        options = ImportOptions(
            self.sample, self.repetition, self.fps or None, self.up, self.start_frame, scene_betas(scene), self.beside
        )
        armature = import_character(scene, path, scene_body(scene), options)
        armature.latentman_open = len(characters(scene)) == 1
        if sample_at(path) is None:
            scene.latentman.motion_path = str(path)
        warnings = json.loads(armature[WARNINGS])
        for note in json.loads(armature[NOTES]):
            self.report({"WARNING" if note in warnings else "INFO"}, note)
        return armature

    def _take_from_scene(self, scene: Any) -> None:
        """What the caller does not say is taken from the panel's fields, and shown in the redo panel."""
        settings = scene.latentman
        start = settings.motion_start if settings.own_start else scene.frame_start
        for name, value in (("fps", settings.motion_fps), ("up", settings.motion_up), ("start_frame", start)):
            if not self.properties.is_property_set(name):
                setattr(self, name, value)


def _frame(context: Any, armature: Any) -> None:
    """Have a camera of our own see the new character and the others, and show the user what it sees."""
    scene = context.scene
    others = tuple(one.armature for one in characters(scene) if one.armature != armature)
    size = scene.latentman.width, scene.latentman.height
    look_through(context, frame_shot(scene, armature, tuple(scene_range(scene)), size=size, also=others))


def _select(context: Any, armatures: list[Any]) -> None:
    """Leave the new characters selected and the last one active, as importers do: the next step is to pose it."""
    for item in context.view_layer.objects:
        item.select_set(item in armatures)
    if armatures[-1].name in context.view_layer.objects:
        context.view_layer.objects.active = armatures[-1]


class LATENTMAN_FH_motion(bpy.types.FileHandler):
    """Motion files that are dropped into a 3D view are imported"""

    bl_idname = "LATENTMAN_FH_motion"
    bl_label = "Motion as a Character"
    bl_import_operator = "latentman.import_motion"
    bl_file_extensions = ";".join(SUFFIXES)

    @classmethod
    def poll_drop(cls, context: Any) -> bool:
        """Only in a 3D view."""
        return context.area is not None and context.area.type == "VIEW_3D"


def _draw_in_file_menu(menu: Any, context: Any) -> None:
    """The entry of File > Import."""
    menu.layout.operator("latentman.import_motion", text="Motion as a Character (LatentMan)")


_register, _unregister = registration_of(LATENTMAN_OT_import_motion, LATENTMAN_FH_motion)


def register() -> None:
    """Add the operator, what may be dropped, and the entry of File > Import."""
    _register()
    bpy.types.TOPBAR_MT_file_import.append(_draw_in_file_menu)


def unregister() -> None:
    """Take them back."""
    bpy.types.TOPBAR_MT_file_import.remove(_draw_in_file_menu)
    _unregister()
