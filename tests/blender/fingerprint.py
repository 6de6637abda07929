"""A digest of everything that a user could notice a change in: settings of the scene, and every datablock's name."""

from __future__ import annotations

import hashlib
import warnings
from typing import Any

import bpy

_VOLATILE = {"rna_type", "original", "is_evaluated", "session_uid", "depsgraph"}
if bpy.app.version < (4, 3):
    _VOLATILE.add("tool_settings")  # 4.2 crashes on reading all of them


def fingerprint() -> str:
    """SHA-256 over all settings of all scenes, cameras and objects, and the names in all collections of the file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # reading some settings warns of later versions
        return hashlib.sha256("\n".join(_lines()).encode()).hexdigest()


def _lines() -> list[str]:
    lines: list[str] = []
    for scene in bpy.data.scenes:
        _describe(scene, f"scene {scene.name}", lines, 3)
        for layer in scene.view_layers:
            _describe(layer, f"layer {layer.name}", lines, 1)
    for item in bpy.data.objects:
        _describe(item, f"object {item.name}", lines, 1)
    for camera in bpy.data.cameras:
        _describe(camera, f"camera {camera.name}", lines, 2)
    for collection in (prop for prop in bpy.data.bl_rna.properties if prop.type == "COLLECTION"):
        names = [(block.name, block.users) for block in getattr(bpy.data, collection.identifier)]
        lines.append(f"data {collection.identifier} {names}")
    return lines


def _describe(struct: Any, where: str, lines: list[str], depth: int) -> None:
    for prop in struct.bl_rna.properties:
        if prop.identifier in _VOLATILE:
            continue
        try:
            value = getattr(struct, prop.identifier)
        except (AttributeError, RuntimeError, TypeError):
            continue
        path = f"{where}.{prop.identifier}"
        if prop.type == "POINTER":
            if value is not None and not isinstance(value, bpy.types.ID) and depth > 0:
                _describe(value, path, lines, depth - 1)
            else:
                lines.append(f"{path} = {getattr(value, 'name', value)!r}")
        elif prop.type == "COLLECTION":
            lines.append(f"{path} = {len(value)} {[getattr(entry, 'name', '') for entry in value]}")
        elif getattr(prop, "is_array", False):
            lines.append(f"{path} = {[str(number) for number in value]}")
        else:
            lines.append(f"{path} = {value!r}")
