"""Import a motion file as a character."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from bpy.props import IntProperty, StringProperty

from ..camera import frame_shot
from ..motion_check import check_of, store_check
from ..rig.character import import_motion
from ..running import wake
from ..scene_job import scene_range
from ..shared.body import free_body, load_body
from ..shared.errors import LatentManError
from ..shared.motion import read_motion
from .reporting import refuse


class LATENTMAN_OT_import_motion(bpy.types.Operator):
    """Import a motion file as a character with ordinary keyframes"""

    bl_idname = "latentman.import_motion"
    bl_label = "Import Motion"
    bl_options = {"REGISTER", "UNDO"}

    filepath: StringProperty(name="File", subtype="FILE_PATH")
    filter_glob: StringProperty(default="*.npy;*.npz", options={"HIDDEN"})
    sample: IntProperty(name="Sample", description="Which motion of a file that holds several", default=0, min=0)
    repetition: IntProperty(name="Repetition", default=0, min=0)

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where objects can be made."""
        if context.mode != "OBJECT":
            cls.poll_message_set("Switch to Object Mode first")
            return False
        return True

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Ask for a file, or take the one named in the panel."""
        self.filepath = bpy.path.abspath(context.scene.latentman.motion_path)
        if self.filepath:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Any) -> set[str]:
        """Read, make the character, and frame it where the scene has no camera."""
        scene = context.scene
        body_path = bpy.path.abspath(scene.latentman.body_path)
        try:
            body = load_body(Path(body_path)) if body_path else free_body()
            motion = read_motion(
                Path(self.filepath),
                sample=self.sample,
                repetition=self.repetition,
                rest_joints=body.joints(np.zeros(10)),
            )
            if scene.latentman.own_betas:
                motion = dataclasses.replace(motion, betas=np.array(scene.latentman.betas[:], np.float64))
            armature = import_motion(scene, motion, body, name=Path(self.filepath).stem)
            store_check(armature, check_of(motion, body))
            size = scene.latentman.width, scene.latentman.height
            frame_shot(scene, armature, tuple(scene_range(scene)), size=size)
        except LatentManError as error:
            return refuse(self, error)
        _select(context, armature)
        wake()
        for note in motion.notes:
            self.report({"INFO"}, note)
        return {"FINISHED"}


def _select(context: Any, armature: Any) -> None:
    """Leave the new character selected and active, as importers do: the next step is to pose it."""
    for item in context.view_layer.objects:
        item.select_set(item == armature)
    if armature.name in context.view_layer.objects:
        context.view_layer.objects.active = armature


register, unregister = bpy.utils.register_classes_factory((LATENTMAN_OT_import_motion,))
