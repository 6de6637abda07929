"""Takes against each other: one shown, the others muted; a take as the camera's background."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from .. import compat
from ..passes.geometry import present_camera
from ..scene.properties import settings_of
from ..shared.errors import InputError
from ..shared.files.frame_files import frame_name
from .take import take_folder, take_job, take_named, takes

BACKGROUND = "latentman_background"  # on the image: made here, so that the next take replaces it


def shown_take(scene: Any) -> Any:
    """The take that is seen: the topmost that is not muted; None if there is none."""
    return next((strip for strip in reversed(takes(scene)) if not strip.mute), None)


def show_only(scene: Any, name: str) -> None:
    """Mute all takes but this one; strips that are no takes stay as they are. Raises InputError if it is gone."""
    strip, before = take_named(scene, name), shown_take(scene)
    for other in takes(scene):
        other.mute = other != strip
    if before is not None and before.name != name:
        settings_of(scene).other_take = before.name


def present_take(scene: Any, strip: Any) -> None:
    """Show a take that has just been finished: alone, and with it the one that A/B goes back to, the last shown."""
    others = [other for other in takes(scene) if other != strip]
    before = next((other for other in reversed(others) if not other.mute), None)
    strip.mute = False
    for other in others:
        other.mute = True
    if before is not None:
        settings_of(scene).other_take = before.name


def bring_into_sight(scene: Any, strip: Any) -> None:
    """Go to the take's first frame where the scene's frame is outside the take, and show the scene in sequencers that
    show none."""
    first, behind = int(strip.frame_final_start), int(strip.frame_final_end)
    if not first <= scene.frame_current < behind:
        scene.frame_set(first)
    compat.show_in_sequencers(scene)


def other_take(scene: Any) -> str:
    """The name of the take to compare with: the one shown before, else the one below. Empty if there is none."""
    names = [strip.name for strip in takes(scene)]
    shown = shown_take(scene)
    if len(names) < 2 or shown is None:
        return ""
    before = settings_of(scene).other_take
    if before in names and before != shown.name:
        return str(before)
    return str(names[names.index(shown.name) - 1])


def set_background(scene: Any, name: str) -> None:
    """Show a take behind the camera's view, frame by frame, to line the rig up with it.

    Raises InputError if the take, its first frame or the camera is not there.
    """
    strip = take_named(scene, name)
    camera = present_camera(scene)
    frames = take_job(strip).frames
    first = take_folder(strip) / frame_name(frames[0])
    if not first.is_file():
        raise InputError("timeline.no_frame", f"The take's first frame {first} is missing.", "Resume the take.")
    clear_background(scene)
    image = _load_sequence(first, str(strip.directory))
    entry = camera.data.background_images.new()
    entry.image = image
    entry.alpha = 0.5
    entry.image_user.frame_start = frames[0]
    entry.image_user.frame_offset = frames[0] - 1
    entry.image_user.frame_duration = frames[-1] - frames[0] + 1
    entry.image_user.use_auto_refresh = True
    camera.data.show_background_images = True


def clear_background(scene: Any) -> None:
    """Take the background of a take away; the user's own backgrounds stay."""
    if scene.camera is None or scene.camera.type != "CAMERA":
        return
    entries = scene.camera.data.background_images
    for entry in [entry for entry in entries if entry.image is not None and entry.image.get(BACKGROUND)]:
        image = entry.image
        entry.image = None  # removing the entry alone would leave it counted as a user
        entries.remove(entry)
        if not image.users:
            bpy.data.images.remove(image)


def _load_sequence(first: Path, directory: str) -> Any:
    image = bpy.data.images.load(str(first))
    if directory.startswith("//"):
        image.filepath = f"{directory}{first.name}"
    image.source = "SEQUENCE"
    image[BACKGROUND] = True
    return image
