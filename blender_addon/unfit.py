"""What the add-on is in a Blender whose Python its zip has no pyzmq for: one sentence, and which zip to take."""

from __future__ import annotations

import platform
import sys
import textwrap
from typing import Any

import bpy

from . import __package__ as addon_name
from . import compat
from .shared.version import VERSION
from .typed_bpy import registration_of

_LINE_LENGTH = 44
_NEEDED = "zmq"
_SYSTEMS = {"linux": "linux", "win32": "windows", "darwin": "macos"}
_LAST_OF_ITS_OWN = (3, 11)  # later Pythons share one zip


class _State:
    """Whether this is what is registered, and what it says."""

    sentences: tuple[str, ...] = ()


def unfit_sentences(version: tuple[int, int], blender: str) -> tuple[str, str]:
    """What is wrong in a Blender of that version with that Python, and what to do about it."""
    python = ".".join(map(str, version))
    abi = "cp311" if version <= _LAST_OF_ITS_OWN else "cp312-abi3"
    system = _SYSTEMS.get(sys.platform, sys.platform)
    machine = "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x64"
    return (
        f"LatentMan cannot run in this Blender: its Python is {python}, and this zip has no pyzmq for that Python.",
        f"Install latentman-{VERSION}-{system}-{machine}-{abi}.zip instead. If Blender says that the zip needs "
        f"another version, build it with: python build_addon.py --python {abi} --blender-min {blender}",
    )


class LatentManUnfitPreferences(bpy.types.AddonPreferences):
    """What is wrong, in the preferences."""

    bl_idname = addon_name

    def draw(self, context: Any) -> None:
        """Draw it."""
        _draw(self.layout)


class LATENTMAN_PT_unfit(bpy.types.Panel):
    """What is wrong, where the add-on's panels would be"""

    bl_label = "LatentMan"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "LatentMan"

    def draw(self, context: Any) -> None:
        """Draw it."""
        _draw(self.layout)


def _draw(layout: Any) -> None:
    # What wraps the other panels' sentences to their width needs pyzmq as well.
    for sentence in _State.sentences:
        for number, line in enumerate(textwrap.wrap(sentence, _LINE_LENGTH)):
            layout.label(text=line, icon="NONE" if number else "ERROR")


_register, _unregister = registration_of(LatentManUnfitPreferences, LATENTMAN_PT_unfit)


def register(error: ImportError) -> None:
    """Say it in panel, preferences and console; an error that is not about pyzmq is raised again."""
    if (error.name or "").split(".")[0] != _NEEDED:
        raise error
    _State.sentences = unfit_sentences(sys.version_info[:2], compat.series())
    print(*_State.sentences, file=sys.stderr)
    _register()


def unregister() -> bool:
    """Take it back; False if it is not what is registered."""
    if not _State.sentences:
        return False
    _State.sentences = ()
    _unregister()
    return True
