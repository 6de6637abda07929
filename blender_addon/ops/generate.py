"""Generate, resume and cancel: one shot at a time, driven by the timer, so that Blender stays free."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import bpy
from bpy.props import StringProperty

from ..client.warm_backend import BackendState
from ..scene.scene_job import output_base, scene_frames, stored_template
from ..shared.errors import InputError, LatentManError
from ..shared.jobs.job import validate_job
from ..shot.generation import check_scene, why_no_shot
from ..shot.running import Generation, generation, wake
from ..typed_bpy import Outcome, registration_of
from .base.reporting import allow, refuse, warn_of_hiders
from .picture_size import adopt, adopted

_BLOCKING_SLEEP_S = 0.005


class _Begin:
    """What generating and resuming have in common: begin, then let the timer or a loop go on."""

    def begin(self, context: Any) -> Callable[[Any], None]:
        """What begins the shot."""
        raise NotImplementedError

    def invoke(self, context: Any, event: Any) -> Outcome:
        """Start, and come back at once: the timer goes on."""
        try:
            self.begin(context)(context)
        except LatentManError as error:
            return refuse(self, error)
        warn_of_hiders(self, context)
        wake()
        return {"FINISHED"}

    def execute(self, context: Any) -> Outcome:
        """For scripts: the same, and come back when it has ended."""
        current = generation()
        try:
            self.begin(context)(context)
            warn_of_hiders(self, context)
            while current.step():
                time.sleep(_BLOCKING_SLEEP_S)
            current.raise_if_unfinished()
        except LatentManError as error:
            return refuse(self, error)
        except KeyboardInterrupt:
            current.close()
            raise
        return {"FINISHED"}


class LATENTMAN_OT_generate(_Begin, bpy.types.Operator):
    """Render the passes, generate the frames, and put them on the timeline as a new take"""

    bl_idname = "latentman.generate"
    bl_label = "Generate"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if there is a character, a camera, a job that can be run, and no shot under way."""
        reason = why_not(context)
        return allow(cls, "" if reason is None else str(reason))

    def begin(self, context: Any) -> Callable[[Any], None]:
        """A new take; a scene with Blender's own render size gets that of the pictures first."""
        if adopt(context.scene):
            self.report({"INFO"}, adopted(context.scene))
        return generation().start


class LATENTMAN_OT_resume(_Begin, bpy.types.Operator):
    """Continue an unfinished take, with the settings that it started with"""

    bl_idname = "latentman.resume"
    bl_label = "Resume"
    bl_options = {"REGISTER"}

    take: StringProperty(
        name="Take",
        description='Name of its folder, "take-002". Empty: the newest unfinished take',
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if a take is not finished."""
        return allow(cls, _not_now() or why_no_shot(context) or _nothing_to_resume(context))

    def begin(self, context: Any) -> Callable[[Any], None]:
        """The take that is named, else the newest."""
        return partial(generation().resume, take=self.take)


class LATENTMAN_OT_cancel(bpy.types.Operator):
    """Stop generating. Frames of whole segments are kept, and Resume continues from them"""

    bl_idname = "latentman.cancel"
    bl_label = "Cancel"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only while a shot is under way."""
        return allow(cls, "" if generation().running else "Nothing is being generated")

    @classmethod
    def description(cls, context: Any, properties: Any) -> str:
        """What would be kept now."""
        progress = generation().progress
        return str(cls.__doc__) if progress is None else f"{cls.__doc__}. {progress.kept}"

    def execute(self, context: Any) -> Outcome:
        """Ask it to stop; the timer goes on until it has."""
        generation().cancel()
        return {"FINISHED"}


def why_not(context: Any) -> InputError | None:
    """Why Generate is grey; None if it is not."""
    busy = _not_now()
    if busy:
        return InputError("generate.busy", f"{busy}.")
    try:
        check_scene(context)
        _check_job(context)
    except InputError as error:
        return error
    return None


def _not_now() -> str:
    current: Generation = generation()
    if current.running:
        return "A shot is being generated"
    return "The backend is stopping; wait a moment" if current.backend.state is BackendState.STOPPING else ""


def _check_job(context: Any) -> None:
    """Raise InputError if the scene's settings are no job that can be run."""
    scene = context.scene
    if scene.latentman.prompts is None and not scene.latentman.prompt.strip():
        raise InputError("generate.no_prompt", "There is no prompt.", "Type one in the Prompt panel.")
    output_base(context, scene)
    scene_frames(scene)
    validate_job(stored_template(scene, (1,)))


def _nothing_to_resume(context: Any) -> str:
    try:
        there = generation().unfinished(context)
    except InputError as error:
        return str(error)
    return "" if there else "There is no unfinished take"


_CLASSES = (LATENTMAN_OT_generate, LATENTMAN_OT_resume, LATENTMAN_OT_cancel)

register, unregister = registration_of(*_CLASSES)
