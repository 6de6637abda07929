"""The buttons beside errors exist, and do what they say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest

import blender_addon
from blender_addon.help.fixes import FIXES, fixes_for
from blender_addon.ops.mending import RESETTABLE
from tests.blender.scenes import empty_scene, operators

METHODS_MEND = ("model.tiny_decoder",)
BUTTONS = sorted(
    {fix for code in (*FIXES, *METHODS_MEND) for fix in fixes_for(code)}, key=lambda fix: (fix.operator, fix.label)
)

OTHER_CHOICE = {"latentman.guide_decoder": "tiny", "finish.upscale": "2"}  # the others are texts


@pytest.fixture
def settings() -> Iterator[Any]:
    scene = empty_scene()
    blender_addon.register()
    yield scene.latentman
    blender_addon.unregister()


def test_each_button_is_an_operator_that_takes_its_properties(settings: Any) -> None:
    for fix in BUTTONS:
        module, name = fix.operator.split(".")
        operator = getattr(getattr(bpy.ops, module), name).get_rna_type()
        assert {name for name, _ in fix.properties} <= set(operator.properties.keys()), fix
        assert all(value in RESETTABLE for name, value in fix.properties if name == "setting")


@pytest.mark.parametrize("setting", RESETTABLE)
def test_a_setting_is_set_to_its_default(settings: Any, setting: Any) -> None:
    *group, name = setting.split(".")
    owner = getattr(settings, group[0]) if group else settings
    default = getattr(owner, name)
    setattr(owner, name, OTHER_CHOICE.get(setting, "/nowhere/at/all"))
    assert getattr(owner, name) != default
    assert operators.latentman.reset_setting(setting=setting) == {"FINISHED"}
    assert getattr(owner, name) == default


def test_no_other_setting_is_reset(settings: Any) -> None:
    settings.prompt = "a robot"
    with pytest.raises(RuntimeError, match="'prompt' is none of"):
        operators.latentman.reset_setting(setting="prompt")
    assert settings.prompt == "a robot"


def test_segments_are_halved_down_to_one_frame(settings: Any) -> None:
    settings.segment_frames = 6
    for left in (3, 1):
        assert operators.latentman.shorten_segments() == {"FINISHED"}
        assert settings.segment_frames == left
    assert not operators.latentman.shorten_segments.poll()


def test_a_folder_is_chosen(settings: Any, tmp_path: Path) -> None:
    assert operators.latentman.choose_output(directory=str(tmp_path)) == {"FINISHED"}
    assert settings.output == str(tmp_path)
