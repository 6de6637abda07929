"""The list of everything that is registered, in order; taken back in the opposite order."""

from __future__ import annotations

from typing import Protocol

from . import cli
from .look import check_bar, depth_preview
from .ops import (
    backend,
    check_motion,
    edit_layer,
    edit_prompts,
    frame_shot,
    generate,
    import_motion,
    install_backend,
    leave_out,
    mending,
    open_help,
    picture_size,
    previews,
    save_video,
    settings,
    takes,
    texture,
    watch_takes,
)
from .ops import models as model_operators
from .ops.motion import (
    ask_rate,
    bone_map,
    export,
    fill,
    from_armature,
    motion_text,
    problems,
    refine,
    reimport,
    repair,
    video_size,
)
from .scene import bone_table, older_files, preferences, properties
from .shot import hider_watch, running
from .ui import assumptions, motion, panel
from .ui import export as export_menu
from .ui import models as model_list
from .ui import preferences as drawn_preferences


class _Part(Protocol):
    """A module that adds something to Blender."""

    def register(self) -> None:
        """Add it."""
        ...

    def unregister(self) -> None:
        """Take it back."""
        ...


_PARTS: tuple[_Part, ...] = (
    preferences,
    drawn_preferences,
    properties,
    bone_table,
    older_files,
    hider_watch,
    running,
    import_motion,
    motion_text,
    fill,
    refine,
    ask_rate,
    reimport,
    from_armature,
    bone_map,
    video_size,
    edit_layer,
    check_motion,
    repair,
    problems,
    export,
    frame_shot,
    picture_size,
    leave_out,
    depth_preview,
    check_bar,
    previews,
    settings,
    mending,
    model_operators,
    backend,
    install_backend,
    edit_prompts,
    open_help,
    generate,
    takes,
    save_video,
    texture,
    watch_takes,
    model_list,
    assumptions,
    motion,
    export_menu,
    panel,
    cli,
)


def register() -> None:
    """Register all parts. Where one fails, those before it are taken back."""
    done: list[_Part] = []
    try:
        for part in _PARTS:
            part.register()
            done.append(part)
    except BaseException:
        for part in reversed(done):
            part.unregister()
        raise


def unregister() -> None:
    """Take all parts back."""
    for part in reversed(_PARTS):
        part.unregister()
