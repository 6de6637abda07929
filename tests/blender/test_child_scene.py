"""The child renders the scene that the user sees: caches, scripts, libraries, colours; a fault becomes a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from numpy.typing import NDArray

from blender_addon.passes import trust
from blender_addon.passes.launcher import LOG_FILE, PassRequest
from blender_addon.passes.saved_copy import save_copy
from blender_addon.rig.character import characters, import_motion
from shared.errors import RenderError
from tests.blender.scenes import add_camera, context, empty_scene, plane_body, read_exr, render_passes, still_motion

ROOT = Path(__file__).resolve().parents[2]
SIZE = 32
OWN_COLOURS = """ocio_profile_version: 2
search_path: ""
roles: {default: lin, scene_linear: lin, data: plain, color_picking: lin, aces_interchange: lin}
displays:
  Studio:
    - !<View> {name: Film, colorspace: lin}
colorspaces:
  - !<ColorSpace> {name: lin, bitdepth: 32f, isdata: false}
  - !<ColorSpace> {name: plain, bitdepth: 32f, isdata: true}
"""


def board_scene(frames: int = 2) -> Any:
    """A square of 2 m before a camera that sees 2.9 m of it."""
    scene = empty_scene(24)
    import_motion(scene, still_motion(frames), plane_body(), name="board")
    add_camera(scene, (0, -4, 0), (np.pi / 2, 0, 0))
    return scene


def render(folder: Path, frames: tuple[int, ...] = (1,)) -> NDArray[Any]:
    """The labels of the last frame."""
    render_passes(bpy.context, PassRequest(folder, frames, SIZE, SIZE))
    return read_exr(folder / f"{frames[-1]:04d}.exr")["iuv.R"]


def save(path: Path) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False)


def reopen(path: Path, **options: Any) -> Any:
    bpy.ops.wm.open_mainfile(filepath=str(path), **options)
    return context.scene


def cube_before_the_board(size: float = 0.4) -> Any:
    bpy.ops.mesh.primitive_cube_add(size=size, location=(0, -1, 0))
    return context.object


def test_physics_baked_beside_the_file_is_in_the_passes_and_stays_as_it_was(tmp_path: Path) -> None:
    scene = board_scene(12)
    save(tmp_path / "shot.blend")
    bpy.ops.mesh.primitive_grid_add(x_subdivisions=4, y_subdivisions=4, size=0.8, location=(0, -1, 0.8))
    cloth = context.object
    cache = cloth.modifiers.new("Cloth", "CLOTH").point_cache
    cache.frame_start, cache.frame_end, cache.use_disk_cache = 1, 12, True
    save(tmp_path / "shot.blend")
    with bpy.context.temp_override(point_cache=cache, scene=scene):
        bpy.ops.ptcache.bake(bake=True)
    save(tmp_path / "shot.blend")
    files = {path.name: path.read_bytes() for path in (tmp_path / "blendcache_shot").iterdir()}
    fallen = render(tmp_path / "fallen", (12,))
    assert {path.name: path.read_bytes() for path in (tmp_path / "blendcache_shot").iterdir()} == files
    scene.frame_set(12)
    shape = cloth.evaluated_get(context.evaluated_depsgraph_get())
    frozen = bpy.data.objects.new("frozen", bpy.data.meshes.new_from_object(shape))
    frozen.matrix_world = cloth.matrix_world
    scene.collection.objects.link(frozen)
    bpy.data.objects.remove(cloth)
    assert (fallen == render(tmp_path / "frozen", (12,))).all()
    bpy.data.objects.remove(frozen)
    assert (fallen != render(tmp_path / "without", (12,))).any()


def test_bakes_of_geometry_nodes_are_found_where_they_are(tmp_path: Path) -> None:
    scene = board_scene()
    empty = render(tmp_path / "empty")
    item = cube_before_the_board()
    tree: Any = bpy.data.node_groups.new("baked", "GeometryNodeTree")
    for direction in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=direction, socket_type="NodeSocketGeometry")
    bake: Any = tree.nodes.new("GeometryNodeBake")
    if not bake.bake_items:
        bake.bake_items.new("GEOMETRY", "Geometry")
    tree.links.new(tree.nodes.new("NodeGroupInput").outputs[0], bake.inputs[0])
    tree.links.new(bake.outputs[0], tree.nodes.new("NodeGroupOutput").inputs[0])
    modifier = item.modifiers.new("Nodes", "NODES")
    modifier.node_group = tree
    save(tmp_path / "shot.blend")
    if hasattr(modifier, "bake_target"):
        modifier.bake_target = "DISK"
    scene.frame_set(1)
    bpy.ops.object.geometry_node_bake_single(
        session_uid=item.session_uid, modifier_name="Nodes", bake_id=modifier.bakes[0].bake_id
    )
    assert modifier.bake_directory.startswith("//")
    item.data.clear_geometry()  # from here on the cube is in the bake alone
    save(tmp_path / "shot.blend")
    baked = render(tmp_path / "baked")
    assert (empty[14:18, 14:18] > 0).all()
    assert (baked[14:18, 14:18] == 0).all()


@pytest.mark.skipif(bpy.app.version < (5, 0, 0), reason="before 5.0 Blender has no such node, or keeps its path")
def test_files_that_geometry_nodes_import_are_found_beside_the_original(tmp_path: Path) -> None:
    board_scene()
    item = cube_before_the_board()
    (tmp_path / "sheet.obj").write_text("v -0.2 -0.2 0\nv 0.2 -0.2 0\nv 0.2 0.2 0\nv -0.2 0.2 0\nf 1 2 3 4\n")
    tree: Any = bpy.data.node_groups.new("import", "GeometryNodeTree")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    reader = tree.nodes.new("GeometryNodeImportOBJ")
    reader.inputs["Path"].default_value = "//sheet.obj"
    tree.links.new(reader.outputs[0], tree.nodes.new("NodeGroupOutput").inputs[0])
    item.modifiers.new("Nodes", "NODES").node_group = tree
    item.rotation_euler.x = np.pi / 2
    save(tmp_path / "shot.blend")
    assert (render(tmp_path / "out")[15:17, 15:17] == 0).all()


def test_drivers_of_a_file_that_the_user_allowed_run_in_the_child(tmp_path: Path) -> None:
    board_scene()
    curve = cube_before_the_board().driver_add("location", 0)
    curve.driver.expression = "bpy.context.scene.frame_current * 0.5"
    save(tmp_path / "shot.blend")
    reopen(tmp_path / "shot.blend", use_scripts=True)
    assert trust.scripts_of_open_file(bpy.context) == trust.ALLOWED
    moved = render(tmp_path / "moved", (1,))
    reopen(tmp_path / "shot.blend", use_scripts=False)
    assert trust.scripts_of_open_file(bpy.context) == trust.BLOCKED
    blocked = render(tmp_path / "blocked", (1,))
    hole = [np.nonzero((labels == 0)[SIZE // 2, 5:27])[0].mean() for labels in (moved, blocked)]
    assert hole[0] - hole[1] > 3  # half a metre is 7 pixels at the cube's distance; blocked, it stays at 0


def test_scripts_of_a_file_that_the_user_allowed_run_in_the_child(tmp_path: Path) -> None:
    board_scene()
    text = bpy.data.texts.new("rig.py")
    text.write("import bpy\nbpy.app.driver_namespace['half_a_frame'] = lambda frame: frame * 0.5\n")
    text.use_module = True
    cube_before_the_board().driver_add("location", 0).driver.expression = "half_a_frame(frame)"
    save(tmp_path / "shot.blend")
    reopen(tmp_path / "shot.blend", use_scripts=True)
    assert trust.scripts_of_open_file(bpy.context) == trust.ALLOWED
    labels = render(tmp_path / "moved")
    assert labels[16, 16] > 0
    assert (labels[16, 21:26] == 0).all()  # half a metre is 7 pixels at the cube's distance
    bpy.app.driver_namespace.pop("half_a_frame")
    reopen(tmp_path / "shot.blend", use_scripts=False)
    assert trust.scripts_of_open_file(bpy.context) == trust.BLOCKED


def test_what_nothing_of_a_file_has_shown_to_be_allowed_stays_blocked_and_is_told(tmp_path: Path) -> None:
    board_scene()
    item = cube_before_the_board()
    curve = item.driver_add("location", 0)
    curve.driver.expression = "bpy.context.scene.frame_current * 0.5"
    item.hide_viewport = True  # the session never runs it, a render would
    save(tmp_path / "shot.blend")
    reopen(tmp_path / "shot.blend", use_scripts=False)
    assert trust.scripts_of_open_file(bpy.context) == trust.UNKNOWN
    with pytest.raises(RenderError, match=r"'Cube'.location\[0\] does not run in the child .*Auto Run Python"):
        render(tmp_path / "out")


def test_a_driver_with_a_function_that_only_this_blender_has_is_told(tmp_path: Path) -> None:
    board_scene()
    item = cube_before_the_board()
    bpy.app.driver_namespace["of_an_add_on"] = lambda: 0.5
    item.driver_add("location", 0).driver.expression = "of_an_add_on()"
    context.view_layer.update()
    assert abs(item.location.x - 0.5) < 1e-6
    with pytest.raises(RenderError, match=r"'of_an_add_on\(\)' of 'Cube'.location\[0\] does not run in the child"):
        render(tmp_path / "out")


def test_a_driver_that_fails_for_the_user_too_stops_nothing(tmp_path: Path) -> None:
    board_scene()
    cube_before_the_board().driver_add("location", 0).driver.expression = "nobody_knows()"
    context.view_layer.update()
    assert (render(tmp_path)[14:18, 14:18] == 0).all()


def test_a_library_beside_the_file_is_found_by_the_copy(tmp_path: Path) -> None:
    empty_scene(24)
    cube_before_the_board(0.4).name = "prop"
    save(tmp_path / "prop.blend")
    scene = board_scene()
    save(tmp_path / "shot.blend")
    libraries: Any = bpy.data.libraries
    with libraries.load(str(tmp_path / "prop.blend"), link=True, relative=True) as (_, chosen):
        chosen.objects = ["prop"]
    assert bpy.data.libraries[0].filepath == "//prop.blend"
    empty = render(tmp_path / "empty")
    scene.collection.objects.link(chosen.objects[0])
    save(tmp_path / "shot.blend")
    linked = render(tmp_path / "linked")
    assert (empty[14:18, 14:18] > 0).all()
    assert (linked[14:18, 14:18] == 0).all()


def test_a_colour_configuration_without_any_of_blenders_views_renders_equal_passes(tmp_path: Path) -> None:
    board_scene()
    labels = render(tmp_path / "blenders")
    save(tmp_path / "shot.blend")
    (tmp_path / "config.ocio").write_text(OWN_COLOURS)
    code = (
        "import bpy, sys; from pathlib import Path; import blender_addon;"
        "from blender_addon.passes.launcher import PassRequest; from tests.blender.scenes import render_passes;"
        "bpy.ops.wm.open_mainfile(filepath=sys.argv[1]);"
        f"render_passes(bpy.context, PassRequest(Path(sys.argv[2]), (1,), {SIZE}, {SIZE}))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "shot.blend"), str(tmp_path / "own")]
    environment = {**os.environ, "OCIO": str(tmp_path / "config.ocio")}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=200)
    assert (read_exr(tmp_path / "own/0001.exr")["iuv.R"] == labels).all()
    assert len(np.unique(labels)) > 12


def test_a_colour_space_of_the_output_does_not_change_the_labels(tmp_path: Path) -> None:
    scene = board_scene()
    labels = render(tmp_path / "plain")
    image = scene.render.image_settings
    image.color_management = "OVERRIDE"
    image.linear_colorspace_settings.name = "ACES2065-1"
    scene.view_settings.exposure, scene.view_settings.gamma = 2.0, 1.5
    assert (render(tmp_path / "own") == labels).all()


def test_settings_that_are_keyed_do_not_undo_those_of_the_passes(tmp_path: Path) -> None:
    scene = board_scene()
    labels = render(tmp_path / "plain")
    for owner, name, value in ((scene.cycles, "filter_width", 4.0), (scene.cycles, "samples", 8)):
        setattr(owner, name, value)
        assert owner.keyframe_insert(name, frame=1)
    assert (render(tmp_path / "keyed") == labels).all()


@pytest.mark.parametrize("flag", ["is_holdout", "is_shadow_catcher"])
def test_holdouts_and_shadow_catchers_are_opaque(flag: str, tmp_path: Path) -> None:
    board_scene()
    item = cube_before_the_board()
    labels = render(tmp_path / "plain")
    assert (labels[14:18, 14:18] == 0).all()
    setattr(item, flag, True)
    assert (render(tmp_path / "flag") == labels).all()


def test_a_holdout_collection_around_the_body_does_not_matter(tmp_path: Path) -> None:
    board_scene()
    labels = render(tmp_path / "plain")
    context.view_layer.layer_collection.holdout = True
    assert (render(tmp_path / "holdout") == labels).all()
    assert abs(float(read_exr(tmp_path / "holdout/0001.exr")["Depth.Z"][16, 16]) - 4) < 1e-3


@pytest.mark.parametrize("kind", ["MESH", "ARMATURE"])
def test_a_file_in_edit_mode_renders_what_object_mode_shows(kind: str, tmp_path: Path) -> None:
    scene = board_scene()
    one = characters(scene)[0]
    one.armature.location.x = 0.2
    one.armature.pose.bones["pelvis"].location.x = 0.3
    one.armature.animation_data_clear()
    labels = render(tmp_path / "object")
    context.view_layer.objects.active = one.body if kind == "MESH" else one.armature
    bpy.ops.object.mode_set(mode="EDIT")
    assert (render(tmp_path / "edit") == labels).all()
    assert context.mode == f"EDIT_{kind}"


def test_a_fault_of_the_child_is_a_sentence_and_its_traceback_a_log(tmp_path: Path) -> None:
    board_scene()
    characters(context.scene)[0].body["latentman_correctives"] = "not a mesh"
    with pytest.raises(RenderError) as failed:
        render(tmp_path)
    assert failed.value.code == "render.unexpected"
    assert "Traceback" not in str(failed.value)
    assert str(tmp_path / LOG_FILE) in failed.value.hint
    assert "AttributeError" in (tmp_path / LOG_FILE).read_text()


def test_the_copy_of_a_file_without_a_place_has_no_caches(tmp_path: Path) -> None:
    empty_scene()
    assert save_copy(tmp_path) == tmp_path / "copy.blend"
    assert [path.name for path in tmp_path.iterdir()] == ["copy.blend"]
