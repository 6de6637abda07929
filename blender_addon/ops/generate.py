"""Generate and cancel: one shot at a time, driven by one timer, so that Blender stays free."""

from __future__ import annotations

import atexit
import contextlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..client.generate_job import GenerateJob
from ..client.progress import GenerateProgress, GenerateState
from ..client.request import PASSES_FOLDER, GenerateRequest
from ..client.session import Session
from ..generation import BackendChoice, chosen_backend, host_name, new_session, scene_frames, start_job, stored_template
from ..rig.character import characters
from ..shared.errors import InputError, LatentManError
from ..timeline.take import Take, add_take

_TICK_S = 0.05
_BUDGET_S = 0.008
_BLOCKING_SLEEP_S = 0.005


@dataclass(frozen=True, slots=True)
class _Home:
    """Where the result belongs: names, never references, because undo and file loading end those."""

    blend_file: str
    scene: str

    def find(self) -> Any:
        """The scene, or None where another file is open by now."""
        return bpy.data.scenes.get(self.scene) if bpy.data.filepath == self.blend_file else None


class Generation:
    """The shot under way in this Blender, and the backend that stays warm between shots."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._session_key: tuple[BackendChoice, Path] | None = None
        self._job: GenerateJob | None = None
        self._home: _Home | None = None
        self.error: LatentManError | None = None

    @property
    def progress(self) -> GenerateProgress | None:
        """How far the present or last shot is; None before the first."""
        return None if self._job is None else self._job.progress

    @property
    def running(self) -> bool:
        """Whether a shot is under way."""
        return self._job is not None and not self._job.state.ended

    def start(self, context: Any) -> None:
        """Begin a shot with the scene's settings. Raises LatentManError."""
        scene = context.scene
        self.error = None
        self._job = None
        base = output_base(scene)
        template = stored_template(scene, scene_frames(scene))
        request = GenerateRequest(
            next_take_folder(base),
            (template.method,),
            template,
            scene.latentman.engine,
            shared_passes=base / PASSES_FOLDER,
            host=host_name(),
        )
        self._home = _Home(bpy.data.filepath, scene.name)
        self._job = start_job(context, request, self._warm_session(chosen_backend(context), base))

    def step(self) -> bool:
        """Do what can be done without waiting; False once the shot has ended and its take is on the timeline."""
        job = self._job
        if job is None:
            return False
        if job.step(time.monotonic()):
            return True
        self.error = job.error
        if job.error is not None:
            self._drop_session()  # the next shot starts with a fresh backend
        elif job.state is GenerateState.DONE:
            self._put_on_timeline(job)
        return False

    def run_slice(self) -> bool:
        """As `step`, as often as there is something to do within the time that a drawn frame can spare."""
        deadline = time.monotonic() + _BUDGET_S
        while self.step():
            if time.monotonic() > deadline or self._session is None or self._session.idle:
                return True
        return False

    def cancel(self) -> None:
        """Ask the shot to stop."""
        if self._job is not None:
            self._job.cancel(time.monotonic())

    def raise_if_unfinished(self) -> None:
        """Raise why the last shot did not end well."""
        if self._job is not None:
            self._job.raise_if_unfinished()

    def close(self) -> None:
        """Stop everything, now. Harmless when called twice."""
        self.cancel()
        self._job = None
        self._drop_session()

    def _warm_session(self, choice: BackendChoice, base: Path) -> Session:
        if self._session is None or self._session_key != (choice, base) or self._session.client.closed:
            self._drop_session()
            self._session = new_session(choice, base)
            self._session_key = (choice, base)
        return self._session

    def _drop_session(self) -> None:
        if self._session is not None:
            self._session.close()
        self._session = None

    def _put_on_timeline(self, job: GenerateJob) -> None:
        scene = None if self._home is None else self._home.find()
        if scene is None:
            return
        try:
            for done, job_id in job.results:
                add_take(scene, Take(job.request.frames_folder(done.method), done, job_id), _blend_folder())
        except LatentManError as error:
            self.error = error


def output_base(scene: Any) -> Path:
    """The folder that holds the scene's passes and takes. Raises InputError where it is not a definite place."""
    path = Path(bpy.path.abspath(scene.latentman.output))
    if not scene.latentman.output or not path.is_absolute():
        raise InputError(
            "output.relative",
            f"The output folder {scene.latentman.output!r} has no place yet.",
            "Save the file first, or give an absolute path.",
        )
    return path


def next_take_folder(base: Path) -> Path:
    """`take-001` and so on: the first number after all that are there."""
    taken = [path.name.removeprefix("take-") for path in base.glob("take-*")]
    return base / f"take-{1 + max((int(name) for name in taken if name.isdigit()), default=0):03d}"


def _blend_folder() -> Path | None:
    return Path(bpy.data.filepath).parent if bpy.data.filepath else None


class _Running:
    """The one generation of this Blender; there while the add-on is registered."""

    generation: Generation | None = None


def generation() -> Generation:
    """The one generation of this Blender, for the panel to draw and the operators to drive."""
    if _Running.generation is None:
        raise InputError("addon.disabled", "The add-on is not enabled.", "Enable it in the preferences.")
    return _Running.generation


def _tick() -> float | None:
    """The timer: a slice of work, then again; None ends it. It lives on when another file is loaded."""
    current = _Running.generation
    if current is None:
        return None
    goes_on = current.run_slice()
    _redraw()
    return _TICK_S if goes_on else None


def _redraw() -> None:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("VIEW_3D", "SEQUENCE_EDITOR"):
                area.tag_redraw()


class LATENTMAN_OT_generate(bpy.types.Operator):
    """Render the passes, generate the frames, and put them on the timeline as a new take"""

    bl_idname = "latentman.generate"
    bl_label = "Generate"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only where there is a character, a prompt, and no shot under way."""
        reason = _why_not(context)
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def invoke(self, context: Any, event: Any) -> set[str]:
        """Start, and come back at once: a timer goes on."""
        try:
            generation().start(context)
        except LatentManError as error:
            return self._failed(error)
        bpy.app.timers.register(_tick, first_interval=0.0, persistent=True)
        return {"FINISHED"}

    def execute(self, context: Any) -> set[str]:
        """For scripts: the same, and come back when it has ended."""
        current = generation()
        try:
            current.start(context)
            while current.step():
                time.sleep(_BLOCKING_SLEEP_S)
            current.raise_if_unfinished()
        except LatentManError as error:
            return self._failed(error)
        except KeyboardInterrupt:
            current.close()
            raise
        return {"FINISHED"}

    def _failed(self, error: LatentManError) -> set[str]:
        generation().error = error
        self.report({"ERROR"}, str(error))
        return {"CANCELLED"}


class LATENTMAN_OT_cancel(bpy.types.Operator):
    """Stop generating; finished frames are kept"""

    bl_idname = "latentman.cancel"
    bl_label = "Cancel"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only while a shot is under way."""
        if _Running.generation is None or not _Running.generation.running:
            cls.poll_message_set("Nothing is being generated")
            return False
        return True

    def execute(self, context: Any) -> set[str]:
        """Ask it to stop; the timer goes on until it has."""
        generation().cancel()
        return {"FINISHED"}


def _why_not(context: Any) -> str:
    """Why generating is not possible now; empty where it is."""
    if _Running.generation is None or _Running.generation.running:
        return "A shot is being generated"
    if not characters(context.scene):
        return "Import a motion first"
    if context.scene.camera is None:
        return "Add a camera, or frame the shot"
    if not context.scene.latentman.prompt.strip():
        return "Type a prompt first"
    return ""


_CLASSES = (LATENTMAN_OT_generate, LATENTMAN_OT_cancel)


def register() -> None:
    """Register the operators, and make the generation that they drive."""
    _Running.generation = Generation()
    # Blender does not unregister add-ons when it quits, and an open socket would make the interpreter wait.
    atexit.register(_close)
    for cls in _CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Stop what runs and take the operators back."""
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
    with contextlib.suppress(ValueError):
        bpy.app.timers.unregister(_tick)
    atexit.unregister(_close)
    _close()


def _close() -> None:
    if _Running.generation is not None:
        _Running.generation.close()
        _Running.generation = None
