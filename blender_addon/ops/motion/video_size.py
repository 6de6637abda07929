"""Give the pictures the aspect of the video that the scene's camera filmed."""

from __future__ import annotations

from typing import Any

import bpy

from ...look.tracked_camera import like_video, video_size
from ...scene.properties import settings_of
from ...shared.errors import InputError
from ...shared.jobs.job import SIZE_MULTIPLE
from ...typed_bpy import Outcome, registration_of
from ..base.reporting import reported
from ..picture_size import set_picture_size


class LATENTMAN_OT_use_video_size(bpy.types.Operator):
    """Give the pictures the aspect ratio of the video, so that its camera shows what the video shows"""

    bl_idname = "latentman.use_video_size"
    bl_label = "Use Video's Aspect"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where the scene's camera is that of a video."""
        if video_size(context.scene) is None:
            cls.poll_message_set("Import a motion from a video first, and make its camera the scene's camera")
            return False
        return True

    @reported
    def execute(self, context: Any) -> Outcome:
        """Set width and height of the pictures, and the render size with them."""
        size = video_size(context.scene)
        if size is None:
            raise InputError(
                "camera.no_video", "The scene's camera is not from a video.", "Import a motion from a video first."
            )
        settings = settings_of(context.scene)
        settings.width, settings.height = like_video(size, settings.width * settings.height, SIZE_MULTIPLE)
        set_picture_size(context.scene)
        self.report({"INFO"}, f"Pictures are now {settings.width} x {settings.height} pixels")
        return {"FINISHED"}


register, unregister = registration_of(LATENTMAN_OT_use_video_size)
