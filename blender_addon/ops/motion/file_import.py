"""The import of motion files, for every operator that starts one: what is said of them, and what becomes of them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, CollectionProperty, IntProperty, StringProperty

from ...look.camera import frame_shot, look_through
from ...look.tracked_camera import film
from ...rig.character import NOTES, WARNINGS, characters
from ...rig.import_character import ImportOptions, import_characters, scene_betas, scene_body
from ...scene.properties import (
    motion_fps_field,
    motion_start_field,
    motion_unit_field,
    motion_up_field,
    motion_view_field,
)
from ...scene_time import scene_range
from ...shared.errors import InputError, LatentManError
from ...shared.motion.samples import sample_at
from ...shared.motion.units import UNITS_M
from ...shot.running import wake
from ...typed_bpy import Outcome
from ..base.reporting import refuse, reported
from ..picture_size import adopt, adopted

NO_RATE = "motion.no_rate"


class MotionFiles:
    """The files of an import and what the user says about them; an operator's base."""

    # Nothing of one file is remembered for the next import: neither its place nor what was said of it.
    filepath: StringProperty(name="File", subtype="FILE_PATH", options={"SKIP_SAVE"})
    directory: StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"})
    files: CollectionProperty(type=bpy.types.OperatorFileListElement, options={"HIDDEN", "SKIP_SAVE"})
    sample: IntProperty(
        name="Sample",
        description="Which motion to import from a file that has several; the character's box has their names",
        default=0,
        min=0,
        options={"HIDDEN", "SKIP_SAVE"},
    )
    repetition: IntProperty(
        name="Repetition",
        description="Which repetition of a generated sample",
        default=0,
        min=0,
        options={"HIDDEN", "SKIP_SAVE"},
    )
    person: IntProperty(
        name="Person",
        description="Which person to import from a file that has several. -1: all of them",
        default=-1,
        min=-1,
        options={"SKIP_SAVE"},
    )
    fps: motion_fps_field(options={"SKIP_SAVE"})
    up: motion_up_field(options={"SKIP_SAVE"})
    unit: motion_unit_field(options={"SKIP_SAVE"})
    view: motion_view_field(options={"SKIP_SAVE"})
    start_frame: motion_start_field(options={"SKIP_SAVE"})  # the scene's first frame if it is not given
    beside: BoolProperty(
        name="Beside Others",
        description="Move the character sideways if it would stand inside another",
        default=True,
        options={"SKIP_SAVE"},
    )
    may_ask = False  # whether somebody is there who can answer: set by `invoke`, so that scripts get an error instead

    @reported
    def execute(self: Any, context: Any) -> Outcome:
        """Read each file, make its characters, and frame them where the scene has no camera of the user's.

        Of several files those that are motions are imported, and each of the others is named. Files whose rate nobody
        says are asked about.
        """
        scene = context.scene
        take_from_scene(self, scene)
        made: list[Any] = []
        unsaid: list[Path] = []
        for path in chosen_paths(self, scene):
            try:
                made += _import(self, scene, path)
            except LatentManError as error:
                if error.code == NO_RATE:
                    scene.latentman.motion_path = str(path)  # where the question beside the message finds it
                if error.code == NO_RATE and self.may_ask:
                    unsaid.append(path)
                else:
                    refuse(self, error)
        if unsaid:
            _ask(self, unsaid)
        if not made:
            return {"CANCELLED"}
        show_imported(self, context, made)
        return {"FINISHED"}


def show_imported(operator: Any, context: Any, made: list[Any]) -> None:
    """Frame new characters where the scene has no camera of the user's, and select them."""
    scene = context.scene
    if adopt(scene):  # not before: an operator that is cancelled leaves no step to undo
        operator.report({"INFO"}, adopted(scene))
    try:
        _frame(context, made[-1])
    except LatentManError as error:
        refuse(operator, error)
    _select(context, made)
    wake()


def take_from_scene(operator: Any, scene: Any) -> None:
    """What the caller does not say is taken from the panel's fields, and shown in the redo panel."""
    settings = scene.latentman
    start = settings.motion_start if settings.own_start else scene.frame_start
    said = {
        "fps": settings.motion_fps, "up": settings.motion_up, "unit": settings.motion_unit,
        "view": settings.motion_view, "start_frame": start,
    }  # fmt: skip
    for name, value in said.items():
        if not operator.properties.is_property_set(name):
            setattr(operator, name, value)


def chosen_paths(operator: Any, scene: Any) -> list[Path]:
    """The files that were chosen or dropped; called without one, the file of the last import."""
    named = [os.path.join(operator.directory, one.name) for one in operator.files if one.name]
    texts = named or [operator.filepath or scene.latentman.motion_path]
    if not texts[0]:
        raise InputError("motion.no_file", "No motion file was chosen.", "Choose one.")
    return [Path(os.path.expanduser(bpy.path.abspath(text))) for text in texts]


def _import(operator: Any, scene: Any, path: Path) -> list[Any]:
    """The armatures of one file; their notes are reported. Raises LatentManError, and nothing is made then."""
    options = ImportOptions(
        operator.sample, operator.repetition, operator.fps or None, operator.up, operator.start_frame,
        scene_betas(scene), operator.beside, None if operator.person < 0 else operator.person,
        UNITS_M.get(operator.unit), view=operator.view, body_path=bpy.path.abspath(scene.latentman.body_path),
    )  # fmt: skip
    made = import_characters(scene, path, scene_body(scene), options, film)
    for armature in made:
        armature.latentman_open = armature == made[0] and len(characters(scene)) == len(made)
    if sample_at(path) is None:
        scene.latentman.motion_path = str(path)
    for note in json.loads(made[0][NOTES]):
        operator.report({"WARNING" if note in json.loads(made[0][WARNINGS]) else "INFO"}, note)
    for warning in (warning for other in made[1:] for warning in json.loads(other[WARNINGS])):
        operator.report({"WARNING"}, warning)
    return made


def _ask(operator: Any, paths: list[Path]) -> None:
    """Open the question about the rate of files that do not say it, with all else as it was said."""
    said = {
        name: getattr(operator, name) for name in ("sample", "repetition", "person", "up", "unit", "view", "beside")
    }
    files = [{"name": str(path)} for path in paths]
    bpy.ops.latentman.ask_frame_rate(  # type: ignore[attr-defined]
        "INVOKE_DEFAULT", files=files, start_frame=operator.start_frame, **said
    )


def _frame(context: Any, armature: Any) -> None:
    """Have a camera of our own see the new character and the others, and show the user what it sees."""
    scene = context.scene
    others = tuple(one.armature for one in characters(scene) if one.armature != armature)
    size = scene.latentman.width, scene.latentman.height
    look_through(context, frame_shot(scene, armature, tuple(scene_range(scene)), size=size, also=others))


def _select(context: Any, armatures: list[Any]) -> None:
    """Leave the new characters selected and the last one active, as importers do: the next step is to pose it."""
    for item in context.view_layer.objects:
        item.select_set(item in armatures)
    if armatures[-1].name in context.view_layer.objects:
        context.view_layer.objects.active = armatures[-1]
