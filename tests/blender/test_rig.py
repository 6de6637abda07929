"""The rig against the numpy body, and the motion against the scene's time."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from blender_addon import compat
from blender_addon.passes.geometry import world_joints, world_vertices
from blender_addon.rig import character as rig
from blender_addon.rig.body_mesh import CHART_ATTRIBUTE, PART_ATTRIBUTE
from blender_addon.rig.correctives import apply_correctives, load_correctives, pose_feature
from shared.body import free_body, joint_transforms, pose_vertices_batch
from shared.errors import BodyError, InputError
from shared.motion import SMPLMotion, resample
from shared.motion.skeleton import JOINT_NAMES
from tests.blender.scenes import (
    context,
    empty_scene,
    plane_body,
    random_motion,
    standing_motion,
    with_random_correctives,
)

TO_BLENDER = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])  # SMPL's Y up -> Blender's Z up
TOLERANCE_M = 2e-5  # the numpy body agrees with smplx to 1e-4 in its own test; this leaves room for both


def vertices_at(scene: Any, armature: Any, frame: Any) -> Any:
    scene.frame_set(frame)
    depsgraph = context.evaluated_depsgraph_get()
    return world_vertices(one_of(scene, armature), depsgraph)


def one_of(scene: Any, armature: Any) -> Any:
    return next(one for one in rig.characters(scene) if one.armature == armature)


def test_vertices_and_joints_equal_the_numpy_body_on_random_poses_and_shapes() -> None:
    body = free_body()
    for seed in range(4):
        scene = empty_scene(20)
        betas = np.random.default_rng(seed).normal(0, 1.5, 10)
        motion = random_motion(5, 20.0, seed, betas=betas)
        armature = rig.import_motion(scene, motion, body)
        expected = pose_vertices_batch(body, motion.poses, betas, motion.root) @ TO_BLENDER.T
        joints = (joint_transforms(body, motion.poses, betas)[1] + motion.root[:, None]) @ TO_BLENDER.T
        for index in range(5):
            assert np.abs(vertices_at(scene, armature, 1 + index) - expected[index]).max() < TOLERANCE_M
            found = world_joints(one_of(scene, armature), context.evaluated_depsgraph_get())
            assert np.abs(found - joints[index]).max() < TOLERANCE_M


def test_vertices_equal_smplx(tmp_path: Path) -> None:
    body = free_body()
    scene = empty_scene(20)
    motion = random_motion(20, 20.0, 7, betas=np.random.default_rng(3).normal(0, 1, 10))
    np.savez(tmp_path / "in.npz", poses=motion.poses, betas=motion.betas, root=motion.root)
    files = [str(tmp_path / "in.npz"), str(tmp_path / "out.npy")]
    command = [sys.executable, "-m", "tests.reference.smplx_vertices", *files]
    subprocess.run(command, check=True, capture_output=True, timeout=200)
    expected = np.load(tmp_path / "out.npy") @ TO_BLENDER.T
    armature = rig.import_motion(scene, motion, body)
    for index in range(20):
        assert np.abs(vertices_at(scene, armature, 1 + index) - expected[index]).max() < 1e-4


def test_pose_correctives_reach_the_evaluated_vertices() -> None:
    body = with_random_correctives(free_body())
    scene = empty_scene(20)
    motion = random_motion(3, 20.0, 2)
    armature = rig.import_motion(scene, motion, body)
    character = one_of(scene, armature)
    offsets = load_correctives(character.body)
    assert offsets is not None
    expected = pose_vertices_batch(body, motion.poses, motion.betas, motion.root) @ TO_BLENDER.T
    for index in (2, 0, 1):
        plain = vertices_at(scene, armature, 1 + index)
        feature = pose_feature(armature.evaluated_get(context.evaluated_depsgraph_get()))
        apply_correctives(character.body, feature, offsets)
        found = world_vertices(character, context.evaluated_depsgraph_get())
        assert np.abs(found - expected[index]).max() < 1e-4
        assert index == 2 or np.abs(plain - expected[index]).max() > 1e-3  # without them it would be seen
    assert load_correctives(one_of(scene, rig.import_motion(scene, motion, free_body())).body) is None


def test_a_clip_keeps_its_duration_and_meets_the_source_at_its_frames() -> None:
    body = plane_body()
    scene = empty_scene(24)
    motion = random_motion(120, 20.0, 1)
    armature = rig.import_motion(scene, motion, body)
    assert (scene.frame_start, scene.frame_end) == (1, 144)
    assert abs((scene.frame_end - scene.frame_start + 1) / 24 - 6.0) < 0.5 / 24
    for source in range(0, 120, 5):  # every fifth source frame falls on a scene frame: 5 / 20 s = 6 / 24 s
        expected = pose_vertices_batch(
            body, motion.poses[source : source + 1], motion.betas, motion.root[source : source + 1]
        )
        found = vertices_at(scene, armature, 1 + source * 6 // 5)
        assert np.abs(found - expected[0] @ TO_BLENDER.T).max() < TOLERANCE_M


@pytest.mark.parametrize("fps", [12.5, 29.97, 120.0])
def test_between_source_frames_the_rig_plays_the_resampled_motion(fps: float) -> None:
    body = plane_body()
    scene = empty_scene(24)
    motion = random_motion(10, fps, 4)
    armature = rig.import_motion(scene, motion, body, start_frame=11)
    expected = resample(motion, 24.0)
    assert (scene.frame_start, scene.frame_end) == (11, 10 + expected.frame_count)
    scene_joints = joint_transforms(body, expected.poses, motion.betas)[1] + expected.root[:, None]
    for index in range(expected.frame_count):
        scene.frame_set(11 + index)
        found = world_joints(one_of(scene, armature), context.evaluated_depsgraph_get())
        assert np.abs(found - scene_joints[index] @ TO_BLENDER.T).max() < TOLERANCE_M


def test_keyframes_are_ordinary_and_a_bone_is_its_joints_rotation() -> None:
    scene = empty_scene(20)
    poses = np.zeros((3, 24, 3))
    poses[1, 5] = (0.8, 0, 0)
    armature = rig.import_motion(scene, SMPLMotion(poses, np.zeros((3, 3)), np.zeros(10), 20.0), plane_body())
    assert sorted(bone.name for bone in armature.pose.bones) == sorted(JOINT_NAMES)
    parent = armature.data.bones["left_wrist"].parent
    assert parent.name == "left_elbow"
    for bone in armature.data.bones:
        assert np.allclose(np.array(bone.matrix_local)[:3, :3], np.eye(3), atol=1e-6)
    scene.frame_set(2)
    knee = armature.pose.bones["right_knee"].rotation_quaternion
    assert np.allclose(knee, (np.cos(0.4), np.sin(0.4), 0, 0), atol=1e-6)
    curves = list(compat.fcurves_of(armature))
    assert len(curves) == 24 * 4 + 3
    assert all(len(curve.keyframe_points) == 3 for curve in curves)
    assert {point.interpolation for point in curves[0].keyframe_points} == {"LINEAR"}


def test_quaternion_curves_do_not_jump() -> None:
    turn = np.zeros((60, 24, 3))
    turn[:, 0, 1] = np.linspace(0, 4 * np.pi, 60)  # two whole turns, across the sign change of the quaternion
    scene = empty_scene(20)
    armature = rig.import_motion(scene, SMPLMotion(turn, np.zeros((60, 3)), np.zeros(10), 20.0), plane_body())
    for curve in compat.fcurves_of(armature):
        values = np.array([point.co[1] for point in curve.keyframe_points])
        assert np.abs(np.diff(values)).max() < 0.25


def test_labels_and_charts_of_the_mesh_are_the_bodys() -> None:
    body = free_body()
    assert body.part is not None and body.chart_uv is not None
    scene = empty_scene(20)
    rig.import_motion(scene, standing_motion(2), body)
    mesh = rig.characters(scene)[0].body.data
    mesh.calc_loop_triangles()
    corner_of = {}
    for index, corners in enumerate(body.f):
        corner_of[tuple(sorted(int(corner) for corner in corners))] = index
    part = np.array([item.value for item in mesh.attributes[PART_ATTRIBUTE].data])
    chart = np.array([item.vector[:] for item in mesh.attributes[CHART_ATTRIBUTE].data])
    seen = 0
    for triangle in mesh.loop_triangles:
        face = corner_of.get(tuple(sorted(triangle.vertices)))
        if face is None:
            continue  # the other diagonal of a quad
        seen += 1
        assert part[triangle.polygon_index] == body.part[face]
        for vertex, loop in zip(triangle.vertices, triangle.loops, strict=True):
            place = list(body.f[face]).index(vertex)
            assert np.allclose(chart[loop], body.chart_uv[face, place], atol=1e-6)
    assert seen > 0.9 * len(body.f)
    assert sum(len(polygon.vertices) - 2 for polygon in mesh.polygons) == len(body.f)


def test_facts_of_the_source_are_kept_and_a_second_character_has_its_own_names() -> None:
    scene = empty_scene(24)
    motion = SMPLMotion(
        np.zeros((20, 24, 3)), np.zeros((20, 3)), np.zeros(10), 20.0,
        source="walk_results.npy", twist_known=False, notes=("20 fps assumed",), residual_cm=0.5,
    )  # fmt: skip
    first = rig.import_motion(scene, motion, plane_body(), name="walk")
    second = rig.import_motion(scene, random_motion(40, 20.0), plane_body(), name="walk")
    assert first.name != second.name
    assert (first[rig.SOURCE], first[rig.FPS], first[rig.RESIDUAL]) == ("walk_results.npy", 20.0, 0.5)
    assert first[rig.TWIST_KNOWN] is False
    assert json.loads(first[rig.NOTES]) == ["20 fps assumed"]
    assert rig.RESIDUAL not in second
    assert [one.armature for one in rig.characters(scene)] == [first, second]
    assert scene.frame_end == 48
    assert first.animation_data.action != second.animation_data.action


def test_import_works_with_another_object_in_edit_mode() -> None:
    scene = empty_scene(24)
    bpy.ops.mesh.primitive_cube_add()
    cube = context.active_object
    bpy.ops.object.mode_set(mode="EDIT")
    rig.import_motion(scene, random_motion(3, 24.0), plane_body())
    assert context.view_layer.objects.active == cube
    assert cube.mode == "EDIT"
    assert len(rig.characters(scene)) == 1


def test_a_scene_without_a_character_and_a_body_without_parts_are_refused() -> None:
    scene = empty_scene()
    with pytest.raises(InputError, match="no character"):
        rig.require_characters(scene)
    with pytest.raises(BodyError, match="no parts"):
        rig.import_motion(scene, random_motion(2, 24.0), dataclasses.replace(plane_body(), part=None, chart_uv=None))
    assert len(scene.objects) == 0
