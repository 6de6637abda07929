"""What a scene stores for LatentMan, saved in the .blend: `scene.latentman`. Panel and batch command read it."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from .shared.job import MAX_PROMPT_CHARACTERS, MAX_STEPS

_METHOD_ITEMS = (
    ("latentman", "LatentMan", "Details hold still on the body from frame to frame"),
    ("text2video_zero", "Text2Video-Zero", "The baseline: every frame attends to the first one"),
)
_ENGINE_ITEMS = (
    ("cycles", "Cycles", "Exact, and works on every machine"),
    ("eevee", "EEVEE", "Needs a graphics card or software OpenGL; chart coordinates are less fine"),
)


class LatentManSceneSettings(bpy.types.PropertyGroup):
    """The settings of one scene."""

    motion_path: StringProperty(name="Motion", description="Motion file: MDM .npy or AMASS .npz", subtype="FILE_PATH")
    body_path: StringProperty(
        name="Body", description="SMPL body file (.npz); the free body where empty", subtype="FILE_PATH"
    )
    follow_camera: BoolProperty(
        name="Follow", description="The camera moves along with the character instead of showing the whole way"
    )
    prompt: StringProperty(name="Prompt", description="What the video shows", maxlen=MAX_PROMPT_CHARACTERS)
    negative_prompt: StringProperty(
        name="Negative", description="What the video must not show", maxlen=MAX_PROMPT_CHARACTERS
    )
    seed: IntProperty(name="Seed", description="Equal seeds give equal noise", default=7, min=0)
    method: EnumProperty(name="Method", items=_METHOD_ITEMS, default="latentman")
    model: StringProperty(
        name="Model", description='"embedded", or a folder of Stable Diffusion 1.5 weights', default="embedded"
    )
    steps: IntProperty(name="Steps", description="Denoising steps", default=20, min=1, max=MAX_STEPS)
    guidance_scale: FloatProperty(
        name="Guidance", description="How strongly the prompt pulls", default=3.5, min=0, max=50
    )
    width: IntProperty(name="Width", default=256, min=64, max=4096, step=8, subtype="PIXEL")
    height: IntProperty(name="Height", default=256, min=64, max=4096, step=8, subtype="PIXEL")
    output: StringProperty(
        name="Output", description="Folder for passes and frames", subtype="DIR_PATH", default="//latentman"
    )
    engine: EnumProperty(name="Passes", items=_ENGINE_ITEMS, default="cycles")


def settings_of(scene: Any) -> LatentManSceneSettings:
    """The scene's settings; only there while the add-on is registered."""
    return scene.latentman


def register() -> None:
    """Add `scene.latentman`."""
    bpy.utils.register_class(LatentManSceneSettings)
    bpy.types.Scene.latentman = PointerProperty(type=LatentManSceneSettings)


def unregister() -> None:
    """Remove `scene.latentman`; what is stored in files stays there."""
    del bpy.types.Scene.latentman
    bpy.utils.unregister_class(LatentManSceneSettings)
