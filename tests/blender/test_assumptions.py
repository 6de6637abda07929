"""What an import assumed stands in the character's box, and each control reads the file again in place."""

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
from blender_addon.cli import main
from blender_addon.passes.geometry import world_joints
from blender_addon.rig import character as rig
from blender_addon.rig.import_record import IMPORT, stored_import
from blender_addon.rig.stack.edit_layer import add_layer
from blender_addon.rig.stack.layers import clip_range, has_edit
from blender_addon.shot.running import generation
from blender_addon.ui.assumptions import LATENTMAN_MT_people, LATENTMAN_MT_takes, LATENTMAN_MT_unit, LATENTMAN_MT_up
from shared.body import free_body
from shared.motion.samples import sample_path
from tests.blender.scenes import context, empty_scene, operators
from tests.blender.test_import_character import FRAMES, amass

Array = NDArray[Any]


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    empty_scene(20)
    blender_addon.register()
    yield
    blender_addon.unregister()


def imported(path: Path, **said: object) -> list[Any]:
    """The armatures that one import makes."""
    before = {one.armature for one in rig.characters(context.scene)}
    assert operators.latentman.import_motion(filepath=str(path), **said) == {"FINISHED"}
    return [one.armature for one in rig.characters(context.scene) if one.armature not in before]


def changed(armature: Any, **said: object) -> None:
    assert operators.latentman.reimport_motion(armature=armature.name, **said) == {"FINISHED"}


def joints(armature: Any, frame: int) -> Array:
    """The joints in a frame, (24, 3) metres in the world."""
    context.scene.frame_set(frame)
    (character,) = (one for one in rig.characters(context.scene) if one.armature == armature)
    return np.asarray(world_joints(character, context.evaluated_depsgraph_get()))


def height(armature: Any, frame: int = 1) -> float:
    """From the ankles to the head, metres."""
    shown = joints(armature, frame)
    return float(shown[15, 2] - shown[7:9, 2].mean())


def walking(frames: int = FRAMES, aside_m: float = 0.0) -> Array:
    """(frames, 22, 3): the free body's joints on a straight walk, Y up."""
    rest = free_body().joints(np.zeros(10))[:22]
    way: Array = np.linspace(0.0, 1.0, frames)[:, None, None] * [0.0, 0.0, 1.0]
    return np.asarray(rest + way + [aside_m, 1.15, 0.0])


def results(path: Path, count: int = 3, *, pair: bool = False) -> Path:
    """MDM's results.npy with `count` takes of rising length, and PriorMDM's second person 80 cm to the left."""
    motion = np.stack([np.moveaxis(walking(), 0, -1)] * count)
    content: dict[str, object] = {
        "motion": motion, "text": [f"take {index}" for index in range(count)], "num_samples": count,
        "num_repetitions": 1, "lengths": np.arange(FRAMES - count + 1, FRAMES + 1),
    }  # fmt: skip
    if pair:
        content["other_motion"] = np.stack([np.moveaxis(walking(aside_m=0.8), 0, -1)] * count)
    np.save(path, content, allow_pickle=True)  # type: ignore[arg-type]
    return path


# --- the rate ---


def test_a_file_whose_rate_nobody_says_is_refused_with_a_button_that_asks(tmp_path: Path) -> None:
    path = amass(tmp_path / "a.npz", mocap_framerate=None)
    with pytest.raises(RuntimeError, match="does not say its frame rate"):
        operators.latentman.import_motion(filepath=str(path))
    told = generation().problems.at("motion")
    assert told is not None and told.code == "motion.no_rate" and "--motion-fps" in told.hint
    assert len(bpy.data.armatures) == 0
    assert operators.latentman.ask_frame_rate(fps=40.0) == {"FINISHED"}  # the file that was refused
    (one,) = rig.characters(context.scene)
    assert clip_range(one.armature) == (1, FRAMES / 2) and generation().problems.at("motion") is None


def test_the_batch_command_refuses_it_unless_some_rate_is_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = amass(tmp_path / "a.npz", mocap_framerate=None)
    common = ["--motion", str(path), "--prompt", "x", "--output", str(tmp_path / "out"), "--dry-run"]
    empty_scene(20)
    assert main(common) == 2
    assert "--motion-fps" in capsys.readouterr().err
    for rate in (["--motion-fps", "10"], ["--fps", "10"]):
        empty_scene(20)
        assert main([*common, *rate]) == 0
        said = capsys.readouterr().err
        assert ("it was read at the scene's 10 fps" in said) == (rate[0] == "--fps")


def test_another_rate_stretches_the_clip_in_place() -> None:
    (armature,) = imported(sample_path("walk"))
    first, last = clip_range(armature) or (0, 0)
    name, actions = armature.name, len(bpy.data.actions)
    assert operators.latentman.change_frame_rate(armature=name, fps=40.0) == {"FINISHED"}
    assert clip_range(armature) == (first, first - 1 + (last - first + 1) // 2)
    assert armature.name == name and len(bpy.data.actions) == actions and armature[rig.FPS] == 40.0
    assert context.scene.frame_end == (clip_range(armature) or (0, 0))[1]
    changed(armature, fps=0.0)
    assert clip_range(armature) == (first, last)


# --- axis and unit ---


def test_another_up_axis_turns_the_character_and_automatic_turns_it_back(tmp_path: Path) -> None:
    (armature,) = imported(amass(tmp_path / "a.npz"))
    assert height(armature) > 1.3
    changed(armature, up="y")
    assert abs(height(armature)) < 0.2
    record = stored_import(armature)
    assert record is not None and (record.read_up, record.up_from) == ("y", "user")
    assert any("lies on its" in note for note in json.loads(armature[rig.WARNINGS]))
    changed(armature, up="auto")
    assert height(armature) > 1.3 and not any("lies" in note for note in json.loads(armature[rig.WARNINGS]))


def test_another_unit_scales_places_and_not_the_body(tmp_path: Path) -> None:
    (armature,) = imported(amass(tmp_path / "a.npz"), unit="cm")
    assert joints(armature, FRAMES)[0, 1] - joints(armature, 1)[0, 1] == pytest.approx(0.01, abs=1e-4)
    changed(armature, unit="m")
    assert joints(armature, FRAMES)[0, 1] - joints(armature, 1)[0, 1] == pytest.approx(1.0, abs=1e-4)
    assert height(armature) > 1.3


# --- takes and people ---


def test_another_take_is_chosen_by_its_name(tmp_path: Path) -> None:
    (armature,) = imported(results(tmp_path / "results.npy"))
    record = stored_import(armature)
    assert record is not None
    entries = list(LATENTMAN_MT_takes.choices(record))
    assert [label for label, _, _ in entries] == [f"Sample {n}: take {n}" for n in range(3)]
    assert [chosen for _, chosen, _ in entries] == [True, False, False]
    changed(armature, **entries[2][2])
    assert clip_range(armature) == (1, FRAMES) and armature[rig.TEXT] == "take 2"


def test_several_people_become_several_characters_with_their_places(tmp_path: Path) -> None:
    first, second = imported(results(tmp_path / "results.npy", pair=True))
    assert (first.name, second.name) == ("results Person 0", "results Person 1")
    assert (first.latentman_open, second.latentman_open) == (True, False)
    apart = joints(second, 3)[0] - joints(first, 3)[0]
    np.testing.assert_allclose(apart, [0.8, 0.0, 0.0], atol=1e-3)
    changed(first, fps=10.0)  # of both, who share the file
    assert clip_range(first) == clip_range(second) == (1, 2 * (FRAMES - 2))
    changed(second, person=0)  # of this one alone
    np.testing.assert_allclose(joints(second, 3), joints(first, 3), atol=1e-5)
    record = stored_import(second)
    assert record is not None
    assert [chosen for _, chosen, _ in LATENTMAN_MT_people.choices(record)] == [True, False]


def test_people_are_moved_aside_together(tmp_path: Path) -> None:
    imported(results(tmp_path / "one.npy"))
    first, second = imported(results(tmp_path / "two.npy", pair=True))
    assert first.location.x == second.location.x > 0.5
    changed(first, up="y")
    assert any(note.startswith(rig.MOVED) for note in json.loads(first[rig.NOTES]))


def test_one_person_alone_can_be_imported_in_panel_and_batch(tmp_path: Path) -> None:
    path = results(tmp_path / "results.npy", pair=True)
    (alone,) = imported(path, person=1)
    assert alone.name == "results"
    for arguments, count in (((), 2), (("--person", "1"), 1)):
        empty_scene(20)
        common = ("--motion", str(path), "--prompt", "x", "--output", str(tmp_path / "out"), "--dry-run")
        assert main([*common, *arguments]) == 0
        assert len(rig.characters(context.scene)) == count
    with pytest.raises(RuntimeError, match="has no person 4"):
        operators.latentman.import_motion(filepath=str(path), person=4)


# --- what stays ---


def test_an_edit_layer_stays_over_the_new_motion_and_is_warned_of() -> None:
    (armature,) = imported(sample_path("walk"))
    add_layer(context.scene, armature)
    before, actions = joints(armature, 11), len(bpy.data.actions)
    changed(armature, fps=40.0)
    assert has_edit(armature) and len(bpy.data.actions) == actions
    np.testing.assert_allclose(joints(armature, 6), before, atol=1e-5)  # the same moment, at twice the speed
    changed(armature, fps=0.0)
    np.testing.assert_allclose(joints(armature, 11), before, atol=1e-5)


def test_a_file_that_is_gone_changes_nothing(tmp_path: Path) -> None:
    path = amass(tmp_path / "a.npz")
    (armature,) = imported(path)
    before = joints(armature, FRAMES)
    path.unlink()
    with pytest.raises(RuntimeError, match=r"a\.npz"):
        operators.latentman.reimport_motion(armature=armature.name, up="y")
    np.testing.assert_array_equal(joints(armature, FRAMES), before)


def test_a_character_of_an_earlier_version_says_so() -> None:
    (armature,) = imported(sample_path("walk"))
    del armature[IMPORT]
    assert stored_import(armature) is None
    with pytest.raises(RuntimeError, match="does not know its motion file"):
        operators.latentman.reimport_motion(armature=armature.name, up="y")
    with pytest.raises(RuntimeError, match="no character 'nobody'"):
        operators.latentman.reimport_motion(armature="nobody", up="y")


def test_each_menu_says_which_choice_is_the_present_one(tmp_path: Path) -> None:
    (armature,) = imported(amass(tmp_path / "a.npz"), unit="mm")
    record = stored_import(armature)
    assert record is not None
    up = {label: chosen for label, chosen, _ in LATENTMAN_MT_up.choices(record)}
    assert up == {"Automatic": True, **dict.fromkeys(("Y up", "Z up", "X up", "Y down", "Z down", "X down"), False)}
    unit = [label for label, chosen, _ in LATENTMAN_MT_unit.choices(record) if chosen]
    assert unit == ["Millimetres"]
