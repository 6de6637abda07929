"""A motion file as characters: the one way in, for panel and batch alike, and the way back to the file."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import bpy

from ..scene_time import scene_fps
from ..shared.body import Body, free_body, load_body
from ..shared.errors import InputError
from ..shared.motion import Ask, Contents, SMPLMotion, Up
from ..shared.motion.reading.clip import View
from ..shared.motion.retarget.bone_map import BoneMap
from .character import MOVED, add_note, characters, import_motion, replay_motion
from .import_record import ImportRecord, store_import, stored_import
from .motion_figures import check_of, store_check
from .motion_files import open_motion
from .placement import stand_beside
from .source.as_character import SourceOptions
from .source.foreign_file import ForeignOptions, foreign_motions, is_foreign


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the user says about the file, and about where it goes; None leaves it to the file and the scene."""

    sample: int = 0
    repetition: int = 0
    fps: float | None = None  # of the file
    up: Up = "auto"
    start_frame: int | None = None
    betas: tuple[float, ...] | None = None  # (10,) instead of the file's
    beside: bool = False  # stand beside the characters that are there instead of inside one
    person: int | None = None  # one of several people; None: all of them
    unit_m: float | None = None  # metres in one unit of the file's places
    spare_fps: float | None = None  # for a file whose rate nobody says; told in a warning
    view: View = "world"  # whose axes a filmed motion has
    body_path: str = ""  # where the body is from; empty for the free one
    bones: BoneMap | None = None  # of a file with a skeleton of its own; None: by the names and the shape


# What makes the camera of a motion that was filmed: scene, armature, motion, the take's start frame, the import's name.
Filming = Callable[[Any, Any, SMPLMotion, int, str], None]


def import_characters(
    scene: Any, path: Path, body: Body, options: ImportOptions, filming: Filming | None = None
) -> list[Any]:
    """Read the file for this body and make a character for each person of the take; their armature objects.

    Joints are the body's with the shape that it is shown with. People keep their positions relative to each other,
    and enter when they do in the file; `filming` is called once they stand where they stay. FBX and glTF files go
    through Blender's importer. Raises MotionError and BodyError; nothing is made then.
    """
    others = [one.armature for one in characters(scene)]
    if is_foreign(path):
        made, shoot = _foreign(scene, path, body, options), None
    else:
        made, shoot = _known(scene, path, body, options, filming)
    moved_m = stand_beside(scene, made, others) if options.beside else 0.0
    for armature in made if moved_m else ():
        add_note(armature, f"{MOVED}{moved_m:.1f} m along X, to stand beside the other characters")
    if shoot is not None:
        shoot()
    return made


def _foreign(scene: Any, path: Path, body: Body, options: ImportOptions) -> list[Any]:
    """The characters of a file that Blender imports; it cannot be read again in place."""
    said = ForeignOptions(options.sample, options.person, SourceOptions(options.bones, options.betas))
    made = []
    unused = _unused(options)
    for found in foreign_motions(scene, path, body, said):
        motion = replace(found, warnings=(*found.warnings, *unused))
        armature = import_motion(scene, motion, body, name=path.stem, start_frame=options.start_frame)
        store_check(armature, check_of(motion, body))
        made.append(armature)
    return made


def _unused(options: ImportOptions) -> tuple[str, ...]:
    """One sentence if something was set that Blender's importers decide themselves."""
    given = {"Frame Rate": options.fps is not None, "Up": options.up != "auto", "Unit": options.unit_m is not None}
    names = [name for name, is_set in given.items() if is_set]
    return (f"Not used for this file, which Blender's importer reads: {', '.join(names)}.",) if names else ()


def _known(
    scene: Any, path: Path, body: Body, options: ImportOptions, filming: Filming | None
) -> tuple[list[Any], Callable[[], None] | None]:
    """The characters of a file that the readers know, each with the record by which it is read again; and what makes
    the camera."""
    file = open_motion(path)
    ask = Ask(
        options.sample, options.repetition, options.fps, options.up, options.unit_m, options.person,
        spare_fps=options.spare_fps, betas=options.betas, view=options.view, bones=options.bones,
    )  # fmt: skip
    motions = file.people(ask, body.joints)
    contents = file.contents()
    start = scene.frame_start if options.start_frame is None else options.start_frame
    group, made = uuid.uuid4().hex, []
    for number, motion in enumerate(motions):
        person = number if options.person is None else options.person
        names = _people(contents, options.sample, options.repetition)
        name = f"{path.stem} {names[person]}" if len(motions) > 1 else path.stem
        armature = import_motion(scene, motion, body, name=name, start_frame=start + _enters(scene, motion))
        record = ImportRecord(
            path=str(path.absolute()), group=group, sample=options.sample, repetition=options.repetition,
            person=person, fps=options.fps, up=options.up, unit_m=options.unit_m, view=options.view,
            two_views=contents.two_views, start_frame=start,
            betas=[float(beta) for beta in motion.betas], body=options.body_path,
            bones={} if options.bones is None else dict(options.bones.bones),
            people=names, takes=_takes(contents), **_read(motion),
        )  # fmt: skip
        store_import(armature, record)
        store_check(armature, check_of(motion, body))
        made.append(armature)
    return made, None if filming is None else partial(filming, scene, made[0], motions[0], start, group)


def reimport(scene: Any, armature: Any, change: Mapping[str, Any], filming: Filming | None = None) -> list[Any]:
    """Read a character's file again with something said differently; the armatures that play it differently now.

    All people of one import change together, so that they keep their relative positions; another `person` changes
    this character alone. Bodies, names, places and edit layers stay. Raises LatentManError; nothing is changed then.
    """
    said = _recorded(armature)
    record = replace(said, **change)
    alone = "person" in change
    file = open_motion(Path(record.path))
    body = load_body(Path(record.body)) if record.body else free_body()
    bones = BoneMap("the import's map", record.bones) if record.bones else None
    ask = Ask(
        record.sample, record.repetition, record.fps, cast(Up, record.up), record.unit_m, view=cast(View, record.view),
        bones=bones,
    )  # fmt: skip
    contents = file.contents()
    names = _people(contents, record.sample, record.repetition)
    group = [one.armature for one in characters(scene)] if not alone else []
    members = {one: found for one in [armature, *group] if (found := stored_import(one)) and found.group == said.group}
    played = {one: record.person if one == armature else found.person for one, found in members.items()}
    if max(played.values()) >= len(names):
        raise InputError(
            "motion.no_such_person",
            f"This take of {Path(record.path).name} has {len(names)} of the {max(played.values()) + 1} people.",
            "Choose another take, or delete the characters that it does not have.",
        )
    motions = {
        one: file.people(replace(ask, betas=members[one].betas), body.joints)[person] for one, person in played.items()
    }
    for one, motion in motions.items():
        replay_motion(scene, one, motion, record.start_frame + _enters(scene, motion))
        said_now = replace(
            record, person=played[one], people=names, betas=members[one].betas, takes=_takes(contents),
            two_views=contents.two_views, **_read(motion),
        )  # fmt: skip
        store_import(one, said_now)
        store_check(one, check_of(motion, body))
    if filming is not None and not alone:
        filming(scene, armature, motions[armature], record.start_frame, said.group)
    return list(played)


def _recorded(armature: Any) -> ImportRecord:
    record = stored_import(armature)
    if record is None:
        raise InputError(
            "motion.no_record",
            f"{armature.name!r} does not know its motion file: an earlier version imported it.",
            "Import the file again.",
        )
    if armature.library is not None:
        raise InputError("motion.linked", f"{armature.name!r} is linked from another file.", "Change it there.")
    return record


def _people(contents: Contents, sample: int, repetition: int) -> list[str]:
    """The names of the people of a take."""
    takes = {(one.sample, one.repetition): one for one in contents.takes}
    take = takes.get((sample, repetition))
    return [""] if take is None else list(take.people)


def _takes(contents: Contents) -> list[list[Any]]:
    """The takes of a file, as a record keeps them."""
    return [[one.sample, one.repetition, one.label] for one in contents.takes]


def _enters(scene: Any, motion: SMPLMotion) -> int:
    """How many frames of the scene after the take's first the person enters."""
    return round(motion.first_frame * scene_fps(scene) / motion.fps)


def _read(motion: SMPLMotion) -> dict[str, Any]:
    """How a motion was read, for a record."""
    assert motion.assumptions is not None  # every file's motion has them
    told = asdict(motion.assumptions)
    return {f"read_{name}" if name in ("fps", "up", "unit_m") else name: value for name, value in told.items()}


def scene_body(scene: Any) -> Body:
    """The body that the scene's settings name, else the free one. Raises BodyError."""
    path = bpy.path.abspath(scene.latentman.body_path)
    return load_body(Path(path)) if path else free_body()


def scene_betas(scene: Any) -> tuple[float, ...] | None:
    """The shape that the scene's settings put in place of a file's; None if they leave it to the file."""
    settings = scene.latentman
    return tuple(settings.betas) if settings.own_betas else None
