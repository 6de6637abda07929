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
