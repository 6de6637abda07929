"""What a scene stores for motions made from a text: `scene.latentman.made_motion`."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import FloatProperty, IntProperty, StringProperty

MAX_TEXT_CHARACTERS = 500
LONGEST_S = 120.0


class LatentManMotionText(bpy.types.PropertyGroup):
    """The text of a motion, and how it is made."""

    text: StringProperty(
        name="Motion Text",
        description='What the character does: "a person waves, then jumps"',
        maxlen=MAX_TEXT_CHARACTERS,
    )
    seconds: FloatProperty(
        name="Seconds",
        description="Length of the motion. 0: as long as the text's actions usually take",
        default=0,
        min=0,
        max=LONGEST_S,
        unit="TIME_ABSOLUTE",
    )
    seed: IntProperty(
        name="Motion Seed", description="A different number gives a different motion of the same text", default=0, min=0
    )
    guidance_scale: FloatProperty(
        name="Motion Guidance",
        description="How closely the motion follows its text: 2.5 is usual",
        default=2.5,
        min=0,
        max=20,
    )
    model: StringProperty(
        name="Motion Model",
        description="Folder of an MDM checkpoint with its args.json. Empty: the small model that ships with LatentMan",
        subtype="DIR_PATH",
    )


def motion_text_of(scene: Any) -> LatentManMotionText:
    """The scene's settings for motions from a text; only there while the add-on is registered."""
    settings: LatentManMotionText = scene.latentman.made_motion
    return settings
