"""What a scene stores for motions made from a text: `scene.latentman.made_motion`."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

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
        description="Length of the motion. 0: as long as its actions usually take",
        default=0,
        min=0,
        max=LONGEST_S,
        unit="TIME_ABSOLUTE",
    )
    seed: IntProperty(
        name="Motion Seed",
        description="A different number gives a different motion for the same text",
        default=0,
        min=0,
    )
    guidance_scale: FloatProperty(
        name="Motion Guidance",
        description="How closely the motion follows the text: 2.5 is usual for MDM. 0: the model's own value",
        default=0,
        min=0,
        max=20,
    )
    model: StringProperty(
        name="Motion Model",
        description="Folder of an MDM checkpoint with its args.json. Empty: the small model that ships with LatentMan",
        subtype="DIR_PATH",
    )

    part: EnumProperty(
        name="Fill",
        description="What Fill Between Keys replaces",
        items=(
            ("frames", "Frames", "The frames between First and Last; both of these stay"),
            ("upper_body", "Upper Body", "Spine, head and arms of the whole motion; legs and path stay"),
        ),
    )
    own_frames: BoolProperty(
        name="Own Frames",
        description="Fill between these frames, instead of the keys of the edit layer around the current frame",
    )
    first: IntProperty(name="First", description="The last frame that stays before the new ones", default=1)
    last: IntProperty(name="Last", description="The first frame that stays after the new ones", default=60)


def motion_text_of(scene: Any) -> LatentManMotionText:
    """The scene's settings for motions from a text; only there while the add-on is registered."""
    settings: LatentManMotionText = scene.latentman.made_motion
    return settings
