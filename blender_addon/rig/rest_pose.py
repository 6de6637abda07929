"""Characters in their rest pose, in a scene of their own.

The render's own scene is left alone: an armature that rests there, even for a moment, would spoil what physics has
computed for what touches the body. Only ever used in the child, on the copy of the user's file.

At rest a body has its modifiers as they are rendered, at the scene's first frame, but no physics, and no shape key that
keys or drivers move: pose correctives are zero. What deforms the body by way of another object (a cage, a lattice)
stays as posed in that frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from .. import compat
from .character import Character
from .correctives import CORRECTIVES_KEY

_PHYSICS = ("CLOTH", "SOFT_BODY", "COLLISION", "PARTICLE_SYSTEM", "DYNAMIC_PAINT", "FLUID")
_SIMPLIFY = ("use_simplify", "simplify_subdivision", "simplify_subdivision_render")


@contextmanager
def resting(scene: Any, characters: list[Character]) -> Iterator[tuple[Any, list[Character]]]:
    """A scene that holds copies of the characters at rest, in the same order; it is removed again at the end."""
    own = bpy.data.scenes.new("LatentMan rest")
    made: list[Any] = []
    try:
        for name in _SIMPLIFY:
            setattr(own.render, name, getattr(scene.render, name))
        own.render.resolution_x = own.render.resolution_y = 8
        own.camera = _link(own, bpy.data.objects.new("LatentMan rest", bpy.data.cameras.new("LatentMan rest")), made)
        copies = [_at_rest(own, one, made) for one in characters]
        own.frame_set(scene.frame_start)
        yield own, copies
    finally:
        for item in made:
            bpy.data.objects.remove(item)
        bpy.data.scenes.remove(own)


def _at_rest(own: Any, character: Character, made: list[Any]) -> Character:
    body = _link(own, character.body.copy(), made)
    body.data = body.data.copy()
    _calm_shape_keys(body.data.shape_keys)
    for modifier in [one for one in body.modifiers if one.type in _PHYSICS]:
        body.modifiers.remove(modifier)
    resting_rigs: dict[Any, Any] = {}

    def at_rest(rig: Any) -> Any:
        if rig not in resting_rigs:
            copy = _link(own, rig.copy(), made)
            copy.data = copy.data.copy()
            copy.data.pose_position = "REST"
            resting_rigs[rig] = copy
        return resting_rigs[rig]

    for modifier in body.modifiers:
        if modifier.type == "ARMATURE" and modifier.object is not None:
            modifier.object = at_rest(modifier.object)
    if body.parent is not None and body.parent.type == "ARMATURE":
        body.parent = at_rest(body.parent)
    return Character(at_rest(character.armature), body)


def _link(own: Any, item: Any, made: list[Any]) -> Any:
    own.collection.objects.link(item)
    made.append(item)
    return item


def _calm_shape_keys(keys: Any) -> None:
    """Set the shape keys to zero that something moves; those with a value of their own are the body's shape."""
    if keys is None:
        return
    path = 'key_blocks["{}"].value'
    moved = [
        block
        for block in keys.key_blocks
        if block.name == CORRECTIVES_KEY
        or compat.is_animated(keys, path.format(bpy.utils.escape_identifier(block.name)))
    ]
    keys.animation_data_clear()
    for block in moved:
        block.value = 0
