"""The parts in the viewport: the button shows that they are on, and gives back exactly what was shown before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest

import blender_addon
from blender_addon.look.camera import frame_shot
from blender_addon.look.parts_preview import VIEWS_BEFORE, hide_parts, parts_are_shown, show_parts
from blender_addon.look.viewport import viewport_of
from blender_addon.rig.character import characters, import_motion
from blender_addon.rig.part_colours import COLOUR_ATTRIBUTE, colour_parts
from shared.body import free_body
from tests.blender.scenes import context, empty_scene, operators, standing_motion


@pytest.fixture
def scene() -> Iterator[Any]:
    made = empty_scene()
    blender_addon.register()
    import_motion(made, standing_motion(2), free_body())
    yield made
    blender_addon.unregister()


def viewports() -> list[Any]:
    """The 3D views of all workspaces."""
    areas = [area for screen in bpy.data.screens for area in screen.areas]
    return [area.spaces.active for area in areas if area.type == "VIEW_3D"]


def body() -> Any:
    (character,) = characters(context.scene)
    return character.body


def state(space: Any) -> Any:
    """What showing the parts may change."""
    mesh = body().data
    active = mesh.color_attributes.active_color
    types = []
    kept = space.shading.type
    for kind in ("SOLID", "WIREFRAME"):  # each has a colour type of its own
        space.shading.type = kind
        types.append(getattr(space.shading, "color_type" if kind == "SOLID" else "wireframe_color_type"))
    space.shading.type = kept
    layers, keys = sorted(mesh.attributes.keys()), sorted(mesh.keys())
    return kept, types, layers, keys, None if active is None else active.name, VIEWS_BEFORE in context.scene


@pytest.mark.parametrize("kind", ["SOLID", "WIREFRAME", "MATERIAL"])
@pytest.mark.parametrize("own_colours", [False, True])
def test_pressing_twice_gives_back_what_was_shown(scene: Any, kind: str, own_colours: bool) -> None:
    space = viewport_of(context)
    if own_colours:
        mesh = body().data
        mesh.color_attributes.active_color = mesh.color_attributes.new("mine", "BYTE_COLOR", "POINT")
    space.shading.type = "SOLID"
    space.shading.color_type = "RANDOM"
    space.shading.type = kind
    before = state(space)
    assert not parts_are_shown(scene, space)
    assert operators.latentman.preview_parts() == {"FINISHED"}
    assert parts_are_shown(scene, space) and body().data.color_attributes.active_color.name == COLOUR_ATTRIBUTE
    assert (space.shading.type, space.shading.color_type) == ("SOLID", "VERTEX")
    assert operators.latentman.preview_parts() == {"FINISHED"}
    assert state(space) == before and not parts_are_shown(scene, space)


def test_a_view_that_a_user_has_changed_meanwhile_is_not_said_to_show_them(scene: Any) -> None:
    space = viewport_of(context)
    assert operators.latentman.preview_parts() == {"FINISHED"}
    space.shading.color_type = "SINGLE"
    assert not parts_are_shown(scene, space)
    assert operators.latentman.preview_parts() == {"FINISHED"} and parts_are_shown(scene, space)
    assert operators.latentman.preview_parts() == {"FINISHED"} and space.shading.color_type == "SINGLE"


def test_vertex_colours_of_a_users_own_are_no_parts(scene: Any) -> None:
    space = viewport_of(context)
    space.shading.type, space.shading.color_type = "SOLID", "VERTEX"
    assert not parts_are_shown(scene, space)
    assert operators.latentman.preview_parts() == {"FINISHED"} and parts_are_shown(scene, space)
    assert operators.latentman.preview_parts() == {"FINISHED"} and not parts_are_shown(scene, space)
    assert (space.shading.type, space.shading.color_type) == ("SOLID", "VERTEX")


def test_it_is_stored_in_the_file_and_taken_away_there(scene: Any, tmp_path: Path) -> None:
    space = viewport_of(context)
    space.shading.color_type = "OBJECT"
    before = state(space)
    assert operators.latentman.preview_parts() == {"FINISHED"}
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    again = viewport_of(context)
    assert parts_are_shown(context.scene, again)
    assert operators.latentman.preview_parts() == {"FINISHED"}
    assert state(again) == before


def test_a_file_that_does_not_say_what_was_shown_before_gets_the_usual_colours(scene: Any) -> None:
    space = viewport_of(context)
    colour_parts(body())  # as an older version left it
    space.shading.type, space.shading.color_type = "SOLID", "VERTEX"
    assert parts_are_shown(scene, space)
    assert operators.latentman.preview_parts() == {"FINISHED"}
    assert (space.shading.type, space.shading.color_type) == ("SOLID", "MATERIAL")
    assert COLOUR_ATTRIBUTE not in body().data.attributes


def test_each_view_gets_its_own_back(scene: Any) -> None:
    first = viewport_of(context)
    second = next(space for space in viewports() if space != first)
    first.shading.color_type, second.shading.type = "OBJECT", "SOLID"
    second.shading.color_type = "RANDOM"
    show_parts(scene, first)
    show_parts(scene, second)
    assert parts_are_shown(scene, first) and parts_are_shown(scene, second)
    hide_parts(scene, first)
    assert first.shading.color_type == "OBJECT" and parts_are_shown(scene, second)
    hide_parts(scene, second)
    assert second.shading.color_type == "RANDOM" and COLOUR_ATTRIBUTE not in body().data.attributes


def test_the_depth_over_the_parts_gives_the_parts_back(scene: Any) -> None:
    (character,) = characters(scene)
    frame_shot(scene, character.armature, (1, 2))
    space = viewport_of(context)
    before = state(space)
    assert operators.latentman.preview_parts() == {"FINISHED"}
    assert operators.latentman.preview_depth() == {"FINISHED"} and not parts_are_shown(scene, space)
    assert operators.latentman.preview_parts() == {"FINISHED"} and parts_are_shown(scene, space)
    assert operators.latentman.preview_parts() == {"FINISHED"} and state(space) == before
