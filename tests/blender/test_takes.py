"""Takes on the timeline: shown as they grow, compared, gone back to, and behind the camera."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

import blender_addon
from blender_addon.client.request import placeholder_inputs
from blender_addon.compat import present_strips, sequencer_strips
from blender_addon.look.camera import frame_shot
from blender_addon.rig.character import import_motion
from blender_addon.scene.scene_job import stored_template
from blender_addon.shot.takes_on_disk import finished_takes, next_take_folder
from blender_addon.shot.unfinished_takes import unfinished_takes
from blender_addon.timeline.compare import shown_take
from blender_addon.timeline.take import DONE, JOB_ID, NOTES, Take, add_take, show_take, take_job, takes
from shared.body import free_body
from shared.errors import InputError
from shared.jobs.job import Job, canonical_json
from shared.methods.latentman import LatentManSettings
from tests.blender.scenes import add_camera, context, empty_scene, operators, standing_motion

FRAMES = (2, 4, 5)


@pytest.fixture
def scene() -> Iterator[Any]:
    made = empty_scene()
    blender_addon.register()
    yield made
    blender_addon.unregister()


def take(folder: Path, **changes: Any) -> Take:
    """A take with pictures on disk."""
    folder.mkdir(parents=True)
    image: Any = bpy.data.images.new("frame", 8, 8)
    for frame in FRAMES:
        image.pixels.foreach_set(np.full(8 * 8 * 4, frame / 10, np.float32))
        image.filepath_raw, image.file_format = str(folder / f"{frame:04d}.png"), "PNG"
        image.save()
    bpy.data.images.remove(image)
    job = Job("a robot", FRAMES, placeholder_inputs(len(FRAMES)), **({"method": "latentman"} | changes))
    return Take(folder, job, "0" * 64)


def names(strip: Any) -> list[str]:
    return [element.filename for element in strip.elements]


def test_a_take_grows_on_one_strip_and_holds_what_is_not_there(scene: Any, tmp_path: Path) -> None:
    made = take(tmp_path / "take-001" / "latentman")
    strip = show_take(scene, made, (4,))
    assert (names(strip), strip[DONE]) == (["0004.png"] * 4, 1)
    assert show_take(scene, made, FRAMES) == strip
    assert (names(strip), strip[DONE]) == (["0002.png", "0002.png", "0004.png", "0005.png"], 3)
    assert [one.channel for one in takes(scene)] == [1]
    assert add_take(scene, take(tmp_path / "take-002" / "latentman")).channel == 2


def test_the_notes_of_a_take_come_with_its_end_and_are_found_again(scene: Any, tmp_path: Path) -> None:
    made = take(tmp_path / "take-001" / "latentman")
    assert NOTES not in show_take(scene, made, FRAMES)
    notes = ("A plate was taken.", "Two bodies were locked.")
    strip = show_take(scene, dataclasses.replace(made, notes=notes), FRAMES)
    assert strip[NOTES].splitlines() == list(notes) and takes(scene) == [strip]
    (made.folder / "job.json").write_bytes(canonical_json(made.job))
    row = {"method": "latentman", "job_id": "0" * 64}
    for one, expected in ((row, ()), (row | {"notes": list(notes)}, notes)):
        result = {"methods": [one], "engine": "cycles"}
        (tmp_path / "take-001" / "result.json").write_text(json.dumps(result))
        assert [found.notes for found in finished_takes(tmp_path)] == [expected]


def on_twos(folder: Path) -> Take:
    """A take of frames 1-8x2; its pictures are not looked at."""
    return Take(folder, Job("a robot", (1, 3, 5, 7), placeholder_inputs(4)), "1" * 64)


def test_a_take_on_twos_lasts_as_long_as_the_shot(scene: Any, tmp_path: Path) -> None:
    strip = add_take(scene, on_twos(tmp_path / "take-001" / "latentman"))
    assert (strip.frame_final_start, strip.frame_final_end) == (1, 9)  # the end is the frame behind the last
    assert names(strip) == [f"000{frame}.png" for frame in (1, 1, 3, 3, 5, 5, 7, 7)]


def test_other_frames_in_the_same_folder_take_the_strips_place(scene: Any, tmp_path: Path) -> None:
    made = on_twos(tmp_path / "take-001" / "latentman")
    add_take(scene, made)
    longer = dataclasses.replace(made.job, frames=(1, 3, 5, 7, 9), inputs=placeholder_inputs(5), seed=3)
    strip = add_take(scene, dataclasses.replace(made, job=longer, job_id="2" * 64))
    assert takes(scene) == [strip] and take_job(strip) == longer and strip[JOB_ID] == "2" * 64
    assert (strip.frame_final_start, strip.frame_final_end) == (1, 11)


def colour(scene: Any, channel: int, first: int, last: int) -> Any:
    strips = sequencer_strips(scene)
    end = {"length": last - first + 1} if "length" in strips.bl_rna.functions["new_effect"].parameters else {}
    end = end or {"frame_end": last + 1}
    return strips.new_effect(name="title", type="COLOR", channel=channel, frame_start=first, **end)


def test_a_take_lies_over_no_other_strip(scene: Any, tmp_path: Path) -> None:
    colour(scene, 128, 1, 20)
    colour(scene, 127, 5, 6)
    colour(scene, 126, 9, 20)  # begins where the take ends
    strip = add_take(scene, on_twos(tmp_path / "take-001" / "latentman"))
    assert strip.channel == 126
    for channel in range(1, 127):
        colour(scene, channel, 1, 4)
    with pytest.raises(InputError, match="Every channel"):
        add_take(scene, on_twos(tmp_path / "take-002" / "latentman"))


def test_a_take_is_found_again_beside_the_files_folder(scene: Any, tmp_path: Path) -> None:
    (tmp_path / "film").mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "film" / "shot.blend"))
    scene = context.scene
    made = take(tmp_path / "out" / "latentman")
    strip = add_take(scene, made)
    assert strip.directory == "//../out/latentman/"
    assert add_take(scene, made) == strip and len(takes(scene)) == 1


def test_a_and_b(scene: Any, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        add_take(scene, take(tmp_path / f"take-00{number}" / "latentman", seed=number))
    strips = present_strips(scene)
    end = {"length": 5} if "length" in strips.bl_rna.functions["new_effect"].parameters else {"frame_end": 6}
    other = strips.new_effect(name="title", type="COLOR", channel=9, frame_start=1, **end)
    first, second, third = (strip.name for strip in takes(scene))
    assert shown_take(scene).name == third
    assert operators.latentman.show_take(take=first) == {"FINISHED"}
    assert [strip.mute for strip in takes(scene)] == [False, True, True] and not other.mute
    for expected in (third, first):
        assert operators.latentman.compare_takes() == {"FINISHED"}
        assert shown_take(scene).name == expected
    assert operators.latentman.show_take(take=second) == {"FINISHED"}
    assert operators.latentman.compare_takes() == {"FINISHED"} and shown_take(scene).name == first
    with pytest.raises(RuntimeError, match="no take 'nothing'"):
        operators.latentman.show_take(take="nothing")


def test_redo_brings_every_setting_back(scene: Any, tmp_path: Path) -> None:
    settings = LatentManSettings(align=(0.1, 0.55), guide=(0.0, 0.3), baseline="masactrl", guide_rule="fixed")
    changes = {"seed": 5, "steps": 9, "guidance_scale": 7.1, "negative_prompt": "blur"}
    made = take(tmp_path / "take-001" / "latentman", settings=settings, controlnet_scale=0.7, **changes)
    strip = add_take(scene, dataclasses.replace(made, engine="eevee"))
    assert operators.latentman.redo_take(take=strip.name) == {"FINISHED"}
    assert scene.latentman.frames == "2,4-5" and scene.latentman.engine == "eevee"
    again = stored_template(scene, FRAMES)
    assert dataclasses.replace(again, fps=made.job.fps) == made.job == take_job(strip)


def test_a_take_behind_the_camera(scene: Any, tmp_path: Path) -> None:
    strip = add_take(scene, take(tmp_path / "take-001" / "latentman"))
    with pytest.raises(RuntimeError, match="no perspective camera"):
        operators.latentman.take_background(take=strip.name)
    camera = add_camera(scene, (0, -4, 1), (1.5, 0, 0))
    own = camera.data.background_images.new()
    for _ in range(2):
        assert operators.latentman.take_background(take=strip.name) == {"FINISHED"}
        entry = camera.data.background_images[1]
        assert len(camera.data.background_images) == 2 and entry.image.source == "SEQUENCE"
        user = entry.image_user
        assert (user.frame_start, user.frame_offset, user.frame_duration) == (2, 1, 4)
    assert operators.latentman.clear_background() == {"FINISHED"}
    assert list(camera.data.background_images) == [own]
    assert not [image for image in bpy.data.images if image.source == "SEQUENCE"]


def test_the_operators_say_why_not(scene: Any) -> None:
    for operator, words in (
        (operators.latentman.compare_takes, "Two takes"),
        (operators.latentman.redo_take, "no take yet"),
        (operators.latentman.clear_background, "no camera"),
    ):
        with pytest.raises(RuntimeError, match=words):
            operator()
    bare = bpy.data.scenes.new("bare")
    assert takes(bare) == [] and bare.sequence_editor is None  # looking makes nothing


def test_a_sequencer_without_a_scene_shows_the_takes_scene_and_a_chosen_one_stays(scene: Any, tmp_path: Path) -> None:
    chosen = bpy.data.workspaces[0]
    if not hasattr(chosen, "sequencer_scene"):  # before 5.0 a sequencer shows its window's scene
        return
    other = bpy.data.scenes.new("edit")
    chosen.sequencer_scene = other
    add_take(scene, take(tmp_path / "take-001" / "latentman"))
    assert chosen.sequencer_scene == other
    assert {one.sequencer_scene for one in bpy.data.workspaces[1:]} <= {scene}


def test_an_output_folder_whose_name_is_too_long_is_said_once(scene: Any, tmp_path: Path) -> None:
    base = tmp_path / ("x" * 300)
    assert unfinished_takes(base) == () and finished_takes(base) == []
    assert next_take_folder(base) == base / "take-001"
    scene.latentman.output, scene.latentman.prompt = f"{base}", "a robot"
    armature = import_motion(scene, standing_motion(3), free_body())
    frame_shot(scene, armature, (1, 3))
    with pytest.raises(RuntimeError, match="File name too long"):
        operators.latentman.generate()
