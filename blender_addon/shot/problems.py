"""What went wrong, one message for each panel, kept until its cause is gone.

A message goes when the same panel's next action begins, when another file is opened or another scene is shown, when it
is dismissed, and, if the user's input was at fault, as soon as that input has changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy

from ..help.places import GENERATE, MOTION
from ..rig.left_out import LEFT_OUT, names_with
from ..scene.properties import settings_of
from ..scene.scene_job import scene_frames, stored_template
from ..shared.errors import BackendError, InputError, LatentManError

_MOTION_FIELDS = (
    "motion_path", "motion_fps", "motion_up", "motion_unit", "motion_view", "own_start", "motion_start", "body_path",
    "own_betas", "source_keys",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """One message, and what it was about: the scene, and the state of the input that caused it."""

    error: LatentManError
    blend_file: str
    scene: str
    cause: object


class Problems:
    """The messages by the panel that shows them."""

    def __init__(self) -> None:
        self._found: dict[str, Problem] = {}

    def say(self, error: LatentManError, place: str = GENERATE) -> None:
        """Show an error in a panel, instead of the one that is there. The newest comes last in `newest`."""
        scene = bpy.context.scene
        name = "" if scene is None else scene.name
        self._found.pop(place, None)
        self._found[place] = Problem(error, bpy.data.filepath, name, _cause(scene, place, error))

    def clear(self, place: str) -> None:
        """Take a panel's message away. Harmless if there is none."""
        self._found.pop(place, None)

    def clear_lost_backend(self) -> None:
        """Take away what is told of a backend that has ended: another one is about to run."""
        self._found = {place: one for place, one in self._found.items() if not isinstance(one.error, BackendError)}

    def clear_code(self, code: str) -> None:
        """Take the messages of a code away: their cause is gone."""
        self._found = {place: one for place, one in self._found.items() if one.error.code != code}

    def clear_all(self) -> None:
        """Take every message away."""
        self._found.clear()

    def at(self, place: str) -> LatentManError | None:
        """The message of a panel; None if there is none."""
        found = self._found.get(place)
        return None if found is None else found.error

    @property
    def newest(self) -> LatentManError | None:
        """The message that came last, of any panel."""
        found = list(self._found.values())
        return found[-1].error if found else None

    def step(self, scene: Any) -> bool:
        """Take away the messages whose cause is gone; whether there were any."""
        gone = [place for place, one in self._found.items() if not _holds(one, place, scene)]
        for place in gone:
            del self._found[place]
        return bool(gone)


def _holds(one: Problem, place: str, scene: Any) -> bool:
    if scene is None or scene.name != one.scene:
        return False
    return bool(_cause(scene, place, one.error) == one.cause)


def _cause(scene: Any, place: str, error: LatentManError) -> object:
    """The input that an error is about, as a value to compare; None if it is not the user's input."""
    if scene is None or not isinstance(error, InputError):
        return None
    if place == MOTION:
        settings = settings_of(scene)
        return tuple(getattr(settings, name) for name in _MOTION_FIELDS), tuple(settings.betas)
    try:
        job: object = stored_template(scene, scene_frames(scene))
    except InputError as other:
        job = str(other)
    camera = scene.camera
    seen = None if camera is None else (camera.name, tuple(map(tuple, camera.matrix_world)))
    choices = names_with(scene, LEFT_OUT)
    return job, settings_of(scene).engine, settings_of(scene).output, bpy.data.filepath, seen, choices
