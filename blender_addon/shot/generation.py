"""Starting a shot, for the panel and the batch command: the backend, the checks, the passes."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy

from .. import __package__ as addon_name
from .. import compat
from ..client.backend_command import NO_CARD, BackendCommand, Places, find_backend, parse_backend_command
from ..client.backend_process import BackendProcess
from ..client.generate_job import GenerateJob
from ..client.own_environment import own_environment
from ..client.request import GenerateRequest
from ..passes.geometry import require_camera
from ..passes.launcher import PassRender, PassRequest
from ..rig.character import require_characters
from ..scene.preferences import stored_preferences
from ..shared.errors import InputError
from ..shared.jobs.reuse import JOBS_FOLDER
from ..shared.protocol.client.job_client import JobClient
from ..shared.protocol.client.session import Session
from ..shared.protocol.client.source import ConnectionSource, FileSource
from ..shared.version import named

CLIENT_NAME = named("add-on")
WORK_FOLDER = ".backend"
CHECKOUT = Path(__file__).resolve().parents[2]  # the project's folder, where the add-on runs from it
BY_HAND_FOLDER = Path.home() / "latentman-backend"  # where the commands to copy make the environment

DEVICES = {"auto": (), "cpu": NO_CARD}


@dataclass(frozen=True, slots=True)
class BackendChoice:
    """Which backend to use: a connection file of a running one, else this command, else the one that is found."""

    command: str = ""
    connection_file: Path | None = None
    device: str = "auto"  # of DEVICES; a backend that runs already has its own


def new_session(choice: BackendChoice, output: Path) -> Session:
    """A session with the chosen backend; one of our own is started at once and works in `output/.backend`, where what
    resuming needs stays. Raises InputError if there is none, BackendError where it cannot be started."""
    return Session(JobClient(CLIENT_NAME), _source(choice, output))


def known_jobs(choice: BackendChoice, output: Path) -> Path | None:
    """Where a backend of our own keeps the jobs that it finished for this output folder; None for one elsewhere."""
    return None if choice.connection_file is not None else output / WORK_FOLDER / JOBS_FOLDER


def backend_command(choice: BackendChoice) -> BackendCommand:
    """How the backend is started. Raises InputError if there is none."""
    if choice.command:
        command = parse_backend_command(choice.command)
    else:
        usual = (BY_HAND_FOLDER,)
        places = Places(own_environment(environments_folder()), CHECKOUT, usual)
        command = find_backend(CHECKOUT if compat.is_python_module() else None, places)
    return replace(command, environment=DEVICES[choice.device])


def environments_folder() -> Path:
    """Where the add-on makes the environment of its backend: in the extension's own folder, which Blender removes with
    the extension."""
    return compat.user_folder(addon_name) / "backend"


def _source(choice: BackendChoice, output: Path) -> ConnectionSource:
    if choice.connection_file is not None:
        return FileSource(choice.connection_file)
    return BackendProcess(backend_command(choice), output / WORK_FOLDER, time.monotonic())


def host_name() -> str:
    """This Blender, for the record of a result."""
    return f"Blender {bpy.app.version_string}"


def chosen_backend(context: Any) -> BackendChoice:
    """The backend of the user's preferences."""
    stored = stored_preferences(context)
    file = Path(bpy.path.abspath(stored.connection)) if stored.connection else None
    return BackendChoice(stored.backend, file, stored.device)


def check_scene(context: Any) -> None:
    """Raise InputError if the scene has no character or no camera, before anything is started."""
    scene = context.scene
    require_characters(scene, context.view_layer)
    require_camera(scene)


def why_no_shot(context: Any) -> str:
    """What `check_scene` finds, as the reason why a button is grey; empty if there is nothing."""
    try:
        check_scene(context)
    except InputError as error:
        return str(error)
    return ""


def start_job(context: Any, request: GenerateRequest, session: Session) -> GenerateJob:
    """Start rendering the passes of the context's scene and everything that follows.

    Raises InputError if the folders, the characters or the camera cannot be used, RenderError where the child
    Blender cannot be started.
    """
    request.prepare_folders()
    template = request.template
    passes = PassRequest(request.passes_folder, template.frames, template.width, template.height, request.engine)
    return GenerateJob(request, PassRender.start(context, passes), session, time.monotonic())
