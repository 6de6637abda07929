"""FBX and glTF files through Blender's importers: the motion comes in, and nothing else of the file stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

import blender_addon
from blender_addon import compat
from blender_addon.cli import main
from blender_addon.rig import character as rig
from blender_addon.rig.joints import joint_bones
from blender_addon.rig.stack.layers import clip_range
from shared.motion.skeleton import JOINT_INDEX
from tests.blender.armatures import heads
from tests.blender.scenes import context, empty_scene, operators
from tests.blender.test_scene_armature import FRAMES, bones_of, mixamo

CLOSE_M = 5e-3  # without a skin the FBX file has no rest pose, which is then worked out from the motion


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    scene = empty_scene(20)
    scene.frame_start, scene.frame_end = 1, FRAMES
    blender_addon.register()
    yield
    blender_addon.unregister()


def exported(path: Path) -> Any:
    """A file of Mixamo's armature, and where its joints are in each frame, (frames, 24, 3) in the world."""
    source, names = mixamo()
    bones = bones_of(names, "mixamorig:")
    ways = np.array([heads(source, tuple(bones.values()), frame) for frame in range(1, FRAMES + 1)])
    source.select_set(True)
    if path.suffix == ".fbx":
        bpy.ops.export_scene.fbx(filepath=str(path), add_leaf_bones=False, bake_anim_simplify_factor=0.0)
    else:
        bpy.ops.export_scene.gltf(filepath=str(path), export_format="GLB")
    empty = empty_scene(20)
    empty.frame_start, empty.frame_end = 1, 250
    return ways[:, [list(bones).index(joint) for joint in JOINT_INDEX]]


def counts() -> dict[str, int]:
    """How much of everything the file holds."""
    names = [one.identifier for one in bpy.data.bl_rna.properties if one.type == "COLLECTION"]
    return {name: len(getattr(bpy.data, name)) for name in names}


@pytest.mark.parametrize("suffix", [".fbx", ".glb"])
def test_the_motion_comes_in_and_nothing_else_stays(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"walk{suffix}"
    want = exported(path)
    own: Any = bpy.data.objects.new("Own", None)
    context.scene.collection.objects.link(own)
    before = counts()
    assert operators.latentman.import_motion(filepath=str(path)) == {"FINISHED"}
    (one,) = rig.characters(context.scene)
    made = one.armature
    first, last = clip_range(made) or (0, 0)
    assert last - first + 1 == FRAMES
    shown = np.array([heads(made, joint_bones(made), frame) for frame in range(first, last + 1)])
    assert np.linalg.norm(shown - want, axis=-1).max() < CLOSE_M
    after = counts()
    assert after["armatures"] - before["armatures"] == 1 and after["actions"] - before["actions"] == 1
    assert after["collections"] == before["collections"] and "Own" in context.scene.objects
    assert context.scene.render.fps == 20
    notes = json.loads(made[rig.NOTES])
    assert any("own armature and meshes were removed" in note for note in notes) and made[rig.SOURCE] == path.name


def test_a_file_of_another_rate_keeps_its_duration(tmp_path: Path) -> None:
    path = tmp_path / "walk.fbx"
    exported(path)
    context.scene.render.fps, context.scene.render.fps_base = 40, 1.0
    assert operators.latentman.import_motion(filepath=str(path)) == {"FINISHED"}
    (one,) = rig.characters(context.scene)
    assert one.armature[rig.FPS] == 20.0 and context.scene.render.fps == 40
    first, last = clip_range(one.armature) or (0, 0)
    assert last - first + 1 == 2 * FRAMES


def test_settings_that_the_importer_decides_are_named(tmp_path: Path) -> None:
    path = tmp_path / "walk.glb"
    exported(path)
    assert operators.latentman.import_motion(filepath=str(path), fps=30.0, up="z") == {"FINISHED"}
    (one,) = rig.characters(context.scene)
    (warning,) = [said for said in json.loads(one.armature[rig.WARNINGS]) if said.startswith("Not used")]
    assert warning.endswith(": Frame Rate, Up.")


def test_one_of_several_animations_is_chosen(tmp_path: Path) -> None:
    path = tmp_path / "two.glb"
    source, _ = mixamo()
    walk = source.animation_data.action
    short = walk.copy()
    walk.name, short.name = "Walk", "A Short One"
    source.animation_data.action = short
    for curve in compat.fcurves_played_by(source.animation_data):
        while len(curve.keyframe_points) > 6:
            curve.keyframe_points.remove(curve.keyframe_points[-1])
    source.animation_data.action = walk
    source.select_set(True)
    bpy.ops.export_scene.gltf(filepath=str(path), export_format="GLB", export_animation_mode="ACTIONS")
    empty_scene(20)
    lengths = []
    for sample in (0, 1):
        assert operators.latentman.import_motion(filepath=str(path), sample=sample) == {"FINISHED"}
        made = rig.characters(context.scene)[-1].armature
        first, last = clip_range(made) or (0, 0)
        lengths.append(last - first + 1)
        assert any("The file has 2 animations" in note for note in json.loads(made[rig.NOTES]))
    assert sorted(lengths) == [6, FRAMES]
    with pytest.raises(RuntimeError, match="no animation 2"):
        operators.latentman.import_motion(filepath=str(path), sample=2)


def test_a_file_without_a_person_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "box.glb"
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.export_scene.gltf(filepath=str(path), export_format="GLB")
    empty_scene(20)
    before = counts()
    with pytest.raises(RuntimeError, match="no armature with the bones of a person"):
        operators.latentman.import_motion(filepath=str(path))
    assert counts() == before


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.fbx"
    path.write_bytes(b"not an FBX file at all")
    before = counts()
    with pytest.raises(RuntimeError, match=r"Blender cannot import broken\.fbx"):
        operators.latentman.import_motion(filepath=str(path))
    with pytest.raises(RuntimeError, match="There is no file"):
        operators.latentman.import_motion(filepath=str(tmp_path / "none.fbx"))
    assert counts() == before


def test_the_batch_command_takes_an_armature(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mixamo("Hero")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hero.blend"))
    arguments = ["--motion-armature", "Hero", "--prompt", "a robot", "--output", str(tmp_path / "out"), "--dry-run"]
    assert main(arguments) == 0
    assert "Mixamo, 24 of 24" in capsys.readouterr().err
    assert main([*arguments[:1], "Nobody", *arguments[2:]]) == 2
    assert "no armature 'Nobody'" in capsys.readouterr().err
