"""Exported motions: read back they are what is seen, in this program and in Blender's own importers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from numpy.typing import NDArray

import blender_addon
from blender_addon.ops.motion.exports import EXPORTS
from blender_addon.passes.geometry import transformed
from blender_addon.rig.character import characters, import_motion
from shared.body import free_body
from shared.motion import SMPLMotion, read_motion
from shared.motion.skeleton import JOINT_NAMES
from shared.rotations import axis_angle_to_matrix, rotation_angle
from tests.blender.scenes import context, empty_scene, operators, random_motion
from tests.helpers.worn_motions import sample

SHAPE = np.array([0.8, -1.2, 0.5, 0.0, 0.3, -0.4, 0.2, 0.1, -0.6, 0.9])
FRAMES = 12


@pytest.fixture
def scene() -> Iterator[Any]:
    made = empty_scene(20)
    blender_addon.register()
    yield made
    blender_addon.unregister()


@pytest.fixture
def armature(scene: Any) -> Any:
    made = import_motion(scene, random_motion(FRAMES, 20, betas=SHAPE), free_body(), start_frame=5)
    context.view_layer.objects.active = made
    return made


def joints(armature: Any, names: Any = JOINT_NAMES, first: int = 5) -> NDArray[np.float64]:
    """The joints in the world in each frame, (frames, 24, 3) metres, Blender's axes."""
    found = []
    for frame in range(first, first + FRAMES):
        context.scene.frame_set(frame)
        shown = armature.evaluated_get(context.evaluated_depsgraph_get())
        found.append(transformed(shown.matrix_world, np.array([shown.pose.bones[name].head for name in names])))
    return np.array(found)


def exported(form: str, file: Path) -> Path:
    assert operators.latentman.export_motion(form=form, filepath=str(file)) == {"FINISHED"}
    return file


def read(file: Path) -> SMPLMotion:
    return read_motion(file, rest_joints=free_body().joints)


@pytest.mark.parametrize(("form", "name"), [("amass", "clip.npz"), ("mdm_smpl_params", "clip_smpl_params.npy")])
def test_what_is_exported_and_imported_again_stands_where_it_stood(
    armature: Any, form: str, name: str, tmp_path: Path
) -> None:
    armature.location, armature.rotation_euler = (1.5, -0.5, 0.25), (math.pi / 2, 0, 0.7)
    seen = joints(armature)
    file = exported(form, tmp_path / name)
    once = read(file)
    assert once.frame_count == FRAMES and once.fps == 20.0 and np.abs(once.betas - SHAPE).max() < 1e-6
    again = import_motion(context.scene, once, free_body(), start_frame=5)
    assert np.abs(joints(again) - seen).max() < 1e-5
    context.view_layer.objects.active = again
    second = read(exported(form, tmp_path / f"second_{name}"))
    assert rotation_angle(axis_angle_to_matrix(second.poses), axis_angle_to_matrix(once.poses)).max() < 1e-5
    assert np.abs(second.root - once.root).max() < 1e-5


def test_repairs_and_edits_are_in_the_file(scene: Any, tmp_path: Path) -> None:
    armature = import_motion(scene, sample("wave"), free_body())
    context.view_layer.objects.active = armature
    before = read(exported("amass", tmp_path / "before.npz"))
    assert operators.latentman.put_on_floor() == {"FINISHED"}
    after = read(exported("amass", tmp_path / "after.npz"))
    assert 0.01 < (after.root - before.root)[:, 1].mean() < 0.05
    assert after.frame_count == before.frame_count == 84


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the importer leaves the file open
def test_blenders_importer_shows_the_same_joints_of_a_bvh(armature: Any, tmp_path: Path) -> None:
    seen = joints(armature)
    file = exported("bvh", tmp_path / "clip.bvh")
    assert bpy.ops.import_anim.bvh(filepath=str(file), frame_start=5) == {"FINISHED"}
    rig = context.object
    assert rig != armature and set(JOINT_NAMES) <= set(rig.pose.bones.keys())
    assert np.abs(joints(rig) - seen).max() < 1e-4  # the importer's numbers are single


@pytest.mark.parametrize(("form", "name"), [("gltf", "clip.glb"), ("alembic", "clip.abc")])
def test_blenders_exporters_write_the_motion_and_leave_the_selection(
    armature: Any, form: str, name: str, tmp_path: Path
) -> None:
    scene = context.scene
    cube = bpy.data.objects.new("cube", bpy.data.meshes.new("cube"))
    scene.collection.objects.link(cube)
    for item in context.view_layer.objects:
        item.select_set(item == cube)
    scene.frame_start, scene.frame_end = 1, 100
    seen = body_vertices(7)
    scene.frame_set(9)
    file = exported(form, tmp_path / name)
    assert [item for item in context.view_layer.objects if item.select_get()] == [cube]
    assert context.view_layer.objects.active == armature
    assert (scene.frame_start, scene.frame_end, scene.frame_current) == (1, 100, 9)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = context.scene
    scene.render.fps, scene.render.fps_base = 20, 1.0
    (bpy.ops.import_scene.gltf if form == "gltf" else bpy.ops.wm.alembic_import)(filepath=str(file))
    meshes = [item for item in scene.objects if item.type == "MESH" and len(item.data.vertices) > 1000]
    assert len(meshes) == 1 and "cube" not in scene.objects
    shown = body_vertices(7 - 5 + first_frame(form), meshes[0])
    assert np.abs(shown.min(axis=0) - seen.min(axis=0)).max() < 5e-3
    assert np.abs(shown.max(axis=0) - seen.max(axis=0)).max() < 5e-3


def first_frame(form: str) -> int:
    """Where an importer puts the clip's first frame: glTF has it at 0 or at its own time, Alembic at its own."""
    return 5


def body_vertices(frame: int, item: Any = None) -> NDArray[np.float64]:
    """The body's vertices in the world in a frame."""
    context.scene.frame_set(frame)
    found = characters(context.scene)[0].body if item is None else item
    shown = found.evaluated_get(context.evaluated_depsgraph_get())
    mesh = shown.to_mesh()
    places = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", places)
    return transformed(shown.matrix_world, places.reshape(-1, 3))


def test_pose_mode_comes_back_after_an_export(armature: Any, tmp_path: Path) -> None:
    bpy.ops.object.mode_set(mode="POSE")
    exported("gltf", tmp_path / "clip.glb")
    assert context.mode == "POSE" and (tmp_path / "clip.glb").stat().st_size > 10000


def test_the_format_gives_the_file_its_ending(armature: Any, tmp_path: Path) -> None:
    exported("amass", tmp_path / "clip")
    assert [file.name for file in tmp_path.iterdir()] == ["clip.npz"]


def test_what_cannot_be_exported_is_told_in_one_sentence(armature: Any, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="No file was named"):
        operators.latentman.export_motion(form="bvh")
    with pytest.raises(RuntimeError, match="missing"):
        operators.latentman.export_motion(form="bvh", filepath=str(tmp_path / "missing" / "clip.bvh"))
    (character,) = characters(context.scene)
    character.body.hide_set(True)
    with pytest.raises(RuntimeError, match="hidden"):
        operators.latentman.export_motion(form="gltf", filepath=str(tmp_path / "clip.glb"))
    armature.scale = (2, 2, 2)
    with pytest.raises(RuntimeError, match="is scaled"):
        operators.latentman.export_motion(form="bvh", filepath=str(tmp_path / "clip.bvh"))


def test_the_formats_are_those_of_the_writers_and_two_of_blenders() -> None:
    assert [one.name for one in EXPORTS] == ["amass", "mdm_smpl_params", "mdm_results", "bvh", "gltf", "alembic"]
