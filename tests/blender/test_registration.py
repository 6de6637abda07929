"""register and unregister are symmetric, and the operators and panels do their work."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest

import blender_addon
from blender_addon.rig.character import characters
from shared.motion import sample_path
from tests.blender.scenes import context, empty_scene, operators

_BASES: tuple[Any, ...] = (
    bpy.types.Operator,
    bpy.types.Panel,
    bpy.types.PropertyGroup,
    bpy.types.AddonPreferences,
)
_HANDLERS = [name for name in dir(bpy.app.handlers) if isinstance(getattr(bpy.app.handlers, name), list)]


def registered() -> dict[str, Any]:
    """Everything that registering may leave behind."""
    gc.collect()
    return {
        "types": sorted(name for name in dir(bpy.types) if "LATENTMAN" in name.upper()),
        "operators": sorted(dir(operators.latentman)),
        "scene": hasattr(bpy.types.Scene, "latentman"),
        "handlers": {name: list(getattr(bpy.app.handlers, name)) for name in _HANDLERS},
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "classes": sorted(
            kind.__name__
            for base in _BASES
            for kind in base.__subclasses__()
            if kind.is_registered and kind.__module__.startswith("blender_addon")
        ),
    }


@pytest.fixture
def addon() -> Iterator[None]:
    blender_addon.register()
    yield
    blender_addon.unregister()


@pytest.mark.slow
def test_three_rounds_of_register_and_unregister_leave_nothing() -> None:
    before = registered()
    for _ in range(3):
        blender_addon.register()
        during = registered()
        assert during["scene"]
        assert {"LATENTMAN_OT_generate", "LATENTMAN_OT_import_motion", "LATENTMAN_PT_generate"} <= set(
            during["classes"]
        )
        blender_addon.unregister()
        assert registered() == before


def test_the_import_operator_makes_a_framed_character(addon: None) -> None:
    scene = empty_scene(24)
    assert operators.latentman.import_motion(filepath=str(sample_path("walk"))) == {"FINISHED"}
    (character,) = characters(scene)
    assert scene.camera is not None
    first = scene.camera.matrix_world.copy()
    scene.latentman.follow_camera = True
    context.view_layer.update()
    assert operators.latentman.frame_shot() == {"FINISHED"}
    assert scene.camera.animation_data is not None
    scene.frame_set(scene.frame_end)
    assert scene.camera.matrix_world != first
    assert character.armature.name == sample_path("walk").stem


def test_operators_refuse_with_a_sentence(addon: None, tmp_path: Path) -> None:
    empty_scene()
    with pytest.raises(RuntimeError, match=r"nothing\.npy"):
        operators.latentman.import_motion(filepath=str(tmp_path / "nothing.npy"))
    with pytest.raises(RuntimeError, match="has no character yet"):
        operators.latentman.frame_shot()
    with pytest.raises(RuntimeError, match="has no character yet"):
        operators.latentman.generate()


def test_settings_are_stored_in_the_file(addon: None, tmp_path: Path) -> None:
    scene = empty_scene()
    scene.latentman.prompt, scene.latentman.seed, scene.latentman.engine = "a robot", 11, "eevee"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    empty_scene()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    stored = context.scene.latentman
    assert (stored.prompt, stored.seed, stored.engine) == ("a robot", 11, "eevee")
