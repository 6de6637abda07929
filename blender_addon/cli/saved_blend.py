"""What `--save-blend` saves: the file with settings, takes and, with `--texture`, the character's texture."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Literal

import bpy

from ..client.generate_job import GenerateJob
from ..rig.body_texture import put_texture
from ..rig.character import require_characters
from ..scene.scene_job import store_settings
from ..shared.body.atlas_layout import ATLAS_FILE
from ..shared.errors import InputError
from ..shared.files.frame_files import is_file, shown_path
from ..shared.files.strict_json import as_text, is_text
from ..shared.methods import METHODS
from ..timeline.take import Take, add_take

_LOCKED = " or ".join(one.name for one in METHODS.values() if one.locked)
FROM_TAKE: Literal[True] = True  # what `--texture` is without a file

Texture = Path | Literal[True] | None


def check_target(path: Path, output: Path) -> None:
    """Before anything is rendered: whether the file can be put there. The output folder is made if it is not there."""
    if path.suffix.lower() != ".blend":
        raise InputError("arguments.save_blend", f"{path} does not end in .blend.", "Name a .blend file.")
    parent = path.absolute().parent
    if not is_text(str(output.absolute())):
        what = f"The takes in {as_text(str(output))} cannot be in a .blend: Blender only accepts names in UTF-8 there."
        raise InputError("timeline.name", what, "Choose another output folder.")
    try:
        if path.is_dir():
            raise InputError("arguments.save_blend", f"{shown_path(path)} is a folder.", "Choose another name.")
        if parent != output.absolute() and not parent.is_dir():
            raise InputError("arguments.save_blend", f"The folder of {path} does not exist.", "Create it first.")
        with contextlib.suppress(FileNotFoundError):
            path.absolute().with_name(f"{path.name}@").lstat()  # Blender's name while it writes
    except OSError as error:
        raise InputError(
            "arguments.save_blend", f"{shown_path(path)} cannot be saved: {error.strerror}.", "Choose another name."
        ) from error


def check_texture(texture: Texture, blend: Path | None) -> None:
    """Before anything is rendered: whether `--texture` can be done, as far as that is known."""
    if texture is not None and blend is None:
        raise InputError("arguments.texture", "--texture needs --save-blend.", "Give --save-blend FILE as well.")
    if isinstance(texture, Path) and not is_file(texture):
        raise InputError("arguments.texture", f"There is no texture {shown_path(texture)}.", "Name an atlas.png.")


def save_blend(scene: Any, job: GenerateJob, path: Path, texture: Texture) -> None:
    """Save a copy of the file with the settings, with every method's take on the timeline, and with the texture.

    Raises InputError if it cannot be saved, or after it is saved where no method has made a texture to put on.
    """
    for done, job_id in job.results:
        store_settings(scene, done, job.request.engine)
        folder, notes = job.request.frames_folder(done.method), job.notes(done.method)
        add_take(scene, Take(folder, done, job_id, job.request.engine, notes))
    atlas = _atlas_of(job) if texture is FROM_TAKE else texture
    if isinstance(atlas, Path):
        put_texture(require_characters(scene, bpy.context.view_layer)[0].body, atlas)
    try:  # Blender makes all relative paths, the takes' too, relative to the new place
        bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True, check_existing=False, relative_remap=True)
    except RuntimeError as error:
        raise InputError("arguments.save_blend", f"{path} cannot be saved: {str(error).strip()}.") from error
    if texture is FROM_TAKE and atlas is None:
        methods = ", ".join(done.method for done, _ in job.results)
        raise InputError(
            "arguments.texture",
            f"{shown_path(path)} was saved without a texture: {methods} made none.",
            f"Add {_LOCKED} to --method, or give --finish-lock on.",
        )


def _atlas_of(job: GenerateJob) -> Path | None:
    """The texture of the first method that made one."""
    places = (job.request.frames_folder(done.method) / ATLAS_FILE for done, _ in job.results)
    return next((place for place in places if is_file(place)), None)
