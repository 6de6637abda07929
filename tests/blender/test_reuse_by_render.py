"""What can change a picture renders it again: the key is made of what the render sees, not what the viewport shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from blender_addon.passes.launcher import PassRender, PassRequest
from blender_addon.rig.character import characters, import_motion
from tests.blender.scenes import (
    add_camera,
    context,
    empty_scene,
    plane_body,
    read_exr,
    render_passes,
    still_motion,
    wait,
)

FRAMES = (1, 2)
SIZE = 48


def scene_with_body(frames: int = 2) -> Any:
    """A square of 2 m that stands upright 4 m before the camera, which sees 2.9 m of it."""
    scene = empty_scene(24)
    import_motion(scene, still_motion(frames), plane_body(), name="board")
    add_camera(scene, (0, -4, 0), (np.pi / 2, 0, 0))
    return scene


def render(folder: Path) -> list[bool]:
    return [one.reused for one in render_passes(bpy.context, PassRequest(folder, FRAMES, SIZE, SIZE))]


def kept(folder: Path) -> list[bool]:
    """What Count Changes and a dry run ask."""
    run = PassRender.start(bpy.context, PassRequest(folder, FRAMES, SIZE, SIZE), compare_only=True)
    found = []
    while not run.done:
        found += wait(run)
    run.close()
    return [one.reused for one in found]


def pixels(folder: Path, frame: int = 1) -> int:
    return int((read_exr(folder / f"{frame:04d}.exr")["iuv.R"] > 0).sum())


def cube(name: str, size: float = 0.2) -> Any:
    bpy.ops.mesh.primitive_cube_add(size=size, location=(0, -1, 0))
    context.object.name = name
    return context.object


def in_collection(name: str, item: Any) -> Any:
    collection = bpy.data.collections.new(name)
    context.scene.collection.children.link(collection)
    context.scene.collection.objects.unlink(item)
    collection.objects.link(item)
    return context.view_layer.layer_collection.children[name]


def nodes(item: Any, modifier: Any) -> Any:
    """Geometry nodes that show a cube of 0.3 m in renders only; returns the cube's size."""
    tree: Any = bpy.data.node_groups.new("switch", "GeometryNodeTree")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    switch, box = tree.nodes.new("GeometryNodeSwitch"), tree.nodes.new("GeometryNodeMeshCube")
    tree.links.new(tree.nodes.new("GeometryNodeIsViewport").outputs[0], switch.inputs["Switch"])
    tree.links.new(box.outputs["Mesh"], switch.inputs["False"])
    tree.links.new(switch.outputs[0], tree.nodes.new("NodeGroupOutput").inputs[0])
    modifier.node_group = tree
    return box.inputs["Size"]


def by_array() -> Callable[[], None]:
    modifier = cube("array").modifiers.new("Array", "ARRAY")
    modifier.show_viewport = False
    return lambda: setattr(modifier, "count", 3)


def by_levels() -> Callable[[], None]:
    modifier = cube("levels", 1.0).modifiers.new("Subdivision", "SUBSURF")
    modifier.levels, modifier.render_levels = 0, 0
    return lambda: setattr(modifier, "render_levels", 2)


def by_simplify() -> Callable[[], None]:
    modifier = cube("simplified", 1.0).modifiers.new("Subdivision", "SUBSURF")
    modifier.levels = modifier.render_levels = 2
    render = context.scene.render
    render.simplify_subdivision_render = 0
    return lambda: setattr(render, "use_simplify", True)


def by_nodes() -> Callable[[], None]:
    item = cube("nodes")
    size = nodes(item, item.modifiers.new("Nodes", "NODES"))
    return lambda: setattr(size, "default_value", (0.3, 0.3, 0.3))


def by_curve() -> Callable[[], None]:
    bpy.ops.curve.primitive_bezier_circle_add(radius=0.8, location=(0, -1, 0), rotation=(np.pi / 2, 0, 0))
    curve = context.object.data
    curve.bevel_depth, curve.resolution_u, curve.render_resolution_u = 0.1, 12, 12
    return lambda: setattr(curve, "render_resolution_u", 1)


def by_disabled_collection() -> Callable[[], None]:
    collection = in_collection("disabled", cube("in a disabled one")).collection
    return lambda: setattr(collection, "hide_render", True)


def by_excluded_collection() -> Callable[[], None]:
    entry = in_collection("excluded", cube("in an excluded one"))
    return lambda: setattr(entry, "exclude", True)


def by_indirect_collection() -> Callable[[], None]:
    entry = in_collection("indirect", cube("in an indirect one"))
    return lambda: setattr(entry, "indirect_only", True)


def by_ray_visibility() -> Callable[[], None]:
    item = cube("camera rays")
    return lambda: setattr(item, "visible_camera", False)


def by_particles() -> Callable[[], None]:
    emitter, seed = cube("emitter", 1.0), cube("seed", 0.1)
    seed.location.z = -5
    settings = emitter.modifiers.new("Particles", "PARTICLE_SYSTEM").particle_system.settings
    settings.type, settings.count, settings.render_type = "HAIR", 4, "OBJECT"
    settings.instance_object, settings.particle_size, settings.display_percentage = seed, 0.5, 0
    return lambda: setattr(settings, "particle_size", 0.9)


def by_strands() -> Callable[[], None]:
    settings = cube("hairy").modifiers.new("Hair", "PARTICLE_SYSTEM").particle_system.settings
    settings.type, settings.render_type, settings.count = "HAIR", "PATH", 50
    settings.root_radius = settings.tip_radius = 5
    settings.child_type, settings.rendered_child_count, settings.child_percent = "SIMPLE", 1, 0
    return lambda: setattr(settings, "rendered_child_count", 9)


def by_strands_of_the_body() -> Callable[[], None]:
    body = characters(context.scene)[0].body
    settings = body.modifiers.new("Hair", "PARTICLE_SYSTEM").particle_system.settings
    settings.type, settings.render_type, settings.count, settings.root_radius = "HAIR", "PATH", 50, 5
    return lambda: setattr(settings, "count", 200)


def by_points_on_the_body() -> Callable[[], None]:
    tree: Any = bpy.data.node_groups.new("points", "GeometryNodeTree")
    for in_out in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=in_out, socket_type="NodeSocketGeometry")
    body, points = tree.nodes.new("NodeGroupInput"), tree.nodes.new("GeometryNodeMeshToPoints")
    join = tree.nodes.new("GeometryNodeJoinGeometry")
    points.inputs["Radius"].default_value = 0.01
    for start, end in ((body, points), (body, join), (points, join), (join, tree.nodes.new("NodeGroupOutput"))):
        tree.links.new(start.outputs[0], end.inputs[0])
    characters(context.scene)[0].body.modifiers.new("Nodes", "NODES").node_group = tree
    return lambda: setattr(points.inputs["Radius"], "default_value", 0.03)


def by_thick_strands() -> Callable[[], None]:
    settings = cube("hairy").modifiers.new("Hair", "PARTICLE_SYSTEM").particle_system.settings
    settings.type, settings.render_type, settings.count = "HAIR", "PATH", 50
    return lambda: setattr(settings, "root_radius", 20)


def by_hair_curves() -> Callable[[], None]:
    curves: Any = bpy.data.hair_curves.new("hair")
    curves.add_curves([2])
    curves.points.foreach_set("position", np.array([[0, -1, 0], [0, -1, 0.5]], np.float32).ravel())
    curves.attributes.new("radius", "FLOAT", "POINT").data.foreach_set("value", np.full(2, 0.2, np.float32))
    context.scene.collection.objects.link(bpy.data.objects.new("hair", curves))

    def change() -> None:
        curves.points[1].position = (0.9, -1, 0)
        curves.update_tag()

    return change


def by_points() -> Callable[[], None]:
    tree: Any = bpy.data.node_groups.new("points", "GeometryNodeTree")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    points = tree.nodes.new("GeometryNodePoints")
    points.inputs["Radius"].default_value = 0.1
    tree.links.new(points.outputs[0], tree.nodes.new("NodeGroupOutput").inputs[0])
    cube("points").modifiers.new("Nodes", "NODES").node_group = tree
    return lambda: setattr(points.inputs["Radius"], "default_value", 0.3)


def by_keyed_prop() -> Callable[[], None]:
    item = cube("keyed")
    for frame, hidden in ((1, True), (2, False)):
        item.hide_render = hidden
        item.keyframe_insert("hide_render", frame=frame)
    return lambda: setattr(item.location, "x", 0.5)


def by_driver() -> Callable[[], None]:
    item = cube("driven")
    item["off"] = 0.0
    driver = item.driver_add("hide_render").driver
    variable = driver.variables.new()
    variable.targets[0].id, variable.targets[0].data_path = item, '["off"]'
    driver.expression = "var"

    def change() -> None:
        item["off"] = 1.0
        item.update_tag()

    return change


# What is changed, and in which of the two frames the picture may be another one then.
CHANGES = {
    by_array: (False, False),
    by_levels: (False, False),
    by_simplify: (False, False),
    by_nodes: (False, False),
    by_curve: (False, False),
    by_disabled_collection: (False, False),
    by_excluded_collection: (False, False),
    by_indirect_collection: (False, False),
    by_ray_visibility: (False, False),
    by_particles: (False, False),
    by_strands: (False, False),
    by_strands_of_the_body: (False, False),
    by_points_on_the_body: (False, False),
    by_thick_strands: (False, False),
    by_hair_curves: (False, False),
    by_points: (False, False),
    by_keyed_prop: (True, False),
    by_driver: (False, False),
}


@pytest.mark.parametrize("make", CHANGES, ids=lambda make: make.__name__)
def test_a_change_that_only_renders_see_is_found(make: Any, tmp_path: Path) -> None:
    scene = scene_with_body()
    scene.frame_set(1)
    change = make()
    render(tmp_path)
    before = [pixels(tmp_path, frame) for frame in FRAMES]
    assert kept(tmp_path) == [True, True]
    change()
    assert tuple(render(tmp_path)) == CHANGES[make]
    after = [pixels(tmp_path, frame) for frame in FRAMES]
    assert [one == other for one, other in zip(before, after, strict=True)] == list(CHANGES[make])


def test_counting_asks_for_the_same_keys(tmp_path: Path) -> None:
    scene_with_body()
    change = by_array()
    render(tmp_path)
    assert kept(tmp_path) == [True, True]
    change()
    assert kept(tmp_path) == [False, False]
    render(tmp_path)
    assert kept(tmp_path) == [True, True]


def test_what_only_the_viewport_shows_is_no_change(tmp_path: Path) -> None:
    scene_with_body()
    item = cube("prop")
    modifier = item.modifiers.new("Array", "ARRAY")
    modifier.show_render, modifier.count = False, 1
    entry = in_collection("eye", item)
    render(tmp_path)
    modifier.count, entry.hide_viewport, item.hide_viewport = 5, True, True
    item.hide_set(True)
    assert kept(tmp_path) == [True, True]


def test_what_has_no_surface_is_no_change(tmp_path: Path) -> None:
    scene = scene_with_body()
    cloud = bpy.data.objects.new("cloud", bpy.data.volumes.new("cloud"))
    scene.collection.objects.link(cloud)
    cloud.keyframe_insert("hide_render", frame=1)
    render(tmp_path)
    cloud.location.x = 1
    assert kept(tmp_path) == [True, True]


def test_the_bodys_vertices_are_those_that_are_rendered(tmp_path: Path) -> None:
    scene = scene_with_body()
    body = characters(scene)[0].body
    modifier = body.modifiers.new("Simple", "SUBSURF")
    modifier.subdivision_type, modifier.levels, modifier.render_levels = "SIMPLE", 0, 1
    shrink = body.modifiers.new("Shrink", "CAST")
    shrink.cast_type, shrink.factor, shrink.show_viewport = "SPHERE", 1.0, False
    render(tmp_path)
    vertices = np.load(tmp_path / "vertices.npy")
    assert vertices.shape[1] == 49 * 49  # 24 cells across, each cut in two
    radius = np.linalg.norm(vertices[0], axis=-1)
    assert np.ptp(radius[radius > 1e-3]) < 1e-4  # cast to a sphere; the middle has no direction
    scene.render.use_simplify, scene.render.simplify_subdivision_render = True, 0
    render(tmp_path)
    assert np.load(tmp_path / "vertices.npy").shape[1] == 25 * 25
