"""What a take will cost, told before it runs: the pace of this machine, kept beside Blender's own settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from ..client.generate_job import GenerateJob
from ..client.pace import Estimate, Pace, read_pace, write_pace
from ..scene.preferences import stored_preferences
from ..scene.properties import settings_of
from ..scene.scene_job import scene_frames, stored_template

_FOLDER = "latentman"
FIRST_LOOK_FRAMES = 16
_LONG_S = 120.0


class Cost:
    """The paces that are known, read once and written after each shot; in the background nothing is kept."""

    def __init__(self) -> None:
        self._pace: Pace | None = None

    def estimate(self, context: Any) -> Estimate:
        """What a take with the scene's settings will take. Raises InputError if these cannot be read."""
        scene = context.scene
        stored = stored_preferences(context)
        job = stored_template(scene, scene_frames(scene))
        return self._known().estimate(_device(stored), settings_of(scene).engine, job)

    def learn(self, job: GenerateJob) -> None:
        """Keep what a finished shot took. Raises LatentManError `storage.*`."""
        if bpy.app.background:
            return
        device, pace, measured = _device(stored_preferences(bpy.context)), self._known(), job.measured()
        if measured.passes:
            pace.measured_passes(job.request.engine, job.request.template, measured.passes, measured.passes_s)
        for one, frames, seconds in measured.methods:
            pace.measured_frames(device, one, frames, seconds)
        write_pace(_folder(), pace)

    def _known(self) -> Pace:
        if self._pace is None:
            self._pace = Pace() if bpy.app.background else read_pace(_folder())
        return self._pace


def first_look(frames: tuple[int, ...], estimate: Estimate) -> tuple[int, ...]:
    """The first frames of a long shot, to look at before all are made; empty if the shot is short."""
    short = estimate.seconds is not None and estimate.seconds < _LONG_S
    return () if short or len(frames) <= FIRST_LOOK_FRAMES else frames[:FIRST_LOOK_FRAMES]


def _device(stored: Any) -> str:
    return f"{stored.connection or 'own'}/{stored.device}"


def _folder() -> Path:
    return Path(bpy.utils.user_resource("CONFIG", path=_FOLDER, create=True))
