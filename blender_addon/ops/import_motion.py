"""Import a motion file as a character."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import bpy
from bpy.props import IntProperty, StringProperty

from ..look.camera import frame_shot
from ..rig.character import NOTES, WARNINGS
from ..rig.import_character import ImportOptions, import_character, scene_betas, scene_body
from ..scene.properties import motion_fps_field, motion_start_field, motion_up_field
from ..scene_time import scene_range
from ..shared.errors import InputError, LatentManError
from ..shared.motion import SUFFIXES
from ..shot.running import wake
from ..typed_bpy import Outcome, registration_of
from .reporting import refuse, reported

_GLOB = ";".join(f"*{form}" for suffix in SUFFIXES for form in (suffix, suffix.upper()))


class LATENTMAN_OT_import_motion(bpy.types.Operator):
    """Import a motion file as a character with ordinary keyframes"""

    bl_idname = "latentman.import_motion"
    bl_label = "Import Motion"
    bl_options = {"REGISTER", "UNDO"}

    filepath: StringProperty(name="File", subtype="FILE_PATH")
    filter_glob: StringProperty(default=_GLOB, options={"HIDDEN"})
    # One file's answers are no other file's: nothing is remembered for the next import.
    sample: IntProperty(
        name="Sample", description="Which motion of a file that holds several", default=0, min=0, options={"SKIP_SAVE"}
    )
    repetition: IntProperty(
        name="Repetition",
        description="Which of the generated repetitions of a sample",
        default=0,
        min=0,
        options={"SKIP_SAVE"},
    )
    fps: motion_fps_field(options={"SKIP_SAVE"})
    up: motion_up_field(options={"SKIP_SAVE"})
    start_frame: motion_start_field(options={"SKIP_SAVE"})  # the scene's first frame where it is not given

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where objects can be made."""
        if context.mode != "OBJECT":
            cls.poll_message_set("Switch to Object Mode first")
            return False
        return True

    def invoke(self, context: Any, event: Any) -> Outcome:
        """Ask for a file, or take the one named in the panel."""
        self._take_from_scene(context.scene)
        self.filepath = bpy.path.abspath(context.scene.latentman.motion_path)
        if self.filepath:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @reported
    def execute(self, context: Any) -> Outcome:
        """Read, make the character, and frame it where the scene has no camera."""
        scene = context.scene
        self._take_from_scene(scene)
        if not self.filepath:
            return refuse(self, InputError("motion.no_file", "No motion file was chosen.", "Choose one."))
        path = Path(os.path.expanduser(bpy.path.abspath(self.filepath)))
        options = ImportOptions(
            self.sample, self.repetition, self.fps or None, self.up, self.start_frame, scene_betas(scene)
        )
        try:
            armature = import_character(scene, path, scene_body(scene), options)
            size = scene.latentman.width, scene.latentman.height
            frame_shot(scene, armature, tuple(scene_range(scene)), size=size)
        except LatentManError as error:
            return refuse(self, error)
        _select(context, armature)
        wake()
        warnings = json.loads(armature[WARNINGS])
        for note in json.loads(armature[NOTES]):
            self.report({"WARNING" if note in warnings else "INFO"}, note)
        return {"FINISHED"}

    def _take_from_scene(self, scene: Any) -> None:
        """What the caller does not say is taken from the panel's fields, and shown in the redo panel."""
        settings = scene.latentman
        start = settings.motion_start if settings.own_start else scene.frame_start
        for name, value in (("fps", settings.motion_fps), ("up", settings.motion_up), ("start_frame", start)):
            if not self.properties.is_property_set(name):
                setattr(self, name, value)


def _select(context: Any, armature: Any) -> None:
    """Leave the new character selected and active, as importers do: the next step is to pose it."""
    for item in context.view_layer.objects:
        item.select_set(item == armature)
    if armature.name in context.view_layer.objects:
        context.view_layer.objects.active = armature


register, unregister = registration_of(LATENTMAN_OT_import_motion)
