"""The default camera sees the whole motion and respects what is there."""

from __future__ import annotations

import math
from typing import Any

import bpy
import numpy as np
import pytest

from blender_addon.look.camera import frame_shot
from blender_addon.passes.geometry import camera_view, world_joints, world_vertices
from blender_addon.rig.character import characters, import_motion
from shared.body import free_body
from shared.errors import InputError
from shared.motion import SMPLMotion, read_motion, sample_path
from shared.shot import ShotCamera
from tests.blender.scenes import add_camera, context, empty_scene, plane_body, standing_motion


def extents(scene: Any, frames: Any, size: int = 512) -> Any:
    """Per frame the body's box in the picture, as fractions: left, right, top, bottom."""
    boxes = []
    for frame in frames:
        scene.frame_set(frame)
        depsgraph = context.evaluated_depsgraph_get()
        view = camera_view(scene, depsgraph, size, size)
        points = world_vertices(characters(scene)[0], depsgraph).astype(float)
        picture, depth = ShotCamera(view.world_to_camera[None], view.intrinsics[None]).project(points[None])
        assert (depth > view.clip_start_m).all()
        low, high = picture[0].min(0) / size, picture[0].max(0) / size
        boxes.append((low[0], high[0], low[1], high[1]))
    return np.array(boxes)


def sample(name: str, fps: float = 24.0) -> Any:
    scene = empty_scene(fps)
    scene.render.resolution_x = scene.render.resolution_y = 512
    armature = import_motion(scene, read_motion(sample_path(name)), free_body())
    return scene, armature, tuple(range(scene.frame_start, scene.frame_end + 1, 4))


@pytest.mark.parametrize("name", ["dance", "jump", "walk"])
def test_the_whole_motion_is_in_the_picture_and_as_large_as_it_allows(name: str) -> None:
    scene, armature, frames = sample(name)
    camera = frame_shot(scene, armature, frames)
    assert scene.camera == camera
    assert math.isclose(camera.data.angle_y, math.radians(40), abs_tol=1e-5)
    boxes = extents(scene, frames)
    assert boxes.min() > 0
    assert boxes.max() < 1
    height = boxes[:, 3].max() - boxes[:, 2].min()
    width = boxes[:, 1].max() - boxes[:, 0].min()
    assert height > 0.75 or width > 0.85


def test_a_standing_body_fills_the_height_and_is_seen_from_its_front() -> None:
    scene = empty_scene(24)
    scene.render.resolution_x = scene.render.resolution_y = 512
    poses = np.zeros((4, 24, 3))
    poses[:, 16, 2], poses[:, 17, 2] = -1.2, 1.2
    poses[:, 0, 1] = 0.7  # turned to its left
    motion = SMPLMotion(poses, np.tile((0.4, 1.2, -0.3), (4, 1)), np.zeros(10), 24.0)
    armature = import_motion(scene, motion, free_body())
    camera = frame_shot(scene, armature, (1, 4))
    boxes = extents(scene, (1, 4))
    assert 0.75 < (boxes[:, 3] - boxes[:, 2]).max() < 0.85
    front = np.array([math.sin(0.7), -math.cos(0.7), 0])  # SMPL's +Z, turned, in Blender's axes
    looking = -np.array(camera.matrix_world)[:3, 2]
    assert np.dot(front, looking) < -0.99
    assert abs(looking[2]) < 1e-6
    pelvis = world_joints(characters(scene)[0], context.evaluated_depsgraph_get())[0]
    assert abs(camera.matrix_world.translation.z - pelvis[2]) < 0.25


def test_follow_keeps_a_walking_body_in_place_and_larger() -> None:
    scene, armature, frames = sample("walk")
    frame_shot(scene, armature, frames)
    still = extents(scene, frames)
    camera = frame_shot(scene, armature, frames, follow=True)
    followed = extents(scene, frames)
    assert (followed[:, 3] - followed[:, 2]).mean() > (still[:, 3] - still[:, 2]).mean()
    assert followed.min() > 0
    assert followed.max() < 1
    frame_shot(scene, armature, frames)
    assert camera.animation_data is None
    assert np.allclose(extents(scene, frames), still, atol=1e-4)
    assert len([item for item in scene.objects if item.type == "CAMERA"]) == 1


def test_a_camera_that_is_there_is_respected_unless_it_is_to_be_replaced() -> None:
    scene = empty_scene(24)
    armature = import_motion(scene, standing_motion(3), plane_body())
    mine = add_camera(scene, (1, -2, 3), (1, 0, 0.5))
    before = mine.matrix_world.copy()
    assert frame_shot(scene, armature, (1, 2, 3)) == mine
    assert mine.matrix_world == before
    other = frame_shot(scene, armature, (1, 2, 3), replace=True)
    assert other != mine
    assert scene.camera == other
    scene.frame_set(3)
    frame_shot(scene, armature, (1, 2))
    assert scene.frame_current == 3


def test_no_frames_and_no_character_are_refused() -> None:
    scene = empty_scene(24)
    armature = import_motion(scene, standing_motion(3), plane_body())
    with pytest.raises(InputError, match="contains no frame"):
        frame_shot(scene, armature, ())
    with pytest.raises(InputError, match="not a character"):
        frame_shot(scene, bpy.data.objects.new("other", None), (1,))


def test_the_pictures_of_another_shape_than_the_scene_hold_the_whole_motion() -> None:
    scene, armature, frames = sample("dance")
    scene.render.resolution_x, scene.render.resolution_y = 1920, 1080
    frame_shot(scene, armature, frames, size=(512, 512))
    boxes = extents(scene, frames)
    assert boxes.min() > 0
    assert boxes.max() < 1


def test_the_start_up_files_camera_is_not_taken_for_one_that_somebody_placed() -> None:
    bpy.ops.wm.read_factory_settings()  # Blender's own start-up file: a cube, a light and a camera
    scene = context.scene
    start_up = scene.camera
    armature = import_motion(scene, standing_motion(2), free_body())
    made = frame_shot(scene, armature, (1, 2))
    assert made != start_up and scene.camera == made
    start_up.location.x += 1
    scene.camera = start_up
    assert frame_shot(scene, armature, (1, 2)) == start_up
