"""Save a take as a video file; the backend's program writes it while Blender stays free."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty

from ..client.video_process import VIDEO_SUFFIX, VideoOrder
from ..shared.errors import InputError, LatentManError
from ..shot.generation import chosen_backend
from ..shot.running import generation
from ..shot.video import video_beside, video_command
from ..timeline.take import take_folder, take_named
from ..typed_bpy import Outcome, registration_of
from .base.reporting import allow, refuse, reported

_BLOCKING_SLEEP_S = 0.02


class LATENTMAN_OT_save_video(bpy.types.Operator):
    """Save this take as a video file (H.264, mp4)"""

    bl_idname = "latentman.save_video"
    bl_label = "Save Video"
    bl_options = {"REGISTER"}

    take: StringProperty(name="Take", description="Name of the take's strip", options={"SKIP_SAVE", "HIDDEN"})
    filepath: StringProperty(name="File", subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: StringProperty(default=f"*{VIDEO_SUFFIX}", options={"HIDDEN"})
    check_existing: BoolProperty(default=True, options={"HIDDEN"})

    @classmethod
    def poll(cls, context: Any) -> bool:
        """One video at a time."""
        target = generation().takes.video.target
        return allow(cls, "" if target is None else f"{target.name} is being written")

    def invoke(self, context: Any, event: Any) -> Outcome:
        """Ask for the file."""
        try:
            self.filepath = str(video_beside(take_folder(take_named(context.scene, self.take))))
        except LatentManError as error:
            return refuse(self, error)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @reported
    def execute(self, context: Any) -> Outcome:
        """Begin to write it; scripts in the background come back when it is written."""
        video = generation().takes.video
        video.start(video_command(chosen_backend(context)), self._order(context))
        while bpy.app.background and video.step():
            time.sleep(_BLOCKING_SLEEP_S)
        return {"FINISHED"}

    def _order(self, context: Any) -> VideoOrder:
        folder = take_folder(take_named(context.scene, self.take))
        target = Path(bpy.path.abspath(self.filepath)) if self.filepath else video_beside(folder)
        if target.suffix.lower() != VIDEO_SUFFIX:
            target = target.with_name(f"{target.name}{VIDEO_SUFFIX}")
        if not target.parent.is_dir():
            raise InputError("arguments.video", f"The folder of {target} does not exist.", "Choose another.")
        return VideoOrder(folder, target)


register, unregister = registration_of(LATENTMAN_OT_save_video)
