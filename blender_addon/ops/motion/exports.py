"""What a character's motion can be exported as: the program's own writers, and two of Blender's exporters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ... import compat
from ...rig.character import Character
from ...rig.import_character import scene_body
from ...rig.stack.layers import clip_range
from ...rig.world_motion import rest_of, world_steps
from ...scene_time import at_once, scene_range
from ...shared.errors import InputError
from ...shared.motion.writers import WRITERS, Writer, write_motion
from ..base.selection import only_selected

Write = Callable[[Any, Character, Path], tuple[str, ...]]  # context; sentences about what was written


@dataclass(frozen=True, slots=True)
class Export:
    """One row of the menu."""

    name: str
    label: str
    suffix: str
    description: str  # a sentence without its full stop
    write: Write


def _by_writer(writer: Writer) -> Export:
    def write(context: Any, character: Character, path: Path) -> tuple[str, ...]:
        scene, armature = context.scene, character.armature
        motion = at_once(world_steps(scene, armature, frames_of(scene, armature)))
        return write_motion(path, motion, writer, rest_joints=rest_of(armature, scene_body(scene)))

    return Export(writer.name, writer.label, writer.suffix, writer.description, write)


def _gltf(context: Any, character: Character, path: Path) -> tuple[str, ...]:
    """One animation, sampled from what is seen: layers of the NLA would else become one each."""
    options = {
        "export_format": "GLB",
        "use_selection": True,
        "export_animations": True,
        "export_animation_mode": "SCENE",
        "export_force_sampling": True,
        "export_frame_range": True,
        "export_frame_step": 1,
    }
    with _clip_as_range(context.scene, frames_of(context.scene, character.armature)):
        _call(
            "export_scene.gltf",
            "Enable the add-on glTF 2.0 format in the preferences.",
            context,
            character,
            path,
            options,
        )
    return ()


def _alembic(context: Any, character: Character, path: Path) -> tuple[str, ...]:
    frames = frames_of(context.scene, character.armature)
    options = {
        "selected": True,
        "start": frames[0],
        "end": frames[-1],
        "as_background_job": False,
        "flatten": False,
    }
    _call("wm.alembic_export", "Use a build of Blender with Alembic.", context, character, path, options)
    return ()


EXPORTS = (
    *map(_by_writer, WRITERS),
    Export("gltf", "glTF", ".glb", "Body and armature with the motion, by Blender's exporter", _gltf),
    Export("alembic", "Alembic", ".abc", "The body's moving surface, by Blender's exporter", _alembic),
)


def export_named(name: str) -> Export:
    """The row of that name, which there must be."""
    return next(one for one in EXPORTS if one.name == name)


def frames_of(scene: Any, armature: Any) -> tuple[int, ...]:
    """The frames of a character's clip; the scene's where nothing is keyed."""
    clip = clip_range(armature)
    return tuple(scene_range(scene) if clip is None else range(clip[0], clip[1] + 1))


@contextmanager
def _clip_as_range(scene: Any, frames: tuple[int, ...]) -> Iterator[None]:
    """The scene's range set to the clip, and put back."""
    before = scene.frame_start, scene.frame_end, scene.frame_current
    try:
        scene.frame_start, scene.frame_end = max(0, frames[0]), max(0, frames[-1])
        yield
    finally:
        scene.frame_start, scene.frame_end = before[:2]
        scene.frame_set(before[2])


def _call(operator: str, hint: str, context: Any, character: Character, path: Path, options: dict[str, Any]) -> None:
    """Call one of Blender's exporters with the character selected. Raises InputError; `hint` where it is missing."""
    if not compat.has_operator(operator):
        raise InputError("export.no_exporter", f"This Blender has no exporter {operator}.", hint)
    group, function = operator.split(".")
    with only_selected(context, [character.armature, character.body]):
        try:
            getattr(getattr(bpy.ops, group), function)(
                filepath=str(path), **compat.known_options(operator, {"check_existing": False, **options})
            )
        except RuntimeError as error:
            raise InputError("export.failed", f"Blender could not write {path.name}: {error}".strip()) from error
