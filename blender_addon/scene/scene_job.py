"""Between a scene's settings and a job: what the panel shows, what the batch command repeats, what a take keeps."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path
from typing import Any

import bpy

from ..client.job_file import ShotFile
from ..client.request import placeholder_inputs
from ..scene_time import rounded, scene_fps, scene_range
from ..shared.errors import InputError
from ..shared.files.strict_json import StrictJSONError, convert, parse_json
from ..shared.jobs.frame_range import MAX_FRAMES, format_frames, parse_frames
from ..shared.jobs.job import Job, default_of, read_job, with_model_at
from ..shared.methods import METHODS, MethodSettings
from ..shared.methods.finish import FINISH, FINISH_GROUP, FinishSettings
from ..shared.methods.reading import read_settings
from ..shared.methods.setting import defaults, settings_as, values_of
from ..shared.methods.spec import HasSettings
from ..shared.methods.table import settings_groups
from ..shared.models.files import ModelFiles
from .preferences import stored_preferences
from .presets import Change, changes, preset_named
from .prompt_text import store_prompts, stored_prompts
from .properties import LatentManSceneSettings, group_of, settings_of
from .setting_properties import shown_settings
from .unsaved_takes import next_unsaved_folder

# Settings of a job that the panel shows, and that the scene keeps under the same names. All others are kept together,
# as JSON: a take or a job file may have them. So are those of a method or the finish that have no place in the panel.
_OF_THE_SCENE = frozenset({"frames", "inputs", "fps", "schema", "settings", FINISH, "prompts"})
_OF_THE_JOB = tuple(field.name for field in dataclasses.fields(Job) if field.name not in _OF_THE_SCENE)
_PLAIN = tuple(name for name in _OF_THE_JOB if name in LatentManSceneSettings.__annotations__)
_HIDDEN = tuple(name for name in _OF_THE_JOB if name not in _PLAIN)


def preset_changes(scene: Any) -> tuple[Change, ...]:
    """What the scene's chosen preset would change. Raises InputError if its settings cannot be read."""
    method, preset = preset_named(settings_of(scene).preset)
    return changes(method, preset, _template(scene, (1,), ""), stored_settings(scene, method))


def apply_preset(scene: Any) -> None:
    """Set what the scene's chosen preset says; everything else stays as it is."""
    method, preset = preset_named(settings_of(scene).preset)
    settings_of(scene).method = method.name
    if preset.steps is not None:
        settings_of(scene).steps = preset.steps
    _store_group(scene, method, preset.settings)


def hidden_settings(scene: Any) -> tuple[str, ...]:
    """The names of the settings that the panel does not show and that are not at their defaults."""
    names = ((*value,) if name in settings_groups() else (name,) for name, value in _other(scene).items())
    return tuple(itertools.chain.from_iterable(names))


def scene_frames(scene: Any) -> tuple[int, ...]:
    """The frames that the scene names, else its range. Raises InputError if there are more than a job may have."""
    named = settings_of(scene).frames.strip()
    if named:
        return parse_frames(named)
    whole = scene_range(scene)
    if len(whole) > MAX_FRAMES:
        raise InputError(
            "frames.many",
            f"The scene has {len(whole):,} frames; a job takes at most {MAX_FRAMES:,}.",
            "Choose fewer frames.",
        )
    return tuple(whole)


def stored_template(scene: Any, frames: tuple[int, ...]) -> Job:
    """The job settings that the scene stores, for these frames, without inputs. Raises InputError if those that the
    panel does not show cannot be read, or the text with keyed prompts is empty."""
    return _template(scene, frames, stored_prompts(scene))


def stored_settings(scene: Any, owner: HasSettings) -> MethodSettings:
    """The settings that the scene stores for a method, the present one or another, or for the finish. Raises InputError
    where those that the panel does not show cannot be read."""
    given = dict(_other(scene).get(owner.name, {}))
    for name in shown_settings(owner.settings):
        given[name] = _plain(getattr(group_of(scene, owner.name), name))
    try:
        return read_settings(owner, given)
    except StrictJSONError as error:
        raise _unreadable(error) from error


def _template(scene: Any, frames: tuple[int, ...], prompts: str) -> Job:
    settings = settings_of(scene)
    document = {
        **{name: value for name, value in _other(scene).items() if name not in settings_groups()},
        **{name: _plain(getattr(settings, name)) for name in _PLAIN},
        "frames": [],
        "inputs": {"passes": [], "shot": "", "vertices": "", "charts": ""},
        "fps": scene_fps(scene),
        "prompts": prompts,
    }
    try:
        job = read_job(document)
    except StrictJSONError as error:
        raise _unreadable(error) from error
    folder = open_blend_folder()
    job = with_model_at(job, folder or Path.cwd(), folder)
    own = stored_settings(scene, METHODS[job.method])
    finish = settings_as(stored_settings(scene, FINISH_GROUP), FinishSettings)
    return dataclasses.replace(job, settings=own, finish=finish, frames=frames, inputs=placeholder_inputs(len(frames)))


def open_blend_folder() -> Path | None:
    """The folder of the open .blend; None if it has not been saved yet."""
    return Path(bpy.data.filepath).parent if bpy.data.filepath else None


def store_settings(scene: Any, job: Job, engine: str) -> None:
    """Keep a job's settings in the scene, so that the panel shows them and the batch command repeats them.

    A value outside its field's limits is not kept: the panel could only show another one.
    """
    settings = settings_of(scene)
    for name in _PLAIN:
        _store(settings, name, getattr(job, name))
    other = {name: value for name, value in _other(scene).items() if name in settings_groups()}
    other |= {name: getattr(job, name) for name in _HIDDEN if getattr(job, name) != default_of(Job, name)}
    _keep_other(scene, other)
    _store_group(scene, METHODS[job.method], job.settings)
    _store_group(scene, FINISH_GROUP, job.finish)
    store_prompts(scene, job.prompts)
    _store(settings, "engine", engine)
    settings.frames = "" if job.frames == tuple(scene_range(scene)) else format_frames(job.frames)


def _store_group(scene: Any, owner: HasSettings, settings: MethodSettings) -> None:
    """Keep a method's or the finish's settings: those of the panel in their group, of the others what is not at its
    default."""
    shown, usual, hidden = shown_settings(owner.settings), defaults(owner.settings), {}
    for name, value in values_of(settings).items():
        if name in shown:
            _store(group_of(scene, owner.name), name, value)
        elif value != usual[name]:
            hidden[name] = value
    _keep_other(scene, _other(scene) | {owner.name: hidden})


def stored_model_files(scene: Any) -> ModelFiles:
    """What the scene's job takes beside its model. Raises InputError if it cannot be read."""
    try:
        return convert(_other(scene).get("model_files", {}), ModelFiles)
    except StrictJSONError as error:
        raise _unreadable(error) from error


def store_model(scene: Any, model: str, files: ModelFiles) -> None:
    """Use a model with its ControlNet, autoencoders and config folder; LoRAs and embeddings stay. Raises InputError
    where the present ones cannot be read."""
    before = stored_model_files(scene)
    kept = dataclasses.replace(files, loras=before.loras, embeddings=before.embeddings)
    settings_of(scene).model = model
    other = {name: value for name, value in _other(scene).items() if name != "model_files"}
    _keep_other(scene, other | ({"model_files": kept} if kept != ModelFiles() else {}))


def shot_file(scene: Any, base: Path) -> ShotFile:
    """The scene as a shot that the batch command can render: its settings, its file, its output folder."""
    template = stored_template(scene, scene_frames(scene))
    blend = Path(bpy.data.filepath) if bpy.data.filepath else None
    methods = {template.method: template.settings}
    return ShotFile(template, methods, settings_of(scene).engine, blend, scene.name, base)


def output_base(context: Any, scene: Any) -> Path:
    """The folder that holds the scene's passes and takes: its own, else the preferences' with BLEND and SCENE filled
    in; where these are relative to a file that is not saved yet, the next free folder of `unsaved_takes`.

    Raises InputError if the scene's own folder is not a definite place.
    """
    blend = Path(bpy.data.filepath).stem if bpy.data.filepath else "untitled"
    pattern = stored_preferences(context).output
    given = settings_of(scene).output or pattern.replace("BLEND", blend).replace("SCENE", _plain_name(scene.name))
    if not settings_of(scene).output and given.startswith("//") and not bpy.data.filepath:
        return next_unsaved_folder()
    path = Path(bpy.path.abspath(given))
    if not given or not path.is_absolute() or (given.startswith("//") and not bpy.data.filepath):
        raise InputError(
            "output.relative",
            f"The output folder {given!r} is relative to the .blend file, and the file is not saved yet.",
            "Save the file, or give an absolute path.",
        )
    return path


def keep_output(scene: Any, base: Path) -> None:
    """Name the folder in the scene where the file is not saved: its takes stay where they are when it is saved."""
    if not bpy.data.filepath and not settings_of(scene).output:
        settings_of(scene).output = str(base)


def _plain(value: Any) -> Any:
    """A property's value as JSON has it."""
    if isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return rounded(value)
    return [rounded(number) for number in value]


def _other(scene: Any) -> dict[str, Any]:
    text = settings_of(scene).other
    if not text:
        return {}
    try:
        value = parse_json(text.encode())
    except StrictJSONError as error:
        raise _unreadable(error) from error
    if not isinstance(value, dict) or not all(isinstance(value.get(name, {}), dict) for name in settings_groups()):
        raise _unreadable("an object is needed")
    return value


def _keep_other(scene: Any, other: dict[str, Any]) -> None:
    kept = {name: value for name, value in other.items() if value != {}}
    text = json.dumps(kept, default=dataclasses.asdict, sort_keys=True)
    settings_of(scene).other = text if kept else ""


def _unreadable(reason: object) -> InputError:
    return InputError(
        "settings.other", f"The settings that the panel does not show cannot be read: {reason}.", "Reset them."
    )


def _store(settings: Any, name: str, value: Any) -> None:
    field = settings.bl_rna.properties[name]
    if field.type == "ENUM":
        fits = value in field.enum_items.keys()
    elif field.type in ("STRING", "BOOLEAN"):
        fits = True
    else:
        numbers = value if isinstance(value, list | tuple) else (value,)
        fits = all(field.hard_min <= number <= field.hard_max for number in numbers)
    if fits:
        setattr(settings, name, value)


def _plain_name(name: str) -> str:
    """A name as part of a folder's: a scene may be called anything."""
    return "".join(letter if letter.isalnum() or letter in " -_." else "_" for letter in name).strip(" .") or "_"
