"""The camera of a video in Blender: it sees the joints where the video did, and follows what is said of the import."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
import torch
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector
from numpy.typing import NDArray

import blender_addon
from blender_addon.cli import main
from blender_addon.look.tracked_camera import TRACKED, like_video, video_size
from blender_addon.passes.geometry import world_joints
from blender_addon.rig import character as rig
from blender_addon.rig.import_record import stored_import
from blender_addon.ui.assumptions import LATENTMAN_MT_view
from shared.motion.samples import sample_path
from tests.blender.scenes import context, empty_scene, operators
from tests.helpers import tracked_people as people
from tests.helpers.tracked_people import HEIGHT, WIDTH, Scene, scene

Array = NDArray[Any]
FPS = 30
TRUTH = scene(frames=9)


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    empty_scene(FPS)
    blender_addon.register()
    yield
    blender_addon.unregister()


def imported(path: Path, **said: object) -> list[Any]:
    before = {one.armature for one in rig.characters(context.scene)}
    assert operators.latentman.import_motion(filepath=str(path), **said) == {"FINISHED"}
    return [one.armature for one in rig.characters(context.scene) if one.armature not in before]


def gvhmr(folder: Path, truth: Scene = TRUTH) -> Path:
    return people.gvhmr(folder / "hmr4d_results.pt", truth)


def seen(armature: Any, frame: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Array:
    """Where Blender's camera sees the joints in a frame, (22, 2) pixels from the upper left."""
    render = context.scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = *size, 100
    context.scene.frame_set(frame)
    (character,) = (one for one in rig.characters(context.scene) if one.armature == armature)
    joints = world_joints(character, context.evaluated_depsgraph_get())[:22]
    camera = context.scene.camera.evaluated_get(context.evaluated_depsgraph_get())
    views = [world_to_camera_view(context.scene, camera, Vector(joint)) for joint in joints]
    return np.array([[view.x * size[0], (1 - view.y) * size[1]] for view in views])


@pytest.mark.parametrize("view", ["world", "camera"])
def test_blenders_camera_sees_the_joints_where_the_video_did(view: str, tmp_path: Path) -> None:
    context.scene.frame_start = 11
    (armature,) = imported(gvhmr(tmp_path), fps=FPS, view=view)
    assert context.scene.camera[TRACKED] and video_size(context.scene) == (WIDTH, HEIGHT)
    assert "filmed the video, 1280 x 720" in armature[rig.NOTES]
    for index in (0, 4, 8):
        np.testing.assert_allclose(seen(armature, 11 + index), TRUTH.pixels()[index, :22], atol=0.5)
    moved = [np.array(context.scene.camera.matrix_world)]
    context.scene.frame_set(11)
    moved.append(np.array(context.scene.camera.matrix_world))
    assert np.allclose(moved[0], moved[1]) is (view == "camera")


def test_the_cameras_of_other_files_see_the_same(tmp_path: Path) -> None:
    late = Scene(*(part[2:] for part in (TRUTH.poses, TRUTH.pelvis, TRUTH.rotation, TRUTH.translation)))
    files = {
        "PromptHMR": people.prompthmr(tmp_path / "results.pkl", {1: TRUTH, 2: late}, {1: 0, 2: 2}, TRUTH),
        "a scene": people.mcs(tmp_path / "world4d.mcs", [TRUTH, late], [0, 2], TRUTH, rate=FPS),
        "TRAM": people.tram(tmp_path / "tram", TRUTH, np.arange(TRUTH.frames)),
    }
    for name, path in files.items():
        empty_scene(FPS)
        for armature in imported(path, fps=FPS):
            np.testing.assert_allclose(seen(armature, 6), TRUTH.pixels()[5, :22], atol=0.5, err_msg=name)


def test_a_lens_that_is_not_centred_and_zooms_is_met(tmp_path: Path) -> None:
    path = gvhmr(tmp_path)
    content = torch.load(path, weights_only=False)
    k = content["K_fullimg"]
    k[:, 0, 0] = k[:, 1, 1] = torch.linspace(900, 1800, TRUTH.frames)
    k[:, 0, 2] += torch.linspace(0, 60, TRUTH.frames)
    k[:, 1, 2] -= torch.linspace(0, 35, TRUTH.frames)
    torch.save(content, path)
    (armature,) = imported(path, fps=FPS)
    for index in (0, 5, 8):
        points = np.einsum("ij,nj->ni", TRUTH.rotation[index], TRUTH.joints()[index, :22]) + TRUTH.translation[index]
        want = points @ k[index].double().numpy().T
        np.testing.assert_allclose(seen(armature, 1 + index), want[:, :2] / want[:, 2:], atol=0.5)


def test_at_another_rate_the_camera_keeps_pace(tmp_path: Path) -> None:
    (armature,) = imported(gvhmr(tmp_path), fps=FPS / 2)
    np.testing.assert_allclose(seen(armature, 9), TRUTH.pixels()[4, :22], atol=0.5)
    (still,) = (one for one in context.scene.objects if one.type == "CAMERA" and one.get(TRACKED))
    assert operators.latentman.change_frame_rate(armature=armature.name, fps=FPS) == {"FINISHED"}
    np.testing.assert_allclose(seen(armature, 5), TRUTH.pixels()[4, :22], atol=0.5)
    assert context.scene.camera == still


def test_a_moved_character_takes_its_camera_along(tmp_path: Path) -> None:
    imported(gvhmr(tmp_path), fps=FPS)
    (second,) = imported(gvhmr(tmp_path), fps=FPS)
    assert second.location.x > 0.5  # beside the first
    np.testing.assert_allclose(seen(second, 4), TRUTH.pixels()[3, :22], atol=0.5)
    assert len([one for one in context.scene.objects if one.get(TRACKED)]) == 2


def test_the_view_can_be_changed_in_place(tmp_path: Path) -> None:
    (armature,) = imported(gvhmr(tmp_path), fps=FPS)
    record = stored_import(armature)
    assert record is not None and (record.view, record.two_views) == ("world", True)
    assert [said for _, _, said in LATENTMAN_MT_view.choices(record)] == [{"view": "world"}, {"view": "camera"}]
    cameras = len(bpy.data.cameras)
    assert operators.latentman.reimport_motion(armature=armature.name, view="camera") == {"FINISHED"}
    np.testing.assert_allclose(context.scene.camera.matrix_world.translation, armature.location, atol=1e-6)
    np.testing.assert_allclose(seen(armature, 4), TRUTH.pixels()[3, :22], atol=0.5)
    assert len(bpy.data.cameras) == cameras
    record = stored_import(armature)
    assert record is not None and record.view == "camera"
    (plain,) = imported(sample_path("walk"))
    other = stored_import(plain)
    assert other is not None and not other.two_views


def test_the_pictures_can_take_the_videos_aspect(tmp_path: Path) -> None:
    assert not operators.latentman.use_video_size.poll()
    (armature,) = imported(gvhmr(tmp_path), fps=FPS)
    assert operators.latentman.use_video_size() == {"FINISHED"}
    settings, render = context.scene.latentman, context.scene.render
    size = settings.width, settings.height
    assert (render.resolution_x, render.resolution_y) == size and size[0] % 8 == size[1] % 8 == 0
    assert size[0] / size[1] == pytest.approx(WIDTH / HEIGHT, rel=0.005)
    shown = seen(armature, 4, size)
    np.testing.assert_allclose(shown[:, 0], TRUTH.pixels()[3, :22, 0] * size[0] / WIDTH, atol=0.5)


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (640, 480), (1000, 1000), (1998, 1080), (300, 1000)])
def test_a_picture_like_the_video_has_its_aspect_and_about_the_area(size: tuple[int, int]) -> None:
    width, height = like_video(size, 512 * 512, 8)
    assert width % 8 == height % 8 == 0
    assert width / height == pytest.approx(size[0] / size[1], rel=0.01)
    assert 0.6 < width * height / 512**2 < 1.5


def test_no_pickle_is_opened_in_blender(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every process that the import starts is counted: one for a pickled file, none for a plain one."""
    started: list[str] = []
    start = subprocess.Popen.__init__

    def counted(self: Any, command: Any, *arguments: Any, **options: Any) -> None:
        started.append(str(command))
        start(self, command, *arguments, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", counted)
    imported(gvhmr(tmp_path), fps=FPS)
    assert len(started) == 1 and "unpickling_child" in started[0]
    imported(sample_path("walk"))
    assert len(started) == 2
    np.savez(tmp_path / "plain.npz", poses=np.zeros((3, 66)), trans=np.zeros((3, 3)), mocap_framerate=30.0)
    imported(tmp_path / "plain.npz")
    assert len(started) == 2


def test_the_batch_command_films_with_the_videos_camera(tmp_path: Path) -> None:
    out = tmp_path / "out"
    common = ["--motion", str(gvhmr(tmp_path)), "--motion-fps", str(FPS), "--prompt", "x", "--output", str(out)]
    assert main([*common, "--view", "camera", "--dry-run"]) == 0
    assert context.scene.camera[TRACKED]
