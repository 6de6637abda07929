"""The job file: all that a result depends on, as one frozen value with one canonical spelling.

Equal jobs have equal bytes, so that submitting the same job twice is the same job.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files.digest import is_digest
from ..files.frame_files import FIRST_FRAME, LAST_FRAME
from ..files.strict_json import StrictJSONError, convert, dump_json, is_text, parse_json
from ..methods import DEFAULT_METHOD, METHODS, MethodSettings, method_named
from ..methods.finish import FINISH, FINISH_GROUP, FinishSettings, check_finish
from ..methods.reading import check_settings, read_settings
from ..methods.setting import settings_as
from ..models.files import EMBEDDED, ModelFiles, check_path_text, files_at, place_of, validate_model_files
from .earlier import SCHEMA, as_today, settings_under_name
from .frame_range import MAX_FRAMES
from .keyed_prompts import format_prompts, parse_prompts

MAX_PROMPT_CHARACTERS = 2_000
MAX_MODEL_CHARACTERS = 1_000
MAX_STEPS = 1_000
MAX_SIZE = 4_096
MAX_SEGMENT_FRAMES = 256
SIZE_MULTIPLE = 8  # the autoencoder's factor


@dataclass(frozen=True, slots=True)
class JobInputs:
    """SHA-256 names of the files that a job reads: one EXR a frame, and the shot's three files."""

    passes: tuple[str, ...]
    shot: str
    vertices: str
    charts: str

    def digests(self) -> tuple[str, ...]:
        """Every input once, in a fixed order."""
        return tuple(dict.fromkeys((*self.passes, self.shot, self.vertices, self.charts)))


@dataclass(frozen=True, slots=True)
class Job:
    """One shot to be rendered by one method. Sizes in pixels; `frames` are scene frame numbers, rising.

    `settings` are of the method's own class; the bare `MethodSettings` stand for its defaults, as the job then has
    them. The defaults suit the embedded model; Stable Diffusion 1.5 wants 512x512 and a guidance of about 7.5. Where
    `prompts` (`keyed_prompts`) is not empty it takes the place of `prompt`.
    """

    prompt: str
    frames: tuple[int, ...]
    inputs: JobInputs
    negative_prompt: str = ""
    seed: int = 7
    method: str = DEFAULT_METHOD
    model: str = EMBEDDED
    model_files: ModelFiles = field(default_factory=ModelFiles)
    steps: int = 20
    guidance_scale: float = 2.0
    controlnet_scale: float = 1.0
    width: int = 256
    height: int = 256
    fps: float = 24.0
    settings: MethodSettings = MethodSettings()
    finish: FinishSettings = FinishSettings()
    segment_frames: int = 8
    prompts: str = ""
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        """Put the method's own defaults where no settings are given. An unknown method is for `validate_job`."""
        if type(self.settings) is MethodSettings and self.method in METHODS:
            object.__setattr__(self, "settings", METHODS[self.method].settings())


def default_of(kind: type, name: str) -> Any:
    """The default of a field of `Job`, or of what a job holds: the only place where defaults stand."""
    found = next(one for one in dataclasses.fields(kind) if one.name == name)
    return found.default if found.default_factory is dataclasses.MISSING else found.default_factory()


def canonical_json(job: Job) -> bytes:
    """The job's one spelling in bytes: `job_values` with sorted keys and no spaces. Raises InputError as that does."""
    return dump_json(job_values(job))


def job_values(job: Job) -> dict[str, Any]:
    """What a job file has: floats as floats, whoever made the job.

    A job without keyed prompts is spelled as before there were any. Raises InputError where a value has not its
    field's type, settings are not the method's, or keyed prompts cannot be read.
    """
    try:
        value = dataclasses.asdict(_typed(parse_json(dump_json(normal_job(job)))))
    except (StrictJSONError, ValueError, TypeError) as error:
        raise InputError("job.invalid", f"The job cannot be written: {error}.") from error
    return {name: one for name, one in value.items() if name != "prompts" or one}


def normal_job(job: Job) -> Job:
    """The job as it is submitted and compared: one with keyed prompts has their one spelling, and the first that is
    not empty as its prompt, for lists. Raises InputError where they cannot be read."""
    if not job.prompts:
        return job
    keys = parse_prompts(job.prompts)
    shown = next(key.prompt for key in keys if key.prompt)
    return dataclasses.replace(job, prompt=shown, prompts=format_prompts(keys))


def parse_job(data: bytes) -> Job:
    """Read a job file, of an earlier schema too, and check it (`validate_job`).

    Raises InputError naming the field at fault.
    """
    try:
        value = parse_json(data)
    except StrictJSONError as error:
        raise _unreadable(error) from error
    return checked_job(value)


def checked_job(value: Any) -> Job:
    """The job that a file's values spell, of an earlier schema too, checked (`validate_job`).

    Raises InputError naming the field at fault.
    """
    try:
        job = read_job(value)
    except StrictJSONError as error:
        raise _unreadable(error) from error
    validate_job(job)
    return job


def read_job(value: Any) -> Job:
    """The job that a file's values spell, of an earlier schema too; not checked.

    Raises StrictJSONError naming the place at fault, InputError for a method or a named set that is none.
    """
    todays = as_today(value)
    if isinstance(todays, dict):
        _check_schema(todays.get("schema", SCHEMA))
    return _typed(_fill_prompt(todays), by_name=settings_under_name(value))


def _typed(value: Any, *, by_name: bool = False) -> Job:
    """The job with the settings of its method: what class they are of is the method's to say.

    Where the file had them under the method's name (`by_name`), faults in them are told there.
    """
    if not isinstance(value, dict):
        raise StrictJSONError("$: an object is needed")
    elsewhere = sorted(value.keys() & METHODS.keys())
    if elsewhere:
        raise StrictJSONError(f"$.{elsewhere[0]}: the settings of a job's method belong under settings")
    job = convert({name: one for name, one in value.items() if name not in ("settings", FINISH)}, Job)
    place = f"$.{job.method}" if by_name else "$.settings"
    settings = read_settings(method_named(job.method), value.get("settings", {}), place)
    finish = settings_as(read_settings(FINISH_GROUP, value.get(FINISH, {}), f"$.{FINISH}"), FinishSettings)
    return dataclasses.replace(job, settings=settings, finish=finish)


def _unreadable(error: StrictJSONError) -> InputError:
    return InputError("job.invalid", f"The job file cannot be read: {error}.", "Write it again.")


def unread_names(value: Mapping[str, Any]) -> list[str]:
    """What a job file has that no job does, of its own schema."""
    names = {field.name for field in dataclasses.fields(Job)}
    if settings_under_name(value):
        names = names - {"settings"} | METHODS.keys()
    return sorted(value.keys() - names)


def _fill_prompt(job: Any) -> Any:
    """A job file's values, with an empty prompt where keyed ones take its place and none is given.

    Anything else is returned as it is, for the reader to judge.
    """
    return {"prompt": "", **job} if isinstance(job, dict) and job.get("prompts") else job


def validate_job(job: Job) -> None:
    """Refuse a job that cannot be run. Raises InputError: one sentence on the first field at fault."""
    _check_schema(job.schema)
    _check_texts(job)
    validate_model_files(job.model_files)
    _check_frames(job)
    _check_numbers(job)
    check_settings(method_named(job.method), job.settings, len(job.frames), job.segment_frames)
    check_finish(job.finish, job.width, job.height, MAX_SIZE)
    _check_inputs(job)


def _check_schema(schema: object) -> None:
    if schema != SCHEMA:
        raise InputError(
            "job.schema",
            f"The job has schema {json.dumps(schema)[:40]}; this version reads schemas 1 to {SCHEMA}.",
            "Use the add-on and the backend of the same version.",
        )


def _check_texts(job: Job) -> None:
    keyed = parse_prompts(job.prompts) if job.prompts else ()
    texts = [(f"prompt of frame {key.frame}", key.prompt) for key in keyed]
    for name, text in (*texts, ("prompt", job.prompt), ("negative prompt", job.negative_prompt)):
        if len(text) > MAX_PROMPT_CHARACTERS:
            raise InputError(
                "job.prompt_long",
                f"The {name} has {len(text):,} characters; the limit is {MAX_PROMPT_CHARACTERS:,}.",
                "Shorten it; the model only reads about 75 words.",
            )
        if "\0" in text or not is_text(text):
            raise InputError("job.prompt_text", f"The {name} contains an invalid character.", "Type it again.")
    if not job.prompt.strip() and not keyed:
        raise InputError("job.prompt_empty", "The prompt is empty.", "Say what the character looks like.")
    method_named(job.method)
    if not job.model or len(job.model) > MAX_MODEL_CHARACTERS or "\0" in job.model:
        raise InputError("job.model", "The model's name is empty or too long.", 'Use "embedded" or a local folder.')
    check_path_text(job.model)


def _check_frames(job: Job) -> None:
    if not job.frames:
        raise InputError("job.frames_empty", "The job has no frames.", "Enter a frame range, for example 1-30.")
    if len(job.frames) > MAX_FRAMES:
        raise InputError(
            "job.frames_many",
            f"The job has {len(job.frames):,} frames; the limit is {MAX_FRAMES:,}.",
            "Render the shot in parts.",
        )
    for before, after in zip(job.frames, job.frames[1:], strict=False):
        if after <= before:
            raise InputError(
                "job.frames_order",
                f"Frame {after} comes after frame {before} in the job; frames must be in rising order.",
                "Sort them.",
            )
    if job.frames[0] < FIRST_FRAME or job.frames[-1] > LAST_FRAME:
        raise InputError(
            "job.frames_range",
            f"The job's frames {job.frames[0]} to {job.frames[-1]} are not all within {FIRST_FRAME} to {LAST_FRAME}.",
            "Move the shot on the timeline.",
        )


def _check_numbers(job: Job) -> None:
    for name, size in (("width", job.width), ("height", job.height)):
        if not SIZE_MULTIPLE <= size <= MAX_SIZE or size % SIZE_MULTIPLE:
            raise InputError(
                "job.size",
                f"The {name} is {size} pixels; it must be a multiple of {SIZE_MULTIPLE} up to {MAX_SIZE}.",
                f"Try {max(SIZE_MULTIPLE, min(MAX_SIZE, round(size / SIZE_MULTIPLE) * SIZE_MULTIPLE))}.",
            )
    _within("steps", job.steps, 1, MAX_STEPS)
    _within("segment_frames", job.segment_frames, 1, MAX_SEGMENT_FRAMES)
    _within("guidance_scale", job.guidance_scale, 0.0, 100.0)
    _within("controlnet_scale", job.controlnet_scale, 0.0, 10.0)
    _within("fps", job.fps, 0.01, 1_000.0)
    _within("seed", job.seed, 0, 2**63 - 1)


def _check_inputs(job: Job) -> None:
    if len(job.inputs.passes) != len(job.frames):
        raise InputError(
            "job.inputs_count",
            f"The job has {len(job.frames)} frames and {len(job.inputs.passes)} passes.",
            "Render one pass per frame.",
        )
    for digest in job.inputs.digests():
        if not is_digest(digest):
            raise InputError("job.inputs_digest", f"The job names an input {digest[:70]!r}, which is not a SHA-256.")


def _within(name: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise InputError("job.number", f"{name} is {value}; it must be from {low:g} to {high:g}.", f"Change {name}.")


def with_model_at(job: Job, base: Path, blend_folder: Path | None = None) -> Job:
    """The same job with the paths of its model and of the files beside it made absolute (`models.files.place_of`)."""
    model = place_of(job.model, base, blend_folder)
    return dataclasses.replace(job, model=model, model_files=files_at(job.model_files, base, blend_folder))


def with_inputs(job: Job, inputs: JobInputs) -> Job:
    """The same job on other inputs."""
    return dataclasses.replace(job, inputs=inputs)
