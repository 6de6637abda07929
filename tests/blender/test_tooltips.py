"""Every field and every button of the add-on has a tooltip."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import blender_addon
from blender_addon.scene.preferences import LatentManModel
from blender_addon.scene.properties import settings_of
from blender_addon.ui.preferences import LatentManPreferences
from tests.blender.scenes import empty_scene, operators

# What Blender itself gives to types and file browsers.
_OF_BLENDER = ("rna_type", "name", "bl_idname", "filepath", "directory")


@pytest.fixture
def scene() -> Iterator[Any]:
    """An empty scene, and the add-on enabled."""
    found = empty_scene()
    blender_addon.register()
    yield found
    blender_addon.unregister()


def without_tooltip(rna: Any, path: str = "") -> list[str]:
    """The properties of a type, and of the groups in it, that a user sees and that have no description."""
    found = []
    for one in rna.properties:
        if one.is_hidden or one.identifier in _OF_BLENDER or one.type == "COLLECTION":
            continue
        if one.type == "POINTER" and one.fixed_type.identifier.startswith("LatentMan"):
            found += without_tooltip(one.fixed_type, f"{path}{one.identifier}.")
        elif not one.description.strip():
            found.append(f"{path}{one.identifier}")
    return found


def test_every_field_of_a_scene_has_a_tooltip(scene: Any) -> None:
    rna: Any = settings_of(scene).bl_rna
    assert "prompt" in rna.properties
    assert without_tooltip(rna) == []


def test_every_preference_has_a_tooltip(scene: Any) -> None:
    for kind in (LatentManPreferences, LatentManModel):
        assert without_tooltip(kind.bl_rna) == []


def test_every_button_has_a_tooltip_and_every_option_of_it(scene: Any) -> None:
    names = [name for name in dir(operators.latentman) if not name.startswith("_")]
    assert "generate" in names
    for name in names:
        rna = getattr(operators.latentman, name).get_rna_type()
        assert rna.description.strip(), name
        assert without_tooltip(rna) == [], name
