"""What a scene stores for LatentMan, saved in the .blend: `scene.latentman`. Panel and batch command read it.

Each method's settings are a group of their own, `scene.latentman.METHOD.SETTING`, made from its declaration, and so are
the finish's, `scene.latentman.finish.SETTING`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    EnumProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..shared.jobs.job import MAX_PROMPT_CHARACTERS, MAX_SEGMENT_FRAMES, MAX_STEPS, Job, default_of
from ..shared.methods import METHODS
from ..shared.methods.table import presets, settings_groups
from ..shared.models.table import FAMILY_LABELS
from ..shared.motion import UP_AXES
from ..shared.motion.units import UNIT_LABELS
from ..typed_bpy import pointer_to
from .motion_text import LatentManMotionText
from .setting_properties import settings_group, shown_settings

Item = tuple[str, str, str]

# A .blend holds a choice by its number: of those of earlier files, their places in the lists of then.
_EARLIER_METHODS = ("latentman", "text2video_zero", "masactrl", "shared_noise", "per_frame")
_EARLIER_PRESETS = ("standard", "draft", "quick", "align_only", "strong", "paper", "released")


def numbered(items: Iterable[Item], earlier: Sequence[str]) -> tuple[tuple[str, str, str, str, int], ...]:
    """A list's items with a number each that it keeps wherever it stands, so that files mean the same in any version:
    that of `earlier` ones is their place there, that of others comes from the name."""
    return tuple(
        (name, label, text, "", earlier.index(name) if name in earlier else _number(name))
        for name, label, text in items
    )


def _number(name: str) -> int:
    """A number for a name, 2**30 up to what Blender's 32 bits hold."""
    return 1 << 30 | zlib.crc32(name.encode()) & (1 << 30) - 1


_METHOD_ITEMS = numbered(((one.name, one.label, one.description) for one in METHODS.values()), _EARLIER_METHODS)
_ENGINE_ITEMS = (
    ("cycles", "Cycles", "Exact, and works on every machine"),
    ("eevee", "EEVEE", "Needs a graphics card or software OpenGL; chart coordinates are less precise"),
)
_UP_ITEMS = (
    ("auto", "Automatic", "The axis of the file's format, unless the character clearly stands along another"),
    *((axis, axis.upper(), f"The file's {axis.upper()} points up") for axis in UP_AXES[1:]),
)
_VIEW_ITEMS = (
    ("world", "World", "The character moves through the scene, and the video's camera with it"),
    ("camera", "Camera", "The character moves before a still camera, as the video shows it"),
)
_UNIT_ITEMS = (
    ("auto", "Automatic", "The unit of the file's format"),
    *((name, label, f"Positions in the file are in {label.lower()}") for name, label in UNIT_LABELS.items()),
)
_PRESET_ITEMS = numbered(
    ((name, f"{method.label}: {one.label}", one.description) for name, (method, one) in presets().items()),
    _EARLIER_PRESETS,
)
_GROUPS = {name: settings_group(one) for name, one in settings_groups().items() if shown_settings(one.settings)}


_job = partial(default_of, Job)


def motion_fps_field(**options: Any) -> Any:
    """The frame rate that a user says a motion file has."""
    return FloatProperty(
        name="Frame Rate",
        description="Frames per second of the motion file. 0: the file's own rate, or the one of its format",
        default=0,
        min=0,
        max=1000,
        **options,
    )


def motion_up_field(**options: Any) -> Any:
    """The axis that a user says points up in a motion file."""
    return EnumProperty(
        name="Up", description="Which axis of the motion file points up", items=_UP_ITEMS, default="auto", **options
    )


def motion_unit_field(**options: Any) -> Any:
    """The unit of length that a user says a motion file has."""
    return EnumProperty(
        name="Unit",
        description="Unit of the positions in the file. Joint positions need none: they are scaled to the body",
        items=_UNIT_ITEMS,
        default="auto",
        **options,
    )


def motion_view_field(**options: Any) -> Any:
    """Whose axes a motion has that was filmed."""
    return EnumProperty(
        name="Seen From",
        description="Whether a motion from a video moves through the scene or plays before a still camera",
        items=_VIEW_ITEMS,
        default="world",
        **options,
    )


def motion_start_field(**options: Any) -> Any:
    """The frame of the scene in which a motion starts."""
    return IntProperty(name="Start Frame", description="Scene frame of the motion's first pose", default=1, **options)


def _pixels(label: str, name: str) -> Any:
    text = f"{label} of the frames, a multiple of 8; the embedded model was trained on 256 by 256 pixels"
    return IntProperty(name=label, description=text, default=_job(name), min=64, max=4096, step=8, subtype="PIXEL")


def preset_field(**options: Any) -> Any:
    """One of all methods' presets."""
    return EnumProperty(
        name="Preset",
        description="A method with a set of settings",
        items=_PRESET_ITEMS,
        default=_PRESET_ITEMS[0][0],
        **options,
    )


class LatentManSceneSettings(bpy.types.PropertyGroup):
    """The settings of one scene."""

    motion_path: StringProperty(
        name="Motion",
        description="The last imported motion file. The file browser opens there, and an import by a script uses it",
        subtype="FILE_PATH",
    )
    motion_fps: motion_fps_field()
    motion_up: motion_up_field()
    motion_unit: motion_unit_field()
    motion_view: motion_view_field()
    own_start: BoolProperty(
        name="Own Start Frame", description="Put the motion at this frame instead of the scene's first"
    )
    motion_start: motion_start_field()
    source_armature: PointerProperty(
        type=bpy.types.Object,
        name="Armature",
        description="The armature that From Armature uses. Empty: the selected one",
        poll=lambda _, item: item.type == "ARMATURE",
    )
    source_keys: BoolProperty(
        name="All Keys",
        description="Use all frames from the armature's first key to its last instead of the scene's range",
    )
    body_path: StringProperty(
        name="Body", description="SMPL body file (.npz). Empty: the free body", subtype="FILE_PATH"
    )
    own_betas: BoolProperty(name="Own Shape", description="Use this body shape instead of the motion file's")
    betas: FloatVectorProperty(
        name="Betas",
        description="The ten shape numbers of SMPL: 0 is the average body",
        size=10,
        soft_min=-3,
        soft_max=3,
    )
    follow_camera: BoolProperty(
        name="Follow",
        description="Frame Shot makes a camera that moves with the character, instead of one that shows its whole path",
    )
    prompt: StringProperty(
        name="Prompt", description="What the frames show: the character and the place", maxlen=MAX_PROMPT_CHARACTERS
    )
    prompts: PointerProperty(
        type=bpy.types.Text,
        name="Keyed",
        description='Prompts that change along the shot, as a text: "1: a robot, 30: a knight", or one a line',
    )
    negative_prompt: StringProperty(
        name="Negative Prompt", description="What the frames must not show", maxlen=MAX_PROMPT_CHARACTERS
    )
    seed: IntProperty(
        name="Seed",
        description="A different number gives different pictures; the same number repeats them",
        default=_job("seed"),
        min=0,
    )
    method: EnumProperty(
        name="Method",
        description="How the frames are kept consistent with each other",
        items=_METHOD_ITEMS,
        default=_job("method"),
    )
    model: StringProperty(
        name="Model",
        description=f'"embedded", or a folder or file of {FAMILY_LABELS} weights',
        default=_job("model"),
    )
    steps: IntProperty(
        name="Steps",
        description="Denoising steps per frame. More steps give finer details and take longer",
        default=_job("steps"),
        min=1,
        max=MAX_STEPS,
    )
    guidance_scale: FloatProperty(
        name="Guidance Scale",
        description="How closely the frames follow the prompt: 2 suits the embedded model, 7.5 Stable Diffusion",
        default=_job("guidance_scale"),
        min=0,
        max=50,
    )
    controlnet_scale: FloatProperty(
        name="Depth Scale",
        description="How closely the frames follow the depth of the body: 1 is usual",
        default=_job("controlnet_scale"),
        min=0,
        max=10,
    )
    segment_frames: IntProperty(
        name="Segment",
        description="Frames denoised together. Fewer need less memory, and an edit changes fewer frames",
        default=_job("segment_frames"),
        min=1,
        max=MAX_SEGMENT_FRAMES,
    )
    preset: preset_field()
    width: _pixels("Width", "width")
    height: _pixels("Height", "height")
    frames: StringProperty(
        name="Frames", description='For example "1-30,47,60-90x2". Empty: the scene\'s frame range', maxlen=1000
    )
    output: StringProperty(
        name="Output", description="Folder for passes and takes. Empty: the one in the preferences", subtype="DIR_PATH"
    )
    engine: EnumProperty(
        name="Engine",
        description="What renders the depth and the parts of the body",
        items=_ENGINE_ITEMS,
        default="cycles",
    )
    made_motion: PointerProperty(type=LatentManMotionText)
    other: StringProperty(description="Settings that the panel does not show, as JSON", options={"HIDDEN"})
    other_take: StringProperty(description="The take that was shown before", options={"HIDDEN"})


for _name, _group in _GROUPS.items():
    LatentManSceneSettings.__annotations__[_name] = pointer_to(_group)


def settings_of(scene: Any) -> LatentManSceneSettings:
    """The scene's settings; only there while the add-on is registered."""
    settings: LatentManSceneSettings = scene.latentman
    return settings


def group_of(scene: Any, name: str) -> Any:
    """The scene's settings of a method, or of the finish, that have a place in the panel."""
    return getattr(settings_of(scene), name)


def register() -> None:
    """Add `scene.latentman`, and whether a character's box in the panel is open."""
    for group in _GROUPS.values():
        bpy.utils.register_class(group)
    bpy.utils.register_class(LatentManMotionText)
    bpy.utils.register_class(LatentManSceneSettings)
    scenes: Any = bpy.types.Scene
    scenes.latentman = pointer_to(LatentManSceneSettings)
    objects: Any = bpy.types.Object
    flag: Any = BoolProperty  # the stubs give it no result
    objects.latentman_open = flag(name="Open", description="Show the details of this character", default=True)


def unregister() -> None:
    """Remove them; what is stored in files stays there."""
    objects: Any = bpy.types.Object
    del objects.latentman_open
    scenes: Any = bpy.types.Scene
    del scenes.latentman
    bpy.utils.unregister_class(LatentManSceneSettings)
    bpy.utils.unregister_class(LatentManMotionText)
    for group in _GROUPS.values():
        bpy.utils.unregister_class(group)
