"""register and unregister are symmetric, and the operators and panels do their work."""

from __future__ import annotations

import gc
import threading

import bpy
import pytest

import blender_addon
from blender_addon.rig.character import characters
from shared.motion import sample_path
from tests.blender.scenes import empty_scene

_HANDLERS = [name for name in dir(bpy.app.handlers) if isinstance(getattr(bpy.app.handlers, name), list)]


def registered() -> dict[str, object]:
    """Everything that registering may leave behind."""
    gc.collect()
    return {
        "types": sorted(name for name in dir(bpy.types) if "LATENTMAN" in name.upper()),
        "operators": sorted(dir(bpy.ops.latentman)),
        "scene": hasattr(bpy.types.Scene, "latentman"),
        "handlers": {name: list(getattr(bpy.app.handlers, name)) for name in _HANDLERS},
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "classes": sorted(
            kind.__name__
            for base in (bpy.types.Operator, bpy.types.Panel, bpy.types.PropertyGroup, bpy.types.AddonPreferences)
            for kind in base.__subclasses__()
            if kind.is_registered and kind.__module__.startswith("blender_addon")
        ),
    }


@pytest.fixture
def addon():
    blender_addon.register()
    yield
    blender_addon.unregister()


@pytest.mark.slow
def test_three_rounds_of_register_and_unregister_leave_nothing():
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


def test_the_import_operator_makes_a_framed_character(addon):
    scene = empty_scene(24)
    assert bpy.ops.latentman.import_motion(filepath=str(sample_path("walk"))) == {"FINISHED"}
    (character,) = characters(scene)
    assert scene.camera is not None
    first = scene.camera.matrix_world.copy()
    scene.latentman.follow_camera = True
    bpy.context.view_layer.update()
    assert bpy.ops.latentman.frame_shot() == {"FINISHED"}
    assert scene.camera.animation_data is not None
    scene.frame_set(scene.frame_end)
    assert scene.camera.matrix_world != first
    assert character.armature.name == sample_path("walk").stem


def test_operators_refuse_with_a_sentence(addon, tmp_path):
    empty_scene()
    with pytest.raises(RuntimeError, match=r"nothing\.npy"):
        bpy.ops.latentman.import_motion(filepath=str(tmp_path / "nothing.npy"))
    with pytest.raises(RuntimeError, match="Import a motion first"):
        bpy.ops.latentman.frame_shot()
    with pytest.raises(RuntimeError, match="Import a motion first"):
        bpy.ops.latentman.generate()


def test_settings_are_stored_in_the_file(addon, tmp_path):
    scene = empty_scene()
    scene.latentman.prompt, scene.latentman.seed, scene.latentman.engine = "a robot", 11, "eevee"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    empty_scene()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    stored = bpy.context.scene.latentman
    assert (stored.prompt, stored.seed, stored.engine) == ("a robot", 11, "eevee")
