"""FBX and glTF files: Blender's own importer brings them in, their armatures are read, and nothing of them stays."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import bpy

from ... import compat
from ...scene_time import at_once
from ...shared.body import Body
from ...shared.errors import MotionError
from ...shared.files.frame_files import is_file
from ...shared.motion import SMPLMotion
from ...shared.motion.retarget.guess import guess_map
from .as_character import SourceOptions, motion_from
from .scene_armature import reading_steps, skeleton_of

FOREIGN_SUFFIXES: Final = (".fbx", ".glb", ".gltf")
_KEPT: Final = ("frame_start", "frame_end", "frame_step")
_RATE: Final = ("fps", "fps_base")
_REMOVED: Final = (
    "Blender imported the file; its own armature and meshes were removed again. To keep them, use Blender's File > "
    "Import and then From Armature."
)


@dataclass(frozen=True, slots=True)
class ForeignOptions:
    """Which of the file's animations and people; None: all people."""

    sample: int = 0
    person: int | None = None
    source: SourceOptions = SourceOptions()


def is_foreign(path: Path) -> bool:
    """Whether a file is one that Blender imports itself, by its name."""
    return path.suffix.lower() in FOREIGN_SUFFIXES


def foreign_motions(scene: Any, path: Path, body: Body, options: ForeignOptions) -> list[SMPLMotion]:
    """The motions of the file's people on this body; the scene is as it was. Raises MotionError."""
    with _imported(scene, path) as new:
        actions, armatures = _actions(new), _people(new)
        if not armatures:
            what = f"{path.name} has no armature with the bones of a person."
            raise MotionError(
                "motion.no_person", what, "Import it with Blender's File > Import and choose the bones there."
            )
        chosen = _chosen(path, armatures, options)
        return [_motion(scene, path, armature, actions, body, options) for armature in chosen]


def _motion(
    scene: Any, path: Path, armature: Any, actions: list[Any], body: Body, options: ForeignOptions
) -> SMPLMotion:
    notes = _play(path, armature, actions, options.sample)
    keys = _played(armature)
    if not keys:
        raise MotionError("motion.empty", f"{path.name} has no animation of {armature.name!r}.", "Export it with one.")
    source = at_once(reading_steps(scene, armature, keys))
    motion = motion_from(replace(source, name=path.name), body, options.source)
    return replace(motion, notes=(*notes, *motion.notes, _REMOVED))


def _played(armature: Any) -> range:
    """The frames of the animation that the armature plays; glTF's others lie beside it in muted tracks."""
    ends = [curve.range() for curve in compat.fcurves_played_by(armature.animation_data_create())]
    if not ends:
        return range(0)
    return range(math.floor(min(first for first, _ in ends)), math.ceil(max(last for _, last in ends)) + 1)


def _play(path: Path, armature: Any, actions: list[Any], sample: int) -> tuple[str, ...]:
    """Have the armature play one of the file's animations, the importer's own choice first; what to say of it.

    Raises MotionError.
    """
    animation = armature.animation_data_create()
    own = [one for one in actions if one == animation.action]
    ordered = own + [one for one in actions if one not in own]
    if not 0 <= sample < max(len(ordered), 1):
        many = f"The file has animations 0 to {len(ordered) - 1}."
        there = many if len(ordered) > 1 else "The file has one animation: leave it at 0."
        raise MotionError("motion.no_such_sample", f"{path.name} has no animation {sample}.", there)
    if len(ordered) < 2:
        return ()
    if ordered[sample] not in own:
        compat.play(animation, ordered[sample], compat.first_slot(ordered[sample]))
    return (f"The file has {len(ordered)} animations; this is {sample}, {ordered[sample].name}.",)


def _people(new: list[Any]) -> list[Any]:
    """The armatures that are people, in the order of their names."""
    kind: Any = bpy.types.Object
    found = [one for one in new if isinstance(one, kind) and one.type == "ARMATURE" and one.data.bones]
    return sorted((one for one in found if not guess_map(skeleton_of(one)).missing), key=lambda one: one.name)


def _actions(new: list[Any]) -> list[Any]:
    """The animations of bones, in the order of their names."""
    found = [one for one in new if isinstance(one, bpy.types.Action)]
    moving = [one for one in found if any("pose.bones" in path for path in compat.paths_of(one))]
    return sorted(moving, key=lambda one: one.name)


def _chosen(path: Path, armatures: list[Any], options: ForeignOptions) -> list[Any]:
    if options.person is None:
        return armatures
    if options.person >= len(armatures):
        there = f"The file has persons 0 to {len(armatures) - 1}."
        raise MotionError("motion.no_such_person", f"{path.name} has no person {options.person}.", there)
    return [armatures[options.person]]


@contextmanager
def _imported(scene: Any, path: Path) -> Iterator[list[Any]]:
    """What the importer makes; it is removed at the end, and the scene's frames, rate and selection are put back."""
    if not is_file(path):
        raise MotionError("file.missing", f"There is no file {path}.", "Check the path.")
    before = set(_data())
    frames = {name: getattr(scene, name) for name in _KEPT}
    rate = {name: getattr(scene.render, name) for name in _RATE}
    current, view_layer = scene.frame_current, _view_layer()
    active, selected = view_layer.objects.active, [one for one in view_layer.objects if one.select_get()]
    try:
        _import(path)
        yield [one for pointer, one in _data().items() if pointer not in before]
    finally:
        bpy.data.batch_remove([one for pointer, one in _data().items() if pointer not in before])
        for target, values in ((scene, frames), (scene.render, rate)):
            for name, value in values.items():
                setattr(target, name, value)
        scene.frame_set(current)
        for item in selected:
            item.select_set(True)
        view_layer.objects.active = active


def _view_layer() -> Any:
    """The context's, which the importer uses."""
    return bpy.context.view_layer


def _import(path: Path) -> None:
    importer = compat.importer(path.suffix.lower())
    if importer is None:
        what = f"This Blender has no importer for {path.suffix} files."
        raise MotionError("motion.no_importer", what, "Enable its add-on in the preferences.")
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # what importers tell of themselves
            done = importer(filepath=str(path.absolute()))
    except RuntimeError as error:
        raise MotionError("motion.import", f"Blender cannot import {path.name}: {str(error).strip()}") from error
    if "FINISHED" not in done:
        raise MotionError("motion.import", f"Blender cannot import {path.name}.", "Look into the console for why.")


def _data() -> dict[int, Any]:
    """Every datablock of the file, by where it is."""
    names = [one.identifier for one in bpy.data.bl_rna.properties if one.type == "COLLECTION"]
    return {item.as_pointer(): item for name in names for item in getattr(bpy.data, name)}
