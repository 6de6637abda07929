"""Motions that the backend's program makes for a character: a better fit, new frames between keys, one from a text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import blender_addon
from blender_addon.rig.character import NOTES, characters
from blender_addon.rig.import_record import stored_import
from blender_addon.rig.stack.fill_layer import fills_of
from blender_addon.shot.running import generation
from shared.motion.samples import sample_path
from tests.blender.scenes import context, empty_scene, operators

FRAMES = 12


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Any]:
    made = empty_scene(20)
    blender_addon.register()
    context.scene.latentman.output = str(tmp_path / "out")
    yield made
    blender_addon.unregister()


def noisy_positions(folder: Path) -> Path:
    """A few frames of a sample's positions with a centimetre of noise, as the second of two of MDM's results."""
    content = np.load(sample_path("walk", "results"), allow_pickle=True).item()
    motion = content["motion"][..., :FRAMES]
    motion = motion + 0.01 * np.random.default_rng(0).standard_normal(motion.shape)
    path = folder / "walk_results.npy"
    twice = {"motion": np.concatenate([0.9 * motion, motion]), "lengths": np.array([FRAMES] * 2), "num_samples": 2}
    np.save(path, np.array({**content, **twice, "text": ["", "walks"]}, dtype=object))
    return path


def shown(armature: Any) -> NDArray[Any]:
    """The joints' matrices in each frame, (frames, bones, 4, 4)."""
    scene, found = context.scene, []
    for frame in range(scene.frame_start, scene.frame_start + FRAMES):
        scene.frame_set(frame)
        posed = armature.evaluated_get(context.evaluated_depsgraph_get()).pose.bones
        found.append([np.array(bone.matrix) for bone in posed])
    return np.array(found)


def tremble(joints: NDArray[Any]) -> float:
    return float(np.abs(np.diff(joints[..., :3, 3], n=3, axis=0)).mean())


def imported(path: Path, sample: int = 0) -> Any:
    assert operators.latentman.import_motion(filepath=str(path), fps=20.0, sample=sample) == {"FINISHED"}
    (character,) = characters(context.scene)
    context.view_layer.objects.active = character.armature
    return character.armature


def test_a_refined_fit_is_calmer_and_stays_the_same_character(scene: Any, tmp_path: Path) -> None:
    armature = imported(noisy_positions(tmp_path), sample=1)
    before, name = shown(armature), armature.name
    assert operators.latentman.refine_fit() == {"FINISHED"}
    after = shown(armature)
    assert armature.name == name and len(characters(scene)) == 1
    assert tremble(after) < 0.3 * tremble(before)
    assert np.abs(after - before)[..., :3, 3].max() < 0.1
    assert any(note.startswith("Foot slide") for note in json.loads(armature[NOTES]))
    record = stored_import(armature)
    assert record is not None and Path(record.path).parent == tmp_path / "out" / "motions"
    assert (record.sample, len(record.takes)) == (0, 1)  # the new file has one motion


def test_there_is_nothing_to_fit_in_a_file_of_rotations(scene: Any) -> None:
    imported(sample_path("walk", "smpl_params"))
    assert not operators.latentman.refine_fit.poll()


def test_a_failed_command_leaves_its_sentence_and_no_file(scene: Any, tmp_path: Path) -> None:
    path = noisy_positions(tmp_path)
    imported(path)
    path.unlink()
    with pytest.raises(RuntimeError, match="walk_results.npy"):
        operators.latentman.refine_fit()
    assert not generation().making.running
    assert list((tmp_path / "out" / "motions").iterdir()) == []


def test_a_text_becomes_a_character(scene: Any, tmp_path: Path) -> None:
    made = context.scene.latentman.made_motion
    assert not operators.latentman.motion_from_text.poll()
    made.text, made.seconds, made.seed = "a person waves", 1.0, 3
    assert operators.latentman.motion_from_text() == {"FINISHED"}
    (character,) = characters(context.scene)
    joints = shown(character.armature)[..., :3, 3]
    bones = [bone.name for bone in character.armature.pose.bones]
    assert 0.7 < (joints[:, bones.index("head")] - joints[:, bones.index("left_ankle")])[:, 1].mean() < 1.8
    assert np.abs(np.diff(joints, axis=0)).max() > 0.005
    record = stored_import(character.armature)
    assert record is not None and record.path == str(tmp_path / "out" / "motions" / "a-person-waves-001.npy")


def test_an_unknown_action_is_named_and_nothing_is_made(scene: Any, tmp_path: Path) -> None:
    context.scene.latentman.made_motion.text = "a person defenestrates"
    with pytest.raises(RuntimeError, match="defenestrates"):
        operators.latentman.motion_from_text()
    assert characters(context.scene) == []


def test_filled_frames_lie_between_two_keys_and_can_be_taken_off(scene: Any) -> None:
    armature = imported(sample_path("walk", "smpl_params"))
    before = shown(armature)
    assert operators.latentman.add_edit_layer() == {"FINISHED"}
    bone = armature.pose.bones["left_shoulder"]
    for frame in (3, 10):
        scene.frame_set(frame)
        bone.keyframe_insert("rotation_quaternion")
    scene.frame_set(6)
    assert operators.latentman.fill_motion() == {"FINISHED"}
    filled = shown(armature)
    changed = [frame for frame in range(1, FRAMES + 1) if not np.array_equal(filled[frame - 1], before[frame - 1])]
    assert changed == [4, 5, 6, 7, 8, 9]
    assert np.abs(filled - before)[..., :3, 3].max() < 0.5
    (name,) = fills_of(armature)
    assert operators.latentman.remove_repair(repair=name) == {"FINISHED"}
    assert np.array_equal(shown(armature), before)


def test_a_repair_below_filled_frames_cannot_be_changed(scene: Any) -> None:
    imported(sample_path("walk", "smpl_params"))
    assert operators.latentman.smooth_motion() == {"FINISHED"}
    made = context.scene.latentman.made_motion
    made.own_frames, made.first, made.last = True, 3, 10
    assert operators.latentman.fill_motion() == {"FINISHED"}
    with pytest.raises(RuntimeError, match="Filled frames lie over this layer"):
        operators.latentman.remove_repair(repair="smooth_motion")
    with pytest.raises(RuntimeError, match="Filled frames lie over this layer"):
        operators.latentman.smooth_motion()


def test_without_keys_there_is_nothing_to_fill(scene: Any) -> None:
    imported(sample_path("walk", "smpl_params"))
    assert not operators.latentman.fill_motion.poll()
