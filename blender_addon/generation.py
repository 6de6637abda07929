"""Starting a shot, for the panel and the batch command: the file's settings, the backend, the passes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from . import compat
from .client.backend_process import BackendProcess, find_backend, parse_backend_command
from .client.generate_job import GenerateJob
from .client.link import FileLink, LinkSource
from .client.request import GenerateRequest, placeholder_inputs
from .client.session import Session
from .passes.launcher import PassRender, PassRequest
from .preferences import backend_preference
from .properties import settings_of
from .rig.character import require_characters
from .shared.client import JobClient
from .shared.errors import InputError
from .shared.framerange import MAX_FRAMES
from .shared.job import Job

CLIENT_NAME = "latentman add-on"
WORK_FOLDER = ".backend"

# The job's settings that the scene keeps under the same names.
_STORED = ("prompt", "negative_prompt", "seed", "model", "steps", "guidance_scale", "width", "height")


@dataclass(frozen=True, slots=True)
class BackendChoice:
    """Which backend to use: a connection file of a running one, else this command, else the one that is found."""

    command: str = ""
    connection_file: Path | None = None


@contextmanager
def open_session(choice: BackendChoice, output: Path) -> Iterator[Session]:
    """As `new_session`, closed at the end."""
    session = new_session(choice, output)
    try:
        yield session
    finally:
        session.close()


def new_session(choice: BackendChoice, output: Path) -> Session:
    """A session with the chosen backend; one of our own is started at once and works in `output/.backend`, where what
    resuming needs stays. Raises InputError where there is none, BackendError where it cannot be started."""
    return Session(JobClient(CLIENT_NAME), _link_source(choice, output))


def _link_source(choice: BackendChoice, output: Path) -> LinkSource:
    if choice.connection_file is not None:
        return FileLink(choice.connection_file)
    checkout = Path(__file__).resolve().parent.parent if compat.is_python_module() else None
    command = parse_backend_command(choice.command) if choice.command else find_backend(checkout)
    return BackendProcess(command, output / WORK_FOLDER, time.monotonic())


def host_name() -> str:
    """This Blender, for the record of a result."""
    return f"Blender {bpy.app.version_string}"


def chosen_backend(context: Any) -> BackendChoice:
    """The backend of the user's preferences."""
    stored = backend_preference(context)
    return BackendChoice(stored.backend, Path(stored.connection) if stored.connection else None)


def scene_frames(scene: Any) -> tuple[int, ...]:
    """The frames of the scene's range. Raises InputError where there are more than a job may have."""
    count = scene.frame_end - scene.frame_start + 1
    if count > MAX_FRAMES:
        raise InputError(
            "frames.many", f"The scene has {count:,} frames; a job takes at most {MAX_FRAMES:,}.", "Choose a part."
        )
    return tuple(range(scene.frame_start, scene.frame_end + 1))


def stored_template(scene: Any, frames: tuple[int, ...]) -> Job:
    """The job settings that the scene stores, for these frames, without inputs."""
    settings = settings_of(scene)
    return Job(
        prompt=settings.prompt,
        negative_prompt=settings.negative_prompt,
        seed=settings.seed,
        method=settings.method,
        model=settings.model,
        steps=settings.steps,
        guidance_scale=rounded(settings.guidance_scale),
        width=settings.width,
        height=settings.height,
        fps=scene.render.fps / scene.render.fps_base,
        frames=frames,
        inputs=placeholder_inputs(len(frames)),
    )


def store_settings(scene: Any, job: Job, engine: str) -> None:
    """Keep a job's settings in the scene, so that the panel shows them and the batch command repeats them.

    A number outside its field's limits is not kept: the panel could only show another one.
    """
    settings = settings_of(scene)
    for name in _STORED:
        value, field = getattr(job, name), settings.bl_rna.properties[name]
        if isinstance(value, str) or field.hard_min <= value <= field.hard_max:
            setattr(settings, name, value)
    methods = settings.bl_rna.properties["method"].enum_items.keys()
    settings.method = job.method if job.method in methods else settings.method
    settings.engine = engine


def rounded(value: float) -> float:
    """A number that Blender stored in single precision, as its user typed it: 7.1, not 7.0999999."""
    return float(f"{value:.6g}")


def check_scene(context: Any) -> None:
    """Raise InputError where the scene has no character or no camera, before anything is started."""
    scene = context.scene
    require_characters(scene, context.view_layer)
    if scene.camera is None:
        raise InputError("passes.no_camera", f"The scene {scene.name!r} has no camera.", "Add one, or frame the shot.")


def start_job(context: Any, request: GenerateRequest, session: Session) -> GenerateJob:
    """Start rendering the passes of the context's scene and everything that follows.

    Raises InputError where the folders, the characters or the camera cannot be used, RenderError where the child
    Blender cannot be started.
    """
    request.prepare_folders()
    template = request.template
    passes = PassRequest(request.passes_folder, template.frames, template.width, template.height, request.engine)
    return GenerateJob(request, PassRender.start(context, passes), session, time.monotonic())
