"""Keyed prompts in a scene: a text of the file, which the panel lets one choose and Blender's text editor edits."""

from __future__ import annotations

from typing import Any

import bpy

from ..shared.errors import InputError
from .properties import settings_of

_NAME = "Keyed Prompts"


def stored_prompts(scene: Any) -> str:
    """The chosen text as it is, "" where none is chosen. Raises InputError if the chosen one is empty."""
    text = settings_of(scene).prompts
    if text is None:
        return ""
    content = str(text.as_string())
    if not content.strip():
        raise InputError(
            "settings.prompts",
            f"The text {text.name!r} with the keyed prompts is empty.",
            'Write in it, for example "1: a robot, 30: a knight", or clear the field Prompts That Change.',
        )
    return content


def written_prompts(scene: Any) -> str:
    """The chosen text as it is, even if it is empty; "" where none is chosen."""
    text = settings_of(scene).prompts
    return "" if text is None else str(text.as_string())


def new_prompts(scene: Any) -> Any:
    """A new text that begins with the scene's prompt at its first frame."""
    text = bpy.data.texts.new(_NAME)
    text.from_string(f"{scene.frame_start}: {settings_of(scene).prompt}".rstrip())
    return text


def store_prompts(scene: Any, prompts: str) -> None:
    """Choose a text with this content, a new one if no text has it; "" chooses none. Existing texts do not change."""
    settings = settings_of(scene)
    if not prompts:
        settings.prompts = None
        return
    same = (text for text in bpy.data.texts if str(text.as_string()).strip() == prompts.strip())
    chosen = next(same, None)
    if chosen is None:
        chosen = bpy.data.texts.new(_NAME)
        chosen.from_string(prompts)
    settings.prompts = chosen
