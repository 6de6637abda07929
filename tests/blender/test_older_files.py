"""Files of earlier versions: opened, they show what they were saved with."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest

import blender_addon
from blender_addon.scene.scene_job import stored_settings
from blender_addon.typed_bpy import pointer_to
from shared.methods import DEFAULT_METHOD, METHODS
from shared.methods.latentman import LatentManSettings
from shared.methods.setting import values_of
from tests.blender.scenes import empty_scene

_CHANGED = LatentManSettings(
    align=(0.125, 0.75),
    guide=(0.25, 0.875),
    guide_strength=2.0,
    correspondence="assignment",
    features="released",
    baseline="masactrl",
    guide_extent="all",
    guide_decoder="tiny",
)
# The choices in the order of the flat layout: files hold a choice's place in it.
_CHOICES = {
    "correspondence": ("surface", "assignment"),
    "features": ("paper", "released"),
    "baseline": ("text2video_zero", "masactrl"),
    "guide_extent": ("body", "all"),
    "guide_decoder": ("full", "tiny"),
}
# The lists of methods and presets of then, of which files hold places as well.
_METHODS = ("latentman", "text2video_zero", "masactrl", "shared_noise", "per_frame")
_PRESETS = ("standard", "draft", "quick", "align_only", "strong", "paper", "released")
_props: Any = bpy.props  # the stubs give properties no result
_FLAT = {
    "align": _props.FloatVectorProperty(size=2),
    "guide": _props.FloatVectorProperty(size=2),
    "guide_strength": _props.FloatProperty(),
    **{name: _props.EnumProperty(items=[(one, one, "") for one in order]) for name, order in _CHOICES.items()},
}
_FIELDS = {"prompt": _props.StringProperty(), **_FLAT}


@pytest.fixture
def saved(tmp_path: Path) -> Iterator[Path]:
    """A file of two scenes in the flat layout: one with every setting changed, one with the strength alone. The add-on
    is registered afterwards."""
    path = tmp_path / "flat.blend"
    first: Any = empty_scene()
    flat: Any = type("FlatSettings", (bpy.types.PropertyGroup,), {"__annotations__": _FIELDS})
    scenes: Any = bpy.types.Scene
    bpy.utils.register_class(flat)
    scenes.latentman = pointer_to(flat)
    first.name, first.latentman.prompt = "changed", "a robot"
    for name in _FLAT:
        setattr(first.latentman, name, values_of(_CHANGED)[name])
    second: Any = bpy.data.scenes.new("strength")
    second.latentman.guide_strength = 3.0
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    del scenes.latentman
    bpy.utils.unregister_class(flat)
    empty_scene()
    blender_addon.register()
    yield path
    blender_addon.unregister()


def _opened(path: Path) -> dict[str, Any]:
    """The scenes of the file by name."""
    bpy.ops.wm.open_mainfile(filepath=str(path))
    return dict(bpy.data.scenes.items())


def _settings(scene: Any) -> Any:
    return stored_settings(scene, METHODS["latentman"])


def test_a_flat_file_shows_the_settings_that_it_was_saved_with(saved: Path) -> None:
    scenes = _opened(saved)
    assert _settings(scenes["changed"]) == _CHANGED
    assert _settings(scenes["strength"]) == LatentManSettings(guide_strength=3.0)
    assert scenes["changed"].latentman.prompt == "a robot"
    for scene in scenes.values():
        assert _FLAT.keys().isdisjoint(scene.latentman.keys())


def test_settings_move_once(saved: Path) -> None:
    scene = _opened(saved)["changed"]
    scene.latentman.latentman.guide_strength = 1.0
    scene.latentman.latentman.baseline = "text2video_zero"
    bpy.ops.wm.save_as_mainfile(filepath=str(saved))
    expected = dataclasses.replace(_CHANGED, guide_strength=1.0, baseline="text2video_zero")
    assert _settings(_opened(saved)["changed"]) == expected


def test_what_the_group_holds_already_stays(saved: Path) -> None:
    scene = _opened(saved)["strength"]
    scene.latentman["guide_strength"] = 7.0
    scene.latentman["guide_extent"] = 1
    bpy.ops.wm.save_as_mainfile(filepath=str(saved))
    assert _settings(_opened(saved)["strength"]) == LatentManSettings(guide_strength=3.0, guide_extent="all")


def test_an_unreadable_value_leaves_the_default_and_is_told(saved: Path, capfd: pytest.CaptureFixture[str]) -> None:
    scene = _opened(saved)["strength"]
    scene.latentman["guide_extent"] = 2
    scene.latentman["correspondence"] = -1
    scene.latentman["align"] = "early"
    scene.latentman["guide"] = (0.25, 0.5)
    bpy.ops.wm.save_as_mainfile(filepath=str(saved))
    capfd.readouterr()
    scene = _opened(saved)["strength"]
    assert _settings(scene) == LatentManSettings(guide_strength=3.0, guide=(0.25, 0.5))
    told = [line for line in capfd.readouterr().err.splitlines() if line.startswith("LatentMan: ")]
    labels = ("Align", "Matching", "Guide on")
    assert [line.partition(" cannot")[0] for line in told] == [
        f'LatentMan: {one} of the scene "strength"' for one in labels
    ]
    assert "align" not in scene.latentman


def test_without_the_add_on_a_file_is_left_as_it_is(saved: Path) -> None:
    blender_addon.unregister()
    _opened(saved)
    blender_addon.register()
    scene: Any = bpy.data.scenes["strength"]
    assert scene.latentman["guide_strength"] == 3.0


def test_a_file_without_a_method_keeps_the_default_of_then(saved: Path) -> None:
    scenes = _opened(saved)
    assert [scene.latentman.method for scene in scenes.values()] == ["latentman"] * 2
    assert empty_scene().latentman.method == DEFAULT_METHOD


def test_a_file_of_today_keeps_todays_default(tmp_path: Path) -> None:
    scene: Any = empty_scene()
    blender_addon.register()
    scene.latentman.finish.lock = "on"
    bpy.data.scenes.new("untouched")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "today.blend"))
    scenes = _opened(tmp_path / "today.blend")
    assert [scene.latentman.method for scene in scenes.values()] == [DEFAULT_METHOD] * 2
    assert not scenes["untouched"].latentman.is_property_set("method")
    blender_addon.unregister()


def test_a_choice_of_an_earlier_list_is_what_it_was(saved: Path) -> None:
    scene = _opened(saved)["strength"]
    numbers = scene.latentman.bl_rna.properties["method"].enum_items
    assert [numbers[name].value for name in _METHODS] == list(range(len(_METHODS)))
    assert len({one.value for one in numbers}) == len(METHODS)
    presets = scene.latentman.bl_rna.properties["preset"].enum_items
    assert [presets[name].value for name in _PRESETS] == list(range(len(_PRESETS)))
