"""The ways in for a motion: samples, files that are dropped, scripts; and where a second character stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from numpy.typing import NDArray

import blender_addon
from blender_addon.look.camera import CAMERA, look_through
from blender_addon.passes.geometry import camera_view, world_joints
from blender_addon.rig.character import NOTES, characters
from blender_addon.rig.placement import GAP_M
from blender_addon.rig.stack.layers import clip_range
from blender_addon.shot.running import generation
from shared.motion import SUFFIXES
from shared.motion.samples import SAMPLES, sample_path
from shared.shot import ShotCamera
from tests.blender.scenes import add_camera, context, empty_scene, operators

types: Any = bpy.types  # the stubs know those of Blender alone
WALK, WAVE = sample_path("walk"), sample_path("wave")


@pytest.fixture(autouse=True)
def scene() -> Iterator[Any]:
    made = empty_scene(20)
    blender_addon.register()
    yield made
    blender_addon.unregister()


def imported(**said: object) -> Any:
    """The armature that one import makes."""
    before = {one.armature for one in characters(context.scene)}
    assert operators.latentman.import_motion(**said) == {"FINISHED"}
    (armature,) = (one.armature for one in characters(context.scene) if one.armature not in before)
    return armature


def way(armature: Any) -> NDArray[Any]:
    """The joints over some frames of the scene, (frames, 24, 3)."""
    scene = context.scene
    (character,) = (one for one in characters(scene) if one.armature == armature)
    joints = []
    for frame in range(scene.frame_start, scene.frame_end, 4):
        scene.frame_set(frame)
        joints.append(world_joints(character, context.evaluated_depsgraph_get()))
    return np.array(joints)


def own_note(armature: Any) -> list[str]:
    return [note for note in json.loads(armature[NOTES]) if "along X" in note]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_is_imported_as_long_as_it_says(sample: Any) -> None:
    first, last = clip_range(imported(filepath=str(sample.path))) or (0, 0)
    assert (last - first + 1) / 20 == pytest.approx(sample.seconds, abs=0.06)


def test_a_samples_button_says_what_it_shows() -> None:
    kind: Any = operators.latentman.import_motion.get_rna_type()
    assert kind.description == "Import a motion file as a character with ordinary keyframes"
    described = types.LATENTMAN_OT_import_motion.description
    asked = type("Asked", (), {"filepath": str(WAVE)})
    assert described(context, asked) == "Waves hello with the right hand. 4.2 seconds"
    asked = type("Asked", (), {"filepath": ""})
    assert described(context, asked) == kind.description


def test_files_that_are_dropped_are_imported_each_and_one_that_is_no_motion_is_named(tmp_path: Path) -> None:
    for source in (WALK, WAVE):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    np.save(tmp_path / "numbers.npy", np.zeros((4, 5)))
    names = [WALK.name, "numbers.npy", WAVE.name]
    files = [{"name": name} for name in names]
    with pytest.raises(RuntimeError, match=r"numbers\.npy contains an array of shape"):
        operators.latentman.import_motion(directory=str(tmp_path), files=files)
    assert [one.armature.name for one in characters(context.scene)] == [WALK.stem, WAVE.stem]
    assert {item.name for item in context.selected_objects} == {WALK.stem, WAVE.stem}
    told = generation().problems.at("motion")
    assert told is not None and told.code == "motion.unknown_format"


def test_an_import_that_fails_leaves_the_render_size_and_one_that_works_adopts_that_of_the_pictures(
    tmp_path: Path,
) -> None:
    render = context.scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = 1920, 1080, 100
    with pytest.raises(RuntimeError, match=r"gone\.npy"):
        operators.latentman.import_motion(filepath=str(tmp_path / "gone.npy"))
    assert (render.resolution_x, render.resolution_y) == (1920, 1080)
    imported(filepath=str(WALK))
    assert (render.resolution_x, render.resolution_y) == (256, 256)


def test_motion_files_may_be_dropped_into_a_3d_view_and_nowhere_else() -> None:
    handler = types.LATENTMAN_FH_motion
    assert handler.bl_import_operator == "latentman.import_motion"
    assert handler.bl_file_extensions.split(";") == list(SUFFIXES)
    areas = {kind: type("Context", (), {"area": type("Area", (), {"type": kind})}) for kind in ("VIEW_3D", "OUTLINER")}
    assert handler.poll_drop(areas["VIEW_3D"]) and not handler.poll_drop(areas["OUTLINER"])
    assert not handler.poll_drop(type("Context", (), {"area": None}))


def test_the_last_file_is_remembered_and_a_script_may_import_it_again(tmp_path: Path) -> None:
    settings = context.scene.latentman
    imported(filepath=str(WALK))
    assert settings.motion_path == ""  # a sample is in the menu
    own = tmp_path / "own.npy"
    own.write_bytes(WAVE.read_bytes())
    imported(filepath=str(own))
    assert settings.motion_path == str(own)
    assert imported().name == "own.001"


def test_a_second_character_stands_beside_the_first_and_says_so() -> None:
    first = imported(filepath=str(WALK))
    assert not own_note(first)
    second = imported(filepath=str(WAVE))
    assert own_note(second) == [f"Moved {second.location.x:.1f} m along X, to stand beside the other characters"]
    one, other = way(first), way(second)
    assert other[..., 0].min() - one[..., 0].max() == pytest.approx(GAP_M, abs=0.1)
    third = imported(filepath=str(WAVE))
    assert way(third)[..., 0].min() > other[..., 0].max() + 0.9


def test_one_that_stands_elsewhere_or_is_not_to_be_moved_stays_where_its_file_has_it() -> None:
    first = imported(filepath=str(WALK))
    assert tuple(imported(filepath=str(WALK), beside=False).location) == (0, 0, 0)
    for one in characters(context.scene):
        one.armature.location.x = 5
    second = imported(filepath=str(WAVE))
    assert tuple(second.location) == (0, 0, 0) and not own_note(second)
    assert first.location.x == 5


def test_our_camera_sees_all_characters() -> None:
    for path in (WALK, WAVE, WAVE):
        imported(filepath=str(path))
    scene = context.scene
    size = (scene.latentman.width, scene.latentman.height)
    for frame in (scene.frame_start, scene.frame_end):
        scene.frame_set(frame)
        depsgraph = context.evaluated_depsgraph_get()
        view = camera_view(scene, depsgraph, *size)
        camera = ShotCamera(view.world_to_camera[None], view.intrinsics[None])
        for one in characters(scene):
            picture, _ = camera.project(world_joints(one, depsgraph)[None])
            assert (picture >= 0).all() and (picture <= size).all()


def test_a_users_camera_and_the_background_keep_their_view() -> None:
    mine = add_camera(context.scene, (0, -9, 1), (1.5, 0, 0))
    imported(filepath=str(WAVE))
    assert context.scene.camera == mine and not look_through(context, mine)
    mine[CAMERA] = True
    assert bpy.app.background and not look_through(context, mine)


def test_each_character_has_its_own_length_and_only_the_first_is_open() -> None:
    first, second = imported(filepath=str(WALK)), imported(filepath=str(WAVE), start_frame=11)
    assert (clip_range(first), clip_range(second)) == ((1, 88), (11, 94))
    assert (first.latentman_open, second.latentman_open) == (True, False)


def test_the_file_menu_has_the_import() -> None:
    drawn = types.TOPBAR_MT_file_import._dyn_ui_initialize()
    own = [one for one in drawn if one.__module__ == "blender_addon.ops.import_motion"]
    assert len(own) == 1
