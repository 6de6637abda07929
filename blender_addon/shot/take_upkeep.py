"""What is done for takes besides making them: strips fitted, pictures, videos, what is unfinished."""

from __future__ import annotations

import time
from typing import Any

import bpy

from ..client.generate_job import GenerateJob
from ..client.video_process import VideoProcess
from ..help.places import TAKES
from ..look.take_icons import TakeIcons
from ..shared.errors import LatentManError
from ..timeline.compare import bring_into_sight, present_take
from ..timeline.take import find_take, refit_takes
from .problems import Problems
from .unfinished_takes import UnfinishedTakes

_REFIT_S = 0.5


class TakeUpkeep:
    """A part of the one `Generation`: stepped by its timer, closed with it."""

    def __init__(self) -> None:
        self.unfinished = UnfinishedTakes()
        self.icons = TakeIcons()
        self.video = VideoProcess()
        self._refit_at = 0.0

    def step(self, problems: Problems) -> None:
        """Look at the video, and at render sizes that somebody has changed; why a video failed stands beside its take.

        Sizes are compared and not waited for: neither undo nor a script need tell of a change.
        """
        try:
            self.video.step()
        except LatentManError as error:
            problems.say(error, TAKES)
        if time.monotonic() >= self._refit_at:
            self._refit_at = time.monotonic() + _REFIT_S
            for scene in bpy.data.scenes:
                refit_takes(scene)

    def finished(self, scene: Any, job: GenerateJob) -> None:
        """Show the take of a finished shot alone, in a window also where it can be seen. `scene`: its own, None if
        another file is open."""
        strips = [] if scene is None else [find_take(scene, job.request.frames_folder(m)) for m in job.request.methods]
        strip = next((strip for strip in reversed(strips) if strip is not None), None)
        if strip is None:
            return
        present_take(scene, strip)
        if not bpy.app.background:
            bring_into_sight(scene, strip)

    def close(self) -> None:
        """Stop everything, now. Harmless when called twice."""
        self.video.close()
        self.icons.close()
