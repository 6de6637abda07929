"""The job file that the panel saves and the batch command reads: one shot, from which file and how.

    {"latentman_shot": 3, "blend": "shot.blend", "scene": "Scene", "output": "latentman", "engine": "cycles",
     "methods": {"latentman": {"align": [0.0, 0.4]}}, "frames": "1-30,47", "settings": {"prompt": "a robot", "seed": 7}}

Paths are relative to the file's folder, those of models too. `methods` has each method's own settings, `settings` are
fields of `Job` (shared.jobs); what is left out has its default. The `job.json` that lies beside a result is read as
well: it names no file and no folder.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..shared.errors import InputError
from ..shared.files.frame_files import write_atomic
from ..shared.files.strict_json import StrictJSONError, convert, parse_json
from ..shared.jobs.frame_range import format_frames, parse_frames
from ..shared.jobs.job import Job, job_values, parse_job, read_job, with_model_at
from ..shared.methods import METHODS, MethodSettings, method_named
from ..shared.methods.finish import FINISH, FinishSettings
from ..shared.methods.reading import read_settings, settings_of_earlier, spelled
from ..shared.methods.setting import values_of
from .request import placeholder_inputs

# What a file leaves out means what a job of its time meant. Version 1 had the methods as a list, and the settings of a
# method under its name among the job's, as the jobs of its time.
SHOT_SCHEMA = 3
_JOB_SCHEMA_OF = {1: 2, 2: 4}
_MAX_BYTES = 16 << 20

# What a shot says elsewhere: frames as a range, methods with their settings; inputs and frame rate come from the
# rendered scene.
_NOT_SETTINGS = frozenset({"frames", "inputs", "method", "settings", "fps", "schema"})
_SETTINGS = frozenset(field.name for field in dataclasses.fields(Job)) - _NOT_SETTINGS


@dataclass(frozen=True, slots=True)
class ShotFile:
    """A shot as it was saved: a job for each of `methods`, with its own settings. `job` is that of the first, with
    placeholders for inputs; None and empty text mean "not said"."""

    job: Job
    methods: Mapping[str, MethodSettings]
    engine: str = ""
    blend: Path | None = None
    scene: str = ""
    output: Path | None = None


@dataclass(frozen=True, slots=True)
class _Document:
    """The file's fields but for the settings, which are checked as a job's and a method's."""

    latentman_shot: int
    frames: str
    methods: dict[str, Any]
    engine: Literal["", "cycles", "eevee"] = ""  # those of the passes, which lie in a room beside this one
    blend: str = ""
    scene: str = ""
    output: str = ""


_DOCUMENT_FIELDS = frozenset(field.name for field in dataclasses.fields(_Document)) | {"settings"}


def read_job_file(path: Path) -> ShotFile:
    """Read a saved shot, or the job file of a result. Raises InputError naming the file and the field at fault."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES)
    except OSError as error:
        raise InputError("arguments.job", f"The job file {path} cannot be read: {error.strerror}.") from error
    try:
        value = parse_json(content)
        if not isinstance(value, dict) or "latentman_shot" not in value:
            job = with_model_at(parse_job(content), path.absolute().parent)
            return ShotFile(job, {job.method: job.settings})
        return _shot(value, path.absolute().parent)
    except StrictJSONError as error:
        raise InputError("job.file", f"The job file {path} cannot be read: {error}.", "Save it again.") from error


def write_job_file(path: Path, shot: ShotFile) -> None:
    """Write a shot so that `read_job_file` gives it back. Raises LatentManError `storage.*`."""
    settings = job_values(shot.job)
    folder = path.absolute().parent
    document = {
        "latentman_shot": SHOT_SCHEMA,
        "blend": _relative(shot.blend, folder),
        "scene": shot.scene,
        "output": _relative(shot.output, folder),
        "engine": shot.engine,
        "methods": {name: spelled(values_of(own)) for name, own in shot.methods.items()},
        "frames": format_frames(shot.job.frames),
        "settings": {name: value for name, value in settings.items() if name in _SETTINGS},
    }
    write_atomic(path, (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode())


def _shot(value: dict[str, Any], folder: Path) -> ShotFile:
    value = _as_today(value)
    document = convert(value, _Document)
    unknown = sorted(set(value) - _DOCUMENT_FIELDS)
    if unknown:
        belongs = "belongs in settings" if unknown[0] in _SETTINGS else "is not known"
        raise StrictJSONError(f"$: {unknown[0][:60]!r} {belongs}; the names are {', '.join(sorted(_DOCUMENT_FIELDS))}")
    if not document.methods:
        raise StrictJSONError("$.methods: name at least one method")
    for name, text in (("blend", document.blend), ("output", document.output)):
        if "\0" in text:
            raise StrictJSONError(f"$.{name}: a path cannot contain a zero character")
    blend = folder / os.path.expanduser(document.blend) if document.blend else None
    methods = {
        name: read_settings(method_named(name), own, f"$.methods.{name}") for name, own in document.methods.items()
    }
    job = _job(value["settings"], document, methods)
    return ShotFile(
        job=with_model_at(job, folder, folder if blend is None else blend.parent),
        methods=methods,
        engine=document.engine,
        blend=blend,
        scene=document.scene,
        output=folder / os.path.expanduser(document.output) if document.output else None,
    )


def _as_today(value: dict[str, Any]) -> dict[str, Any]:
    """The file, one of an earlier version as one of today. Raises StrictJSONError for another version, and where
    `settings` are no object."""
    version, settings = value["latentman_shot"], value.get("settings")
    if type(version) is not int or version not in (*_JOB_SCHEMA_OF, SHOT_SCHEMA):
        shown = json.dumps(version)[:40]
        raise StrictJSONError(f"it has version {shown}; this add-on reads versions 1 to {SHOT_SCHEMA}")
    if not isinstance(settings, dict):
        raise StrictJSONError("$.settings: an object is needed")
    if version == SHOT_SCHEMA:
        return value
    schema = _JOB_SCHEMA_OF[version]
    if version == 1:
        names = convert(value.get("methods"), tuple[str, ...], "$.methods")
        given = {name: settings.get(name, {}) for name in names}
        settings = {name: one for name, one in settings.items() if name not in METHODS}
    else:
        given = convert(value.get("methods"), dict[str, Any], "$.methods")
    methods = {name: settings_of_earlier(method_named(name).settings, own, schema) for name, own in given.items()}
    settings = settings | {FINISH: settings_of_earlier(FinishSettings, settings.get(FINISH, {}), schema)}
    return {**value, "latentman_shot": SHOT_SCHEMA, "methods": methods, "settings": settings}


def _job(settings: dict[str, Any], document: _Document, methods: Mapping[str, MethodSettings]) -> Job:
    unknown = sorted(set(settings) - _SETTINGS)
    if unknown:
        there_are = ", ".join(sorted(_SETTINGS))
        raise StrictJSONError(f"$.settings: {unknown[0][:60]!r} is not a setting; there are {there_are}")
    frames = parse_frames(document.frames)
    inputs = dataclasses.asdict(placeholder_inputs(len(frames)))
    inputs["passes"] = list(inputs["passes"])
    first, own = next(iter(methods.items()))
    job = read_job({**settings, "frames": list(frames), "inputs": inputs, "method": first})
    return dataclasses.replace(job, settings=own)


def _relative(path: Path | None, folder: Path) -> str:
    """A path as seen from a folder, with slashes on every system; as it is if it lies on another drive."""
    if path is None:
        return ""
    try:
        return Path(os.path.relpath(path.absolute(), folder)).as_posix()
    except ValueError:
        return path.absolute().as_posix()
