"""The one shot under way in this Blender, and the one timer that drives it.

The timer lives from register to unregister, also over the loading of files. It never waits: a tick does what can be
done within a few milliseconds. Blender's data is named, never kept: undo and file loading end references.
"""

from __future__ import annotations

import atexit
import contextlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..client.backend_process import LOG_FILE
from ..client.generate_job import GenerateJob
from ..client.job_file import ShotFile
from ..client.progress import GenerateProgress, GenerateState
from ..client.request import GenerateRequest
from ..client.warm_backend import BackendState, WarmBackend
from ..help.doctor import Doctor
from ..help.places import BACKEND, GENERATE
from ..look.preview_icon import PreviewIcon
from ..passes.comparison import PassComparison
from ..scene.known_models import ModelChecks
from ..scene.preferences import stored_preferences, take_changed_models
from ..scene.prompt_text import written_prompts
from ..scene.scene_job import keep_output, output_base, shot_file
from ..scene_time import scene_fps
from ..shared.errors import InputError, LatentManError
from ..shared.files.frame_files import file_error
from ..shared.protocol.client.session import Session
from ..timeline.take import Take, show_take
from ..typed_bpy import persistent, windows
from . import hider_watch
from .announcement import Announcer, Ending
from .backend_setup import BackendSetup
from .cost import Cost
from .generation import (
    WORK_FOLDER,
    BackendChoice,
    check_scene,
    chosen_backend,
    host_name,
    new_session,
    start_job,
)
from .motion_making import MotionMaking
from .problems import Problems
from .redraw import redraw_panels
from .take_upkeep import TakeUpkeep
from .takes_on_disk import next_take_folder, stored_request, take_request, write_request
from .unfinished_takes import UnfinishedTake, unfinished_folder

TICK_S = 0.05
IDLE_TICK_S = 0.5
_BUDGET_S = 0.008
_REDRAWS = 2  # Blender moves panels below one that has grown only when it draws the next time
_REDRAW_S = 0.2  # a progress bar need not be drawn more often, and whatever is drawn holds the animator up


@dataclass(frozen=True, slots=True)
class _Home:
    """Where the result belongs: the open file, under whatever name it is saved meanwhile, or that file opened again."""

    blend_file: str
    scene: str
    loads: int

    def find(self) -> Any:
        """The scene, or None if another file is open by now; one that was never saved cannot be opened again."""
        again = bool(self.blend_file) and bpy.data.filepath == self.blend_file
        return bpy.data.scenes.get(self.scene) if again or self.loads == _Running.loads else None


class Generation:
    """The shot under way, and the backend that stays warm between shots."""

    def __init__(self) -> None:
        self.backend = WarmBackend()
        self.doctor = Doctor()
        self.setup = BackendSetup()
        self.install, self.version = self.setup.install, self.setup.version
        self.models = ModelChecks()
        self.comparison: PassComparison | None = None
        self.problems = Problems()
        self.preview = PreviewIcon()
        self.announcer = Announcer()
        self.cost = Cost()
        self.takes = TakeUpkeep()
        self.making = MotionMaking()
        self._begun_at, self._ended_loads = 0.0, 0
        self.log_file: Path | None = None
        self._job: GenerateJob | None = None
        self._home: _Home | None = None
        self._on_timeline: dict[str, tuple[int, tuple[str, ...]]] = {}  # method -> frames that its strip shows, notes

    @property
    def error(self) -> LatentManError | None:
        """What went wrong last, in any panel; None if nothing is to be shown."""
        return self.problems.newest

    @property
    def progress(self) -> GenerateProgress | None:
        """How far the shot is, one that has ended until another file is opened; None where there is none."""
        past = self._home is None and self._ended_loads != _Running.loads
        return None if self._job is None or past else self._job.progress

    @property
    def running(self) -> bool:
        """Whether a shot is under way."""
        return self._job is not None and not self._job.state.ended

    @property
    def under_way(self) -> Path | None:
        """The folder of the take that is being made; None while none is."""
        return self._job.request.output if self._job is not None and self.running else None

    @property
    def busy(self) -> bool:
        """Whether there is anything that the timer should look at often."""
        compares = self.comparison is not None and self.comparison.running
        changing = self.backend.state not in (BackendState.STOPPED, BackendState.READY)
        asks = self.doctor.running or self.setup.running or self.models.running
        return self.running or compares or changing or asks or self.takes.video.running or self.making.running

    def start(self, context: Any) -> None:
        """Begin a shot with the scene's settings. Raises LatentManError."""
        scene = context.scene
        base = output_base(context, scene)
        keep_output(scene, base)
        shot = shot_file(scene, base)
        self._begin(context, take_request(next_take_folder(base), shot, scene_fps(scene), host_name()), base, shot)

    def unfinished(self, context: Any) -> tuple[UnfinishedTake, ...]:
        """The takes of the scene's output folder that can be resumed, newest first. Raises InputError if the
        folder has no definite place."""
        return self.takes.unfinished.of(output_base(context, context.scene), self.under_way)

    def resume(self, context: Any, take: str = "") -> None:
        """Resume a take that was not finished, the newest where none is named, with its own settings. Raises
        LatentManError."""
        scene = context.scene
        base = output_base(context, scene)
        folder = unfinished_folder(base, take)
        request = stored_request(folder, scene_fps(scene), host_name())
        self._begin(context, request, base, None)

    def start_backend(self, context: Any) -> None:
        """Start or reach the backend without a shot. Raises LatentManError."""
        self.problems.clear_lost_backend()
        base = output_base(context, context.scene)
        keep_output(context.scene, base)
        self._warm_session(chosen_backend(context), base)

    def step(self) -> bool:
        """Do what can be done without waiting; False once the shot has ended and its take is on the timeline."""
        job = self._job
        if job is None or (job.state.ended and self._home is None):
            return False
        goes_on = job.step(time.monotonic())
        if not bpy.app.background:
            self.preview.show(job.preview)
        if not self._show_frames(job) or goes_on:
            return True
        self.takes.unfinished.forget()
        if job.state is GenerateState.DONE and self._home is not None:
            self.takes.finished(self._home.find(), job)
        self._home, self._ended_loads = None, _Running.loads
        self._announce(job)
        if job.error is not None:
            self.problems.say(job.error)
            self.backend.stop()  # the next shot starts with a fresh backend
        elif job.state is GenerateState.DONE:
            self._learn(job)
            push_undo("LatentMan take")
        return False

    def run_slice(self) -> bool:
        """As `step`, as often as there is something to do within the time that a drawn frame can spare."""
        deadline = time.monotonic() + _BUDGET_S
        while self.step():
            if time.monotonic() > deadline or self.backend.idle:
                return True
        return False

    def tick(self) -> None:
        """A slice of whatever is under way. Errors of this add-on are kept for the panel to show."""
        self.doctor.step()
        self.setup.step(self.backend, self.problems, shot_runs=self.running)
        for model in take_changed_models(bpy.context):
            self.models.ask(model)
        self.models.step()
        self.announcer.step()
        try:
            self.takes.step(self.problems)
            self.making.step(self.problems)
            if self.comparison is not None:
                self.comparison.step()
            if not self.run_slice():
                self.backend.step(time.monotonic())
            refusal = self.backend.take_refusal()
            if refusal is not None:
                self.problems.say(refusal, BACKEND)
        except LatentManError as error:
            self.problems.say(error)
        except OSError as error:
            self.problems.say(file_error(error))

    def cancel(self) -> None:
        """Ask the shot to stop."""
        if self._job is not None:
            self._job.cancel(time.monotonic())

    def raise_if_unfinished(self) -> None:
        """Raise why the last shot did not end well."""
        if self._job is not None:
            self._job.raise_if_unfinished()

    def give_up(self) -> None:
        """End the shot after a fault of the add-on's own, so that the panel can be used again."""
        self.close()
        fault, hint = "The add-on stopped because of a bug in it.", "The console has the details. Resume continues."
        self.problems.say(LatentManError("addon.fault", fault, hint))

    def close(self) -> None:
        """Stop everything, now. Harmless when called twice."""
        self.cancel()
        self._job = None
        self.preview.close()
        self.announcer.close()
        self.takes.close()
        self.making.close()
        if self.comparison is not None:
            self.comparison.close()
        self.doctor.close()
        self.setup.close()
        self.backend.close()

    def _begin(self, context: Any, request: GenerateRequest, base: Path, shot: ShotFile | None) -> None:
        self.problems.clear(GENERATE)
        self._job = None
        self._on_timeline = {}
        check_scene(context)
        session = self._warm_session(chosen_backend(context), base)
        request.prepare_folders()
        self.takes.unfinished.forget()
        if shot is not None:
            write_request(request, shot)
        job = start_job(context, request, session)
        self._home = _Home(bpy.data.filepath, context.scene.name, _Running.loads)
        self._job = job
        self._begun_at = time.monotonic()

    def _learn(self, job: GenerateJob) -> None:
        """Keep the pace of a finished shot; a file that cannot be written is told, and the take is finished anyway."""
        try:
            self.cost.learn(job)
        except LatentManError as error:
            self.problems.say(error)

    def _announce(self, job: GenerateJob) -> None:
        if bpy.app.background:
            return
        take, frames = job.request.output.name, job.progress.frames
        reason = "" if job.error is None else job.error.message
        ending = Ending(job.state, take, frames, time.monotonic() - self._begun_at, reason)
        self.announcer.tell(ending, on_desktop=stored_preferences(bpy.context).notify)

    def _warm_session(self, choice: BackendChoice, base: Path) -> Session:
        self.log_file = None if choice.connection_file is not None else base / WORK_FOLDER / LOG_FILE
        return self.backend.session(choice, base, lambda: new_session(choice, base))

    def _show_frames(self, job: GenerateJob) -> bool:
        """Put the frames that are new on their strips, where the shot's own file is still open; False while Blender
        renders, when strips must not be touched."""
        scene = None if self._home is None else self._home.find()
        if scene is None:
            return True
        for made, job_id in job.results:
            done, notes = job.frames_done(made.method), job.notes(made.method)
            if not done or (len(done), notes) == self._on_timeline.get(made.method):
                continue
            if bpy.app.is_job_running("RENDER"):
                return False
            take = Take(job.request.frames_folder(made.method), made, job_id, job.request.engine, notes)
            try:
                show_take(scene, take, done)
            except LatentManError as error:
                self.problems.say(error)
            self._on_timeline[made.method] = (len(done), notes)
        return True


def push_undo(message: str) -> None:
    """A step of its own, so that undoing something else does not take the take away; none in the background."""
    if bpy.app.background or not windows():
        return
    with bpy.context.temp_override(window=windows()[0]):
        bpy.ops.ed.undo_push(message=message)


class _Running:
    """The one generation of this Blender; there while the add-on is registered."""

    generation: Generation | None = None
    loads: int = 0  # how many files have been opened
    redraws: int = 0  # how many are still to come
    redraw_at: float = 0.0
    prompts: str = ""  # the text with keyed prompts as it was last seen: a text editor tells no panel of what is typed


def generation() -> Generation:
    """The one generation of this Blender, for the panel to draw and the operators to drive."""
    if _Running.generation is None:
        raise InputError("addon.disabled", "The add-on is not enabled.", "Enable it in the preferences.")
    return _Running.generation


def wake() -> None:
    """Have the timer run now: something has begun or is to be shown. It is started if it is not running; in the
    background there is none."""
    if bpy.app.background:
        return
    _Running.redraws, _Running.redraw_at = _REDRAWS, 0.0
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    bpy.app.timers.register(_tick, first_interval=0.0, persistent=True)


def _tick() -> float | None:
    """The timer: a slice of work, then again. It lives on when another file is loaded; None ends it."""
    current = _Running.generation
    if current is None:
        return None
    was_busy, memory = current.busy, current.backend.memory
    whole = False
    try:
        current.tick()
        changed = _scene_has_changed(current)
        whole = True
    finally:
        if not whole:  # a fault of ours: Blender shows it in the console and drops the timer
            current.give_up()
    if was_busy or current.busy or changed or current.backend.memory != memory:
        _Running.redraws = _REDRAWS
    if _Running.redraws and time.monotonic() >= _Running.redraw_at:
        _Running.redraws -= 1
        _Running.redraw_at = time.monotonic() + _REDRAW_S
        redraw_panels()
    return TICK_S if current.busy or _Running.redraws else IDLE_TICK_S


def _scene_has_changed(current: Generation) -> bool:
    """Look at the scene, and say whether panels show something else than before."""
    before, _Running.prompts = _Running.prompts, written_prompts(bpy.context.scene)
    settled, found = current.problems.step(bpy.context.scene), hider_watch.step(bpy.context)
    return settled or found or before != _Running.prompts


@persistent
def _on_load(_path: Any, _unused: Any = None) -> None:
    """Another file is open: what was said is about the one before."""
    _Running.loads += 1
    if _Running.generation is not None:
        _Running.generation.problems.clear_all()
        _Running.generation.making.close()


def register() -> None:
    """Make the generation and its timer."""
    _Running.generation = Generation()
    bpy.app.handlers.load_post.append(_on_load)
    # Blender does not unregister add-ons when it quits, and an open socket would make the interpreter wait.
    atexit.register(_close)
    wake()


def unregister() -> None:
    """Stop what runs, and the timer."""
    with contextlib.suppress(ValueError):
        bpy.app.timers.unregister(_tick)
    bpy.app.handlers.load_post.remove(_on_load)
    atexit.unregister(_close)
    _close()


def _close() -> None:
    if _Running.generation is not None:
        _Running.generation.close()
        _Running.generation = None
