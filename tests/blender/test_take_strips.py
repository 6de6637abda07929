"""A take's strip beside what it shows: its fit into the render size, its icon, the video made of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

import blender_addon
from blender_addon.client.request import placeholder_inputs
from blender_addon.look.take_icons import TakeIcons
from blender_addon.ops.picture_size import adopt
from blender_addon.shot.generation import BackendChoice
from blender_addon.shot.running import generation
from blender_addon.shot.video import video_beside, video_command
from blender_addon.timeline.compare import bring_into_sight, other_take, present_take, show_only
from blender_addon.timeline.fit import FIT
from blender_addon.timeline.take import Take, add_take, first_picture, refit_takes, remove_takes, takes
from shared.errors import InputError
from shared.jobs.job import Job, canonical_json
from tests.blender.scenes import context, empty_scene, operators

FRAMES = (3, 4)
WIDTH, HEIGHT = 64, 48


@pytest.fixture
def scene() -> Iterator[Any]:
    made = empty_scene()
    blender_addon.register()
    entry = context.preferences.addons.new()
    entry.module = "blender_addon"
    entry.preferences.backend = f"{sys.executable} -m backend"
    yield made
    blender_addon.unregister()
    for entry in [entry for entry in context.preferences.addons if entry.module == "blender_addon"]:
        context.preferences.addons.remove(entry)


def take(base: Path, number: int = 1) -> Take:
    """A take with pictures and its job on disk."""
    folder = base / f"take-00{number}" / "latentman"
    folder.mkdir(parents=True)
    image: Any = bpy.data.images.new("frame", WIDTH, HEIGHT)
    for frame in FRAMES:
        image.pixels.foreach_set(np.full(WIDTH * HEIGHT * 4, frame / 10, np.float32))
        image.filepath_raw, image.file_format = str(folder / f"{frame:04d}.png"), "PNG"
        image.save()
    bpy.data.images.remove(image)
    job = Job("a robot", FRAMES, placeholder_inputs(len(FRAMES)), method="latentman", seed=number)
    (folder / "job.json").write_bytes(canonical_json(job))
    return Take(folder, job, str(number) * 64)


def scale(strip: Any) -> tuple[float, float]:
    return strip.transform.scale_x, strip.transform.scale_y


def resize(scene: Any, width: int, height: int) -> None:
    scene.render.resolution_x, scene.render.resolution_y = width, height


# ---- The fit


def test_a_take_follows_the_render_size_whole_and_exact_where_sizes_agree(scene: Any, tmp_path: Path) -> None:
    strip = add_take(scene, take(tmp_path))
    assert scale(strip) == (22.5, 22.5)  # 1080 / 48
    for size, wanted, changed in (
        ((WIDTH, HEIGHT), 1.0, 1),
        ((128, 480), 2.0, 1),
        ((1000, 96), 2.0, 0),
        ((32, 24), 0.5, 1),
    ):
        resize(scene, *size)
        assert refit_takes(scene) == changed and scale(strip) == (wanted, wanted)
    assert refit_takes(scene) == 0
    scene.render.resolution_percentage = 50  # Blender applies that to strips itself
    assert refit_takes(scene) == 0


def test_a_scale_set_by_hand_stays_and_one_of_an_earlier_version_is_fitted(scene: Any, tmp_path: Path) -> None:
    by_hand, earlier, earlier_by_hand = (add_take(scene, take(tmp_path, number)) for number in (1, 2, 3))
    by_hand.transform.scale_x = 10
    earlier_by_hand.transform.scale_y = 3
    for strip in (earlier, earlier_by_hand):
        del strip[FIT]
    resize(scene, WIDTH, HEIGHT)
    assert refit_takes(scene) == 1
    assert [scale(strip) for strip in (by_hand, earlier, earlier_by_hand)] == [(10, 22.5), (1, 1), (22.5, 3)]


def test_the_timer_fits_the_takes_of_every_scene_after_an_undo_as_well(scene: Any, tmp_path: Path) -> None:
    add_take(scene, take(tmp_path))
    other: Any = bpy.data.scenes.new("other")
    add_take(other, take(tmp_path, 2))
    bpy.ops.ed.undo_push(message="before")
    for one in (scene, other):
        resize(one, WIDTH, HEIGHT)
    bpy.ops.ed.undo_push(message="another size")  # before anything of ours could see it
    generation().tick()
    assert [scale(takes(one)[0]) for one in bpy.data.scenes] == [(1, 1), (1, 1)]
    bpy.ops.ed.undo()
    assert [scale(takes(one)[0]) for one in bpy.data.scenes] == [(22.5, 22.5), (22.5, 22.5)]
    assert [refit_takes(one) for one in bpy.data.scenes] == [0, 0]
    bpy.ops.ed.redo()
    assert context.scene.render.resolution_x == WIDTH
    assert [refit_takes(one) for one in bpy.data.scenes] == [1, 1]
    assert [scale(takes(one)[0]) for one in bpy.data.scenes] == [(1, 1), (1, 1)]


def test_use_picture_size_fits_at_once(scene: Any, tmp_path: Path) -> None:
    strip = add_take(scene, take(tmp_path))
    scene.latentman.width, scene.latentman.height = 128, 96
    assert operators.latentman.use_picture_size() == {"FINISHED"} and scale(strip) == (2, 2)


def test_the_picture_size_is_adopted_in_place_of_blenders_own_alone(scene: Any) -> None:
    render, settings = scene.render, scene.latentman
    for name, value in (("resolution_x", 1280), ("resolution_percentage", 50)):
        kept = getattr(render, name)
        setattr(render, name, value)
        assert not adopt(scene) and getattr(render, name) == value
        setattr(render, name, kept)
    settings.width, settings.height = 1920, 1080
    assert not adopt(scene)
    settings.width, settings.height = 256, 320
    assert adopt(scene) and (render.resolution_x, render.resolution_y) == (256, 320)
    assert not adopt(scene)


# ---- Shown


def test_a_finished_take_is_presented_and_a_and_b_goes_back_to_what_was_shown(scene: Any, tmp_path: Path) -> None:
    first, _, third = (add_take(scene, take(tmp_path, number)) for number in (1, 2, 3))
    show_only(scene, first.name)
    fourth = add_take(scene, take(tmp_path, 4))
    present_take(scene, fourth)
    assert [strip.mute for strip in takes(scene)] == [True, True, True, False]
    assert other_take(scene) == first.name
    scene.frame_set(4)
    bring_into_sight(scene, fourth)
    assert scene.frame_current == 4
    for outside in (1, 5):
        scene.frame_set(outside)
        bring_into_sight(scene, third)
        assert scene.frame_current == 3


def test_the_strips_of_a_deleted_take_go_and_others_stay(scene: Any, tmp_path: Path) -> None:
    kept, gone = (add_take(scene, take(tmp_path, number)) for number in (1, 2))
    assert gone.channel == 2
    remove_takes(scene, tmp_path / "take-002")
    assert takes(scene) == [kept]


def test_icons_are_read_once_again_after_a_change_and_given_back(scene: Any, tmp_path: Path) -> None:
    """In the background nothing is drawn; what is read and given back is the same."""
    strip, icons = add_take(scene, take(tmp_path)), TakeIcons()
    picture = first_picture(strip)
    assert picture == tmp_path / "take-001" / "latentman" / "0003.png" and icons.icon_id(picture) == 0
    icons._read(str(picture))
    first = icons._collection[str(picture)]
    icons._read(str(picture))
    assert icons._collection[str(picture)] == first and len(icons._collection) == 1
    icons.close()
    icons.close()
    assert icons._collection is None


# ---- Video


def test_a_take_is_saved_as_a_video_beside_its_folder(scene: Any, tmp_path: Path) -> None:
    strip = add_take(scene, take(tmp_path))
    assert operators.latentman.save_video(take=strip.name) == {"FINISHED"}
    assert (tmp_path / "take-001.mp4").stat().st_size > 500
    assert operators.latentman.save_video(take=strip.name, filepath=str(tmp_path / "shown")) == {"FINISHED"}
    assert (tmp_path / "shown.mp4").is_file()
    (tmp_path / "take-001" / "latentman" / "0004.png").unlink()
    with pytest.raises(RuntimeError, match="is missing frame 4 of its 2 frames"):
        operators.latentman.save_video(take=strip.name)
    with pytest.raises(RuntimeError, match="There is no take"):
        operators.latentman.save_video(take="nothing")
    with pytest.raises(RuntimeError, match="does not exist"):
        operators.latentman.save_video(take=strip.name, filepath=str(tmp_path / "no" / "v.mp4"))


def test_without_a_program_of_this_machine_a_remote_backends_video_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="written on this machine") as caught:
        video_command(BackendChoice("no-such-program", tmp_path / "connection.json"))
    assert caught.value.code == "video.no_program"
    with pytest.raises(InputError, match="neither a program nor a folder"):
        video_command(BackendChoice("no-such-program"))
    assert video_beside(tmp_path / "take-001" / "latentman") == tmp_path / "take-001.mp4"
    assert video_beside(tmp_path / "out" / "latentman") == tmp_path / "out" / "latentman.mp4"
