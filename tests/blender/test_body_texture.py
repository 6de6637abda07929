"""The texture on the body: where it is seen, what it leaves alone, and what remains when it is taken off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from numpy.typing import NDArray

import blender_addon
from blender_addon import compat
from blender_addon.cli.saved_blend import FROM_TAKE, save_blend
from blender_addon.client.request import GenerateRequest, placeholder_inputs
from blender_addon.passes.launcher import PassRequest
from blender_addon.rig.body_texture import ATLAS_MAP, has_texture, put_texture, remove_texture
from blender_addon.rig.character import bodies, import_motion
from blender_addon.timeline.take import Take, add_take
from shared.body import free_body
from shared.body.atlas_layout import atlas_points
from shared.errors import InputError
from shared.jobs.job import Job
from shared.methods import METHODS
from tests.blender.scenes import (
    add_camera,
    context,
    eevee_runs,
    empty_scene,
    operators,
    plane_body,
    read_exr,
    render_passes,
    standing_motion,
    still_motion,
)

SIZE = 64
TORSO = (1, 2)


@pytest.fixture
def scene() -> Iterator[Any]:
    """The free body before a camera, with the add-on registered."""
    made = empty_scene(24)
    blender_addon.register()
    import_motion(made, standing_motion(2), free_body())
    add_camera(made, (0.1, -3.0, 1.1), (np.pi / 2 + 0.05, 0.03, 0.1))
    yield made
    blender_addon.unregister()


def write_picture(path: Path, levels: NDArray[Any]) -> Path:
    """Write (height, width, 3) in 0..1 as an opaque PNG whose row 0 is the top."""
    height, width = levels.shape[:2]
    image: Any = bpy.data.images.new("painted", width, height)
    rgba = np.concatenate([levels, np.ones((height, width, 1))], axis=-1)
    image.pixels.foreach_set(rgba[::-1].astype(np.float32).ravel())
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)
    return path


def painted(path: Path, tile: int = 16) -> Path:
    """An atlas whose torso is red and whose other parts are grey."""
    part, _ = atlas_points(tile)
    return write_picture(path, np.where(np.isin(part, TORSO)[..., None], (0.8, 0.05, 0.05), 0.4))


def picture(path: Path, scene: Any, engine: str = "CYCLES") -> NDArray[Any]:
    """The scene as it is rendered, in white light from everywhere: (SIZE, SIZE, 3) in 0..1, row 0 at the top."""
    world: Any = bpy.data.worlds.new("white")
    world.color = (1, 1, 1)
    if world.node_tree:
        world.node_tree.nodes["Background"].inputs["Color"].default_value = (1, 1, 1, 1)
    scene.world = world
    render = scene.render
    render.engine, render.resolution_x, render.resolution_y, render.resolution_percentage = engine, SIZE, SIZE, 100
    scene.cycles.samples, scene.cycles.use_denoising, scene.eevee.taa_render_samples = 8, False, 1
    scene.view_settings.view_transform = "Standard"
    render.image_settings.file_format, render.filepath = "PNG", str(path)
    bpy.ops.render.render(write_still=True)
    image: Any = bpy.data.images.load(str(path))
    pixels = np.empty(SIZE * SIZE * 4, np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels.reshape(SIZE, SIZE, 4)[::-1, :, :3]


def parts(folder: Path) -> NDArray[Any]:
    """The labels of frame 1; 0 also where a neighbour has another label."""
    render_passes(bpy.context, PassRequest(folder, (1,), SIZE, SIZE))
    part = read_exr(folder / "0001.exr")["iuv.R"]
    inner = np.ones(part.shape, bool)
    for axis in (0, 1):
        for step in (-1, 1):
            inner &= np.roll(part, step, axis) == part
    return np.where(inner, part, 0)


@pytest.mark.parametrize("engine", ["CYCLES", pytest.param("EEVEE", marks=pytest.mark.slow)])
def test_a_painted_part_is_seen_where_the_passes_have_it(scene: Any, tmp_path: Path, engine: str) -> None:
    if engine == "EEVEE" and not eevee_runs():
        pytest.skip("this Blender cannot render with EEVEE here")
    put_texture(bodies(scene)[0], painted(tmp_path / "atlas.png"))
    part = parts(tmp_path / "passes")
    seen = picture(tmp_path / "seen.png", scene, compat.eevee_engine() if engine == "EEVEE" else engine)
    red = seen[..., 0] > 1.5 * seen[..., 1]
    torso, others = np.isin(part, TORSO), (part > 0) & ~np.isin(part, TORSO)
    assert torso.sum() > 30 and others.sum() > 60
    assert red[torso].all() and not red[others].any()


def test_every_point_shows_its_own_place_in_the_atlas(tmp_path: Path) -> None:
    scene = empty_scene(24)
    import_motion(scene, still_motion(1), plane_body())
    add_camera(scene, (0, -4, 0), (np.pi / 2, 0, 0))
    part, uv = atlas_points(64)
    put_texture(
        bodies(scene)[0],
        write_picture(tmp_path / "atlas.png", np.concatenate([part[..., None] / 24, uv], axis=-1)),
    )
    tree = bodies(scene)[0].material_slots[0].material.node_tree
    glow, shown = tree.nodes.new("ShaderNodeEmission"), tree.nodes["Image Texture"]
    tree.links.new(shown.outputs["Color"], glow.inputs["Color"])
    tree.links.new(glow.outputs[0], tree.nodes["Material Output"].inputs["Surface"])
    scene.cycles.filter_width = 0.01
    seen = picture(tmp_path / "seen.png", scene)
    render_passes(bpy.context, PassRequest(tmp_path / "passes", (1,), SIZE, SIZE))
    passes = read_exr(tmp_path / "passes/0001.exr")
    expected = np.stack([passes["iuv.R"] / 24, passes["iuv.G"], passes["iuv.B"]], axis=-1)
    on_body = passes["iuv.R"] > 0
    assert on_body.sum() > 1000
    assert np.quantile(np.abs(seen - expected)[on_body], 0.98, axis=0).max() < 0.04


def test_the_passes_do_not_change_by_it(scene: Any, tmp_path: Path) -> None:
    parts(tmp_path / "plain")
    put_texture(bodies(scene)[0], painted(tmp_path / "atlas.png"))
    parts(tmp_path / "textured")
    for name in ("0001.exr", "charts.npz", "vertices.npy", "shot.json"):
        assert (tmp_path / "plain" / name).read_bytes() == (tmp_path / "textured" / name).read_bytes(), name


def state(body: Any) -> Any:
    slots = [(slot.link, slot.material.name if slot.material else "") for slot in body.material_slots]
    maps = [layer.name for layer in body.data.uv_layers], body.data.uv_layers.active_index
    return slots, maps, sorted(body.keys()), sorted(body.data.attributes.keys())


@pytest.mark.parametrize("slots", [(), ("skin",), ("skin", "", "of no face", "of the object")])
def test_removing_it_leaves_the_body_as_it_was(scene: Any, tmp_path: Path, slots: tuple[str, ...]) -> None:
    (body,) = bodies(scene)
    for index, name in enumerate(slots):
        body.data.materials.append(bpy.data.materials.new(name) if name and index < 3 else None)
        body.data.polygons[index].material_index = 0 if index == 2 else index
    if len(slots) > 3:
        body.material_slots[3].link = "OBJECT"
        body.material_slots[3].material = bpy.data.materials.new(slots[3])
    before = state(body)
    materials, images = list(bpy.data.materials), list(bpy.data.images)
    for _ in range(2):  # again: it is replaced
        put_texture(body, painted(tmp_path / "atlas.png"))
        assert has_texture(body)
        assert len(bpy.data.materials) == len(materials) + 1 and len(bpy.data.images) == len(images) + 1
        worn = [slot.material.name for slot in body.material_slots]
        assert worn == [name if name == "of no face" else "LatentMan character" for name in slots or ("",)]
    remove_texture(body)
    assert not has_texture(body) and state(body) == before
    assert (list(bpy.data.materials), list(bpy.data.images)) == (materials, images)
    remove_texture(body)
    assert state(body) == before


def test_the_file_keeps_it_when_the_picture_is_gone(scene: Any, tmp_path: Path) -> None:
    (body,) = bodies(scene)
    skin = bpy.data.materials.new("skin")
    body.data.materials.append(skin)
    atlas = painted(tmp_path / "atlas.png")
    put_texture(body, atlas)
    before = picture(tmp_path / "before.png", scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    atlas.unlink()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
    assert (picture(tmp_path / "after.png", context.scene) == before).all()
    (body,) = bodies(context.scene)
    remove_texture(body)
    assert body.material_slots[0].material.name == "skin" and ATLAS_MAP not in body.data.uv_layers


def test_what_cannot_be_put_on_is_refused_and_changes_nothing(scene: Any, tmp_path: Path) -> None:
    (body,) = bodies(scene)
    before = state(body)
    (tmp_path / "text.png").write_text("no picture")
    write_picture(tmp_path / "square.png", np.zeros((8, 8, 3)))
    for name, words in (("none.png", "no texture"), ("text.png", "not a picture"), ("square.png", "8 x 8 pixels")):
        with pytest.raises(InputError, match=words):
            put_texture(body, tmp_path / name)
    atlas = painted(tmp_path / "atlas.png")
    while len(body.data.uv_layers) < 8:
        body.data.uv_layers.new(name="own")
    with pytest.raises(InputError, match="no room"):
        put_texture(body, atlas)
    while len(body.data.uv_layers) > 1:
        body.data.uv_layers.remove(body.data.uv_layers[-1])
    body.data.uv_layers.active_index = 0
    assert state(body) == before and not bpy.data.images
    context.view_layer.objects.active = body
    bpy.ops.object.mode_set(mode="EDIT")
    with pytest.raises(InputError, match="is in Edit Mode"):
        put_texture(body, atlas)
    bpy.ops.object.mode_set(mode="OBJECT")
    body.data.attributes.remove(body.data.attributes["latentman_part"])
    with pytest.raises(InputError, match="no part labels"):
        put_texture(body, atlas)


def test_the_buttons_say_why_not_and_take_the_shown_takes_texture(scene: Any, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="No take is shown"):
        operators.latentman.put_texture_on_body()
    with pytest.raises(RuntimeError, match="No character has a texture"):
        operators.latentman.remove_texture()
    folder = tmp_path / "take-001" / "latentman"
    folder.mkdir(parents=True)
    write_picture(folder / "0001.png", np.zeros((8, 8, 3)))
    add_take(scene, Take(folder, Job("a robot", (1,), placeholder_inputs(1)), "0" * 64))
    with pytest.raises(RuntimeError, match="take-001 latentman has no texture: takes of SurfaceLock .* with Lock on"):
        operators.latentman.put_texture_on_body()
    painted(folder / "atlas.png")
    second = bodies(scene)[0]
    import_motion(scene, standing_motion(2), free_body(), name="another")
    assert operators.latentman.put_texture_on_body() == {"FINISHED"}
    assert [body for body in bodies(scene) if has_texture(body)] == [second]
    assert operators.latentman.remove_texture() == {"FINISHED"}
    assert operators.latentman.put_texture_file(filepath=str(folder / "atlas.png")) == {"FINISHED"}
    assert has_texture(second)
    with pytest.raises(RuntimeError, match="no texture"):
        operators.latentman.put_texture_file(filepath=str(tmp_path / "none.png"))


@dataclass
class Done:
    """What is saved of a finished job."""

    request: GenerateRequest
    results: list[tuple[Job, str]]

    def notes(self, method: str) -> tuple[str, ...]:
        """What was chosen: nothing."""
        return ()


def test_the_saved_file_wears_the_first_texture_that_was_made(scene: Any, tmp_path: Path) -> None:
    methods = {name: METHODS[name].settings() for name in ("text2video_zero", "latentman")}
    template = Job("a robot", (1,), placeholder_inputs(1))
    request = GenerateRequest(tmp_path, methods, template)
    request.prepare_folders()
    for method in methods:
        write_picture(request.frames_folder(method) / "0001.png", np.zeros((8, 8, 3)))
    job: Any = Done(request, [(request.job(method, template.inputs), "0" * 64) for method in methods])
    blend = tmp_path / "shot.blend"
    save_blend(scene, job, blend, None)
    assert not images_of(blend)
    blend.unlink()
    with pytest.raises(InputError, match="saved without a texture: text2video_zero, latentman made none") as told:
        save_blend(scene, job, blend, FROM_TAKE)
    assert told.value.hint == "Add surfacelock to --method, or give --finish-lock on."
    assert not images_of(blend)
    made = painted(request.frames_folder("latentman") / "atlas.png")
    for given, shown in ((FROM_TAKE, made), (painted(tmp_path / "own.png"), tmp_path / "own.png")):
        save_blend(scene, job, blend, given)
        assert images_of(blend) == [ATLAS_MAP]
        assert Path(bpy.path.abspath(bpy.data.images[ATLAS_MAP].filepath)) == shown


def images_of(blend: Path) -> list[str]:
    libraries: Any = bpy.data.libraries
    with libraries.load(str(blend)) as (there, _):
        return list(there.images)
