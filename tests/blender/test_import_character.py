"""A motion file as a character: panel and batch alike, what can be said about the file, and the shot's own frames."""

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
from blender_addon import compat
from blender_addon.cli import main
from blender_addon.look.motion_check import warnings
from blender_addon.rig import character as rig
from blender_addon.rig.motion_figures import stored_check
from shared.body import free_body
from shared.body.loading import FREE_BODY_PATH
from shared.motion.samples import SampleFormat, sample_path
from tests.blender.scenes import context, empty_scene, operators

FRAMES = 12
SHAPE = np.linspace(-1.5, 1.5, 10)


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    empty_scene(20)
    blender_addon.register()
    yield
    blender_addon.unregister()


@pytest.fixture(scope="module")
def displaced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The free body with its template 13 cm to the side and 40 cm up: joints and vertices as one."""
    path = tmp_path_factory.mktemp("body") / "displaced.npz"
    with np.load(FREE_BODY_PATH) as arrays:
        entries = dict(arrays)
    entries["v_template"] = entries["v_template"] + np.array([0.13, 0.4, 0.0], np.float32)
    np.savez(path, **entries)
    return path


def amass(path: Path, **change: object) -> Path:
    """A rest pose that walks along the floor; Z up, its shape in the file."""
    poses = np.zeros((FRAMES, 156))
    poses[:, 0] = np.pi / 2
    poses[:, 3 + 3 * 3] = np.linspace(0.0, 0.8, FRAMES)  # a knee bends
    trans = np.stack([np.zeros(FRAMES), np.linspace(0.0, 1.0, FRAMES), np.full(FRAMES, 1.1)], axis=1)
    entries = {"poses": poses, "trans": trans, "betas": SHAPE, "mocap_framerate": 20.0, **change}
    np.savez(path, **{key: value for key, value in entries.items() if value is not None})
    return path


def keyframes(armature: Any) -> dict[tuple[str, int], list[tuple[float, float]]]:
    curves = compat.fcurves_of(armature)
    return {(c.data_path, c.array_index): [tuple(point.co) for point in c.keyframe_points] for c in curves}


def imported(path: Path, **said: object) -> Any:
    """The armature that the panel's operator makes."""
    before = {one.armature for one in rig.characters(context.scene)}
    assert operators.latentman.import_motion(filepath=str(path), **said) == {"FINISHED"}
    return next(one.armature for one in rig.characters(context.scene) if one.armature not in before)


def through_batch(path: Path, *arguments: object, folder: Path) -> Any:
    """The armature that the batch command makes in a new file."""
    empty_scene(20)
    options = ("--motion", path, "--prompt", "x", "--output", folder / "out", "--dry-run", *arguments)
    assert main([str(option) for option in options]) == 0
    return rig.characters(context.scene)[0].armature


def joint(armature: Any, name: str, frame: int) -> NDArray[Any]:
    context.scene.frame_set(frame)
    shown = armature.evaluated_get(context.evaluated_depsgraph_get())
    return np.array(shown.matrix_world @ shown.pose.bones[name].head)


@pytest.mark.parametrize("motion", [None, "smpl_params", "results"])
@pytest.mark.parametrize("own_shape", [False, True])
def test_panel_and_batch_make_the_same_keyframes(
    motion: SampleFormat | None, own_shape: bool, displaced: Path, tmp_path: Path
) -> None:
    path = amass(tmp_path / "a.npz") if motion is None else sample_path("walk", motion)
    settings = context.scene.latentman
    settings.body_path = str(displaced)
    if own_shape:
        settings.own_betas, settings.betas = True, SHAPE[::-1]
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shape.blend"))
    armature = imported(path)
    by_panel, check = keyframes(armature), stored_check(armature)
    blend = ("--blend", tmp_path / "shape.blend") if own_shape else ()
    armature = through_batch(path, "--body", displaced, *blend, folder=tmp_path)
    assert keyframes(armature) == by_panel
    assert stored_check(armature) == check


@pytest.mark.parametrize("own_shape", [False, True])
def test_the_pelvis_is_where_the_file_has_it_with_any_body_and_shape(
    own_shape: bool, displaced: Path, tmp_path: Path
) -> None:
    settings = context.scene.latentman
    settings.body_path = str(displaced)
    settings.own_betas, settings.betas = own_shape, SHAPE
    armature = imported(sample_path("walk"))
    content = np.load(sample_path("walk"), allow_pickle=True).item()
    for frame in (1, 30, 60):
        x, y, z = content["root_translation"][:, frame - 1]
        np.testing.assert_allclose(joint(armature, "pelvis", frame), [x, -z, y], atol=1e-5)


def test_joints_are_those_of_the_shape_that_is_shown(tmp_path: Path) -> None:
    """SMPL's formula with the free body's own joints at that shape: pelvis = J0(shape) + trans, Z up as in Blender."""
    armature = imported(amass(tmp_path / "a.npz"))
    expected = free_body().joints(SHAPE)[0] + [0.0, 1.0, 1.1]
    np.testing.assert_allclose(joint(armature, "pelvis", FRAMES), expected, atol=1e-5)
    assert np.linalg.norm(free_body().joints(SHAPE)[0] - free_body().joints(np.zeros(10))[0]) > 1e-3


@pytest.mark.parametrize("way", ["operator", "panel", "batch"])
def test_rate_axis_and_start_can_be_said_in_every_place(way: str, tmp_path: Path) -> None:
    """12 frames at 24 a second are half a second: 10 frames at 20. With Y said to be up, Z-up numbers lie down."""
    path = amass(tmp_path / "a.npz", mocap_framerate=None)
    said = {"fps": 24.0, "up": "y", "start_frame": 31}
    if way == "batch":
        arguments = ("--motion-fps", 24, "--up", "y", "--start-frame", 31)
        armature = through_batch(path, *arguments, folder=tmp_path)
    elif way == "operator":
        armature = imported(path, **said)
    else:
        settings = context.scene.latentman
        settings.motion_fps, settings.motion_up = said["fps"], said["up"]
        settings.own_start, settings.motion_start = True, said["start_frame"]
        armature = imported(path)
    points = next(iter(keyframes(armature).values()))
    assert (points[0][0], len(points)) == (31.0, FRAMES * 20 / 24)
    assert abs(joint(armature, "head", 31)[2] - joint(armature, "left_ankle", 31)[2]) < 0.2
    assert any("lies on its" in warning for warning in warnings(armature))
    assert any("24 fps, as set" in note for note in json.loads(armature[rig.NOTES]))


def test_nothing_that_was_said_of_one_file_is_said_of_the_next(tmp_path: Path) -> None:
    path = amass(tmp_path / "a.npz")
    imported(path, fps=40.0, start_frame=9)
    assert len(next(iter(keyframes(imported(path)).values()))) == FRAMES


def test_the_scenes_rate_for_a_file_without_one_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = amass(tmp_path / "a.npz", mocap_framerate=None)
    armature = through_batch(path, "--json", "--fps", 30, folder=tmp_path)
    assert any("the scene's 30 fps" in warning for warning in warnings(armature))
    said = capsys.readouterr()
    assert "Motion: The file has no frame rate; it was read at the scene's 30 fps" in said.err
    events = [json.loads(line) for line in said.out.splitlines() if line.startswith("{")]
    assert any("30 fps" in note for note in next(e["notes"] for e in events if e["event"] == "motion"))


def test_a_suffix_in_capitals_is_shown_and_read(tmp_path: Path) -> None:
    path = amass(tmp_path / "a.npz").rename(tmp_path / "A.NPZ")
    assert imported(path).name == "A"
    shown = operators.latentman.import_motion.get_rna_type().properties["filter_glob"].default
    suffixes = (".bvh", ".mcs", ".npy", ".npz", ".pkl", ".pt", ".smpl", ".fbx", ".glb", ".gltf")
    assert shown.split(";") == [f"*{form}" for suffix in suffixes for form in (suffix, suffix.upper())]


def test_the_users_range_stays_and_the_clip_starts_with_it(tmp_path: Path) -> None:
    scene = context.scene
    scene.frame_start, scene.frame_end = 1001, 1100
    scene.frame_set(1040)
    armature = imported(amass(tmp_path / "a.npz"))
    points = next(iter(keyframes(armature).values()))
    assert (points[0][0], points[-1][0]) == (1001.0, 1000.0 + FRAMES)
    assert (scene.frame_start, scene.frame_end, scene.frame_current) == (1001, 1100, 1040)
    assert not any("plays from" in warning for warning in warnings(armature))
    armature = imported(amass(tmp_path / "b.npz"), start_frame=1095)
    assert (scene.frame_start, scene.frame_end) == (1001, 1100)
    assert "The clip plays from frame 1095 to 1106, the scene from 1001 to 1100." in warnings(armature)


def test_a_range_of_our_own_is_set_widened_and_set_again(tmp_path: Path) -> None:
    scene = context.scene
    short, long = amass(tmp_path / "a.npz"), amass(tmp_path / "b.npz", mocap_framerate=10.0)
    first = imported(short)
    assert (scene.frame_start, scene.frame_end) == (1, FRAMES)
    second = imported(long)
    assert (scene.frame_start, scene.frame_end) == (1, 2 * FRAMES)
    for one in rig.characters(scene):
        bpy.data.objects.remove(one.body)
    for armature in (first, second):
        bpy.data.objects.remove(armature)
    imported(short, start_frame=5)
    assert (scene.frame_start, scene.frame_end) == (5, 4 + FRAMES)
    scene.frame_end = 8
    imported(short)
    assert (scene.frame_start, scene.frame_end) == (5, 8)


def test_a_batch_without_a_file_takes_the_clips_range_and_one_with_a_file_its_own(tmp_path: Path) -> None:
    through_batch(amass(tmp_path / "a.npz"), folder=tmp_path)
    assert (context.scene.frame_start, context.scene.frame_end) == (1, FRAMES)
    empty_scene(20)
    context.scene.frame_start, context.scene.frame_end = 1001, 1004
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    armature = through_batch(tmp_path / "a.npz", "--blend", tmp_path / "shot.blend", folder=tmp_path)
    assert next(iter(keyframes(armature).values()))[0][0] == 1001.0
    assert (context.scene.frame_start, context.scene.frame_end) == (1001, 1004)


def test_the_feets_error_stands_beside_the_mean() -> None:
    armature = imported(sample_path("jump"))
    assert armature[rig.FEET_RESIDUAL] < 0.1 and armature[rig.RESIDUAL] < 1.0
    assert any("feet" in note for note in json.loads(armature[rig.NOTES]))
    armature[rig.FEET_RESIDUAL] = 6.0
    assert "Feet are 6.0 cm from where the file has them, on average" in warnings(armature)


def test_a_file_that_is_refused_leaves_nothing_behind(tmp_path: Path) -> None:
    path = amass(tmp_path / "a.npz", trans=np.full((FRAMES, 3), np.nan))
    with pytest.raises(RuntimeError, match="not finite"):
        operators.latentman.import_motion(filepath=str(path))
    assert len(bpy.data.armatures) == 0 and context.scene.frame_end == 250


@pytest.mark.parametrize("start", [1_048_574 - FRAMES + 2, 2_000_000_000, -1_100_000])
def test_a_clip_past_blenders_frames_is_refused_whole(start: int, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="Give another start frame"):
        operators.latentman.import_motion(filepath=str(amass(tmp_path / "a.npz")), start_frame=start)
    assert len(bpy.data.armatures) == 0
    imported(amass(tmp_path / "b.npz"), start_frame=1_048_574 - FRAMES + 1)
    assert context.scene.frame_end == 1_048_574


def test_what_plays_before_frame_0_is_told(tmp_path: Path) -> None:
    armature = imported(amass(tmp_path / "a.npz"), start_frame=-2)
    assert context.scene.frame_start == 0
    assert f"The clip plays from frame -2 to {FRAMES - 3}, the scene from 0 to {FRAMES - 3}." in warnings(armature)


def test_no_file_is_no_folder_and_home_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="No motion file was chosen"):
        operators.latentman.import_motion(filepath="")
    monkeypatch.setenv("HOME", str(tmp_path))
    amass(tmp_path / "a.npz")
    assert imported(Path("~/a.npz"))
