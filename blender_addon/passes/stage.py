"""The opened copy, frame by frame: which characters the shot has, and what a render will see of each frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import bpy
import numpy as np
from numpy.typing import NDArray

from .. import compat
from ..rig.character import Character, require_characters
from ..rig.correctives import apply_correctives, load_correctives, pose_feature
from ..rig.rest_pose import resting
from ..shared.errors import InputError
from ..shared.jobs.frame_range import format_frames
from .geometry import perspective_camera
from .probe import RenderProbe
from .settings import apply_settings, keep_evaluated, prepare_bodies, remove_left_out, simplify_objects
from .spec import PassSpec
from .surroundings import drawn_bodies
from .trust import ALLOWED, require_drivers

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Stage:
    """The scene that is rendered, and its characters: the bodies that at least one frame of the shot renders.

    A character is one in all frames of the shot: it has vertices even if it is not rendered. Whatever else carries
    a body's attributes hides what is behind it, and is never a character.
    """

    scene: Any
    view_layer: Any
    probe: RenderProbe
    characters: list[Character]
    correctives: list[NDArray[np.float32] | None]  # a character each
    poses: dict[int, list[NDArray[np.float32]]] = field(default_factory=dict)  # by frame; only where there are any

    @property
    def bodies(self) -> list[Any]:
        """The characters' bodies."""
        return [character.body for character in self.characters]

    def show(self, frame: int) -> None:
        """Go to a frame, pose correctives included."""
        self.scene.frame_set(frame)
        if all(offsets is None for offsets in self.correctives):
            return
        if frame not in self.poses:
            self.poses[frame] = self.probe.read(self._poses)
        rows = zip(self.characters, self.poses[frame], self.correctives, strict=True)
        for character, feature, offsets in rows:
            if offsets is not None:
                apply_correctives(character.body, feature, offsets)

    def read(self, frame: int, function: Callable[[Any], _T]) -> _T:
        """What `function` makes of the dependency graph of a frame's render."""
        self.show(frame)
        return self.probe.read(function)

    def read_at_rest(self, function: Callable[[list[Character], Any], _T]) -> _T:
        """What `function` makes of the characters in their rest pose and of the dependency graph that has them."""
        with resting(self.scene, self.characters) as (scene, characters):
            view_layer = scene.view_layers[0]
            with bpy.context.temp_override(scene=scene, view_layer=view_layer):  # else it has the other scene's frame
                return self.probe.read_of(scene, view_layer, lambda depsgraph: function(characters, depsgraph))

    def _poses(self, depsgraph: Any) -> list[NDArray[np.float32]]:
        return [pose_feature(character.armature.evaluated_get(depsgraph)) for character in self.characters]


@contextmanager
def open_stage(spec: PassSpec) -> Iterator[Stage]:
    """Open the copy and prepare it for the passes. Raises InputError if no character is rendered, RenderError where
    a driver that runs for the user does not run here."""
    bpy.ops.wm.open_mainfile(filepath=spec.blend, load_ui=False, use_scripts=spec.scripts == ALLOWED)
    scene = bpy.data.scenes[spec.scene]
    view_layer = scene.view_layers[spec.view_layer]
    _leave_modes(view_layer)
    remove_left_out()
    apply_settings(scene, view_layer, spec)
    simplify_objects(scene, view_layer)
    probe = RenderProbe(scene, view_layer)
    try:
        characters = _rendered_characters(scene, view_layer, probe, spec.frames)
        probe.read(lambda depsgraph: require_drivers(depsgraph.objects, spec.scripts, spec.drivers))
        bodies = [character.body for character in characters]
        prepare_bodies(bodies)
        keep_evaluated(scene, bodies)
        yield Stage(scene, view_layer, probe, characters, [load_correctives(body) for body in bodies])
    finally:
        probe.close()


def _leave_modes(view_layer: Any) -> None:
    """Bring the objects that the file was saved with in another mode to Object Mode: a mesh in Edit Mode shows none of
    its attributes, an armature only its rest pose."""
    for item in view_layer.objects:
        if item.mode != "OBJECT":
            with bpy.context.temp_override(view_layer=view_layer, object=item, active_object=item):
                bpy.ops.object.mode_set(mode="OBJECT")


def _rendered_characters(scene: Any, view_layer: Any, probe: RenderProbe, frames: tuple[int, ...]) -> list[Character]:
    found = require_characters(scene, view_layer)
    bodies = [character.body for character in found]
    drawn = np.zeros(len(found), bool)
    for frame in frames:
        scene.frame_set(frame)
        perspective_camera(scene)
        drawn |= probe.read(lambda depsgraph: drawn_bodies(depsgraph, view_layer, bodies))
        if drawn.all():
            break
    if not drawn.any():
        keyed = "its visibility is keyed or driven" if compat.is_animated(bodies[0], "hide_render") else "it is hidden"
        raise InputError(
            "passes.not_rendered",
            f"{bodies[0].name!r} is not rendered in any of the shot's frames {format_frames(frames)}: {keyed}.",
            "Show it in renders, or choose other frames.",
        )
    return [character for character, seen in zip(found, drawn, strict=True) if seen]
