"""The depth in the viewport: the levels that will be sent, in one range for the shot, and nothing left afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

import blender_addon
from blender_addon.look.camera import frame_shot, framing_steps
from blender_addon.look.depth_preview import DEPTH_ATTRIBUTE, depth_is_shown, depth_steps
from blender_addon.look.motion_check import check_steps
from blender_addon.passes.geometry import camera_view, world_vertices
from blender_addon.rig.character import characters, import_motion
from shared.body import free_body
from shared.shot import FAR_LEVEL
from tests.blender.scenes import context, empty_scene, operators, standing_motion

FRAMES = 4


@pytest.fixture
def scene() -> Iterator[Any]:
    made = empty_scene()
    blender_addon.register()
    armature = import_motion(made, standing_motion(FRAMES), free_body())
    frame_shot(made, armature, tuple(range(1, FRAMES + 1)))
    # The camera comes nearer, so that the shot's range is none of a frame's.
    for frame, metres in ((1, 0.0), (FRAMES, -1.0)):
        made.camera.location += made.camera.matrix_world.to_3x3().col[2] * metres
        made.camera.keyframe_insert("location", frame=frame)
    made.frame_set(1)
    yield made
    blender_addon.unregister()


def body(scene: Any) -> Any:
    (character,) = characters(scene)
    return character.body.data


def levels(scene: Any) -> Any:
    """The grey level of each vertex."""
    layer = body(scene).color_attributes[DEPTH_ATTRIBUTE]
    colours = np.empty(len(layer.data) * 4, np.float32)
    layer.data.foreach_get("color_srgb", colours)
    colours = colours.reshape(-1, 4)
    assert (colours[:, :3] == colours[:, :1]).all() and (colours[:, 3] == 1).all()
    return colours[:, 0]


def distances(scene: Any) -> Any:
    """How far each vertex lies before the camera now, in metres."""
    depsgraph = context.evaluated_depsgraph_get()
    (character,) = characters(scene)
    points = world_vertices(character, depsgraph)
    view = camera_view(scene, depsgraph, scene.latentman.width, scene.latentman.height).world_to_camera
    return points @ view[2, :3] + view[2, 3]


def viewport() -> Any:
    return next(area for area in context.screen.areas if area.type == "VIEW_3D").spaces.active


def state(scene: Any) -> Any:
    """What showing the depth may change."""
    mesh = body(scene)
    active = mesh.color_attributes.active_color
    shading = viewport().shading
    return (
        sorted(mesh.attributes.keys()),
        None if active is None else active.name,
        sorted(set(scene.keys()) - {"latentman"}),  # before 5.0 the settings lie there once they are touched
        sorted(mesh.keys()),
        (shading.type, shading.color_type, shading.light),
        scene.frame_current,
    )


def test_near_is_white_in_one_range_for_the_shot_and_it_follows_the_timeline(scene: Any) -> None:
    scene.frame_set(2)
    assert operators.latentman.preview_depth() == {"FINISHED"}
    assert depth_is_shown(scene) and scene.frame_current == 2
    seen, metres = [], []
    for frame in range(1, FRAMES + 1):
        scene.frame_set(frame)
        seen.append(levels(scene))
        metres.append(distances(scene))
    near, far = np.min(metres), np.max(metres)
    expected = 1 - (1 - FAR_LEVEL) * (np.array(metres) - near) / (far - near)
    assert np.abs(np.array(seen) - expected).max() < 0.003  # the colours have eight bits
    assert np.max(seen) == 1.0 and np.min(seen) == pytest.approx(FAR_LEVEL, abs=0.003)
    assert min(np.max(one) for one in seen) < 0.97  # no frame has a range of its own
    shading = viewport().shading
    assert (shading.type, shading.color_type, shading.light) == ("SOLID", "VERTEX", "FLAT")
    assert body(scene).color_attributes.active_color.name == DEPTH_ATTRIBUTE


@pytest.mark.parametrize("parts_before", [False, True])
def test_switching_off_gives_back_what_was_shown_before(scene: Any, parts_before: bool) -> None:
    if parts_before:
        assert operators.latentman.preview_parts() == {"FINISHED"}
    viewport().shading.color_type, viewport().shading.light = "RANDOM", "MATCAP"
    before = state(scene)
    assert operators.latentman.preview_depth() == {"FINISHED"}
    assert state(scene) != before
    assert operators.latentman.preview_depth() == {"FINISHED"}
    assert state(scene) == before and not depth_is_shown(scene)
    scene.frame_set(3)
    assert DEPTH_ATTRIBUTE not in body(scene).attributes


def test_showing_the_parts_takes_the_depth_away(scene: Any) -> None:
    assert operators.latentman.preview_depth() == {"FINISHED"}
    assert operators.latentman.preview_parts() == {"FINISHED"}
    assert not depth_is_shown(scene) and DEPTH_ATTRIBUTE not in body(scene).attributes


def test_it_is_stored_in_the_file_and_can_be_taken_away_there(scene: Any, tmp_path: Path) -> None:
    before = state(scene)
    assert operators.latentman.preview_depth() == {"FINISHED"}
    scene.frame_set(FRAMES)
    shown = levels(scene)
    scene.frame_set(1)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    again = context.scene
    again.frame_set(FRAMES)
    assert (levels(again) == shown).all() and shown.max() > shown.min()
    assert operators.latentman.preview_depth() == {"FINISHED"}
    again.frame_set(1)
    assert state(again)[:5] == before[:5]


def test_what_cannot_be_shown_is_refused_and_changes_nothing(scene: Any) -> None:
    before = state(scene)
    scene.camera.location.z += 100
    scene.camera.keyframe_delete("location", frame=1)
    scene.camera.keyframe_delete("location", frame=FRAMES)
    scene.camera.location.z += 100
    with pytest.raises(RuntimeError, match="The camera sees no body"):
        operators.latentman.preview_depth()
    modifier = characters(scene)[0].body.modifiers.new("subdivide", "SUBSURF")
    with pytest.raises(RuntimeError, match="changes its vertices"):
        operators.latentman.preview_depth()
    assert state(scene) == before
    modifier.show_viewport = False
    scene.camera = None
    assert not operators.latentman.preview_depth.poll()


def test_work_that_is_stopped_midway_puts_the_frame_back_and_changes_nothing(scene: Any) -> None:
    scene.frame_set(3)
    before, camera = state(scene), scene.camera.matrix_world.copy()
    (character,) = characters(scene)
    frames = tuple(range(1, FRAMES + 1))
    works = (
        depth_steps(scene, frames, viewport()),
        framing_steps(scene, character.armature, frames, replace=True),
        check_steps(scene, character, frames, 64, 64),
    )
    for work in works:
        next(work)
        next(work)
        work.close()
        assert state(scene) == before and scene.camera.matrix_world == camera
        assert scene.frame_current == 3
