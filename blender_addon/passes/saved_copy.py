"""The copy of the open file that the child renders: the same scene, with what lies beside the file within reach."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import bpy

from ..shared.errors import RenderError
from ..typed_bpy import preferences

_CACHES = "blendcache_{}"  # Blender's name for the folder beside a file that holds its physics


def save_copy(folder: Path) -> Path:
    """Save the open file's present state in `folder`, and make its caches there; returns the copy's path.

    The open file keeps its name, and stays unsaved if it was. Paths relative to it are rewritten by Blender.
    Raises RenderError if the copy cannot be written.
    """
    # Under the original's name, after which Blender names and finds the folder with what is baked beside a file.
    path = folder / (Path(bpy.data.filepath).name or "copy.blend")
    try:
        with _no_preview():
            bpy.ops.wm.save_as_mainfile(
                filepath=str(path), copy=True, check_existing=False, compress=False, relative_remap=True
            )
        _share_caches(path)
    except (RuntimeError, OSError) as error:
        raise RenderError(
            "render.copy", f"A copy of the file could not be saved for rendering: {str(error).strip()}."
        ) from error
    return path


def _share_caches(copy: Path) -> None:
    """Give the copy the physics that is baked beside the open file.

    File by file, each under a name of its own: what the child deletes or simulates again leaves the user's files alone.
    """
    source = Path(bpy.data.filepath).with_name(_CACHES.format(copy.stem)) if bpy.data.filepath else None
    if source is None or not source.is_dir():
        return
    target = copy.with_name(source.name)
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        _link(file, place)


def _link(source: Path, target: Path) -> None:
    """A symbolic link, or a copy where the system has none to give (Windows asks for a privilege)."""
    try:
        os.symlink(source, target)
    except (OSError, NotImplementedError):
        shutil.copyfile(source, target)


@contextlib.contextmanager
def _no_preview() -> Iterator[None]:
    """Saving without the little picture of the scene in the file: drawing it takes longer than all else, and nobody
    sees this copy. The user's choice comes back."""
    own = preferences()
    kept, dirty = own.filepaths.file_preview_type, own.is_dirty
    own.filepaths.file_preview_type = "NONE"
    try:
        yield
    finally:
        own.filepaths.file_preview_type = kept
        own.is_dirty = dirty
