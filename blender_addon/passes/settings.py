"""Render settings of the passes: one sample through the middle of every pixel, nothing mixed, nothing filtered.

Only ever applied in the child, to the copy of the user's file.
"""

from __future__ import annotations

from typing import Any

import bpy

from .. import compat
from ..rig.body_mesh import PART_ATTRIBUTE
from ..rig.left_out import is_left_out
from .spec import PassSpec

AOV_NAME = "iuv"
_FILTER_WIDTH = 0.01
_SET_HERE = ("render.", "cycles.", "eevee.", "view_layers", "view_settings.", "display_settings.")
# No pass shows objects of these types.
NO_SURFACE = ("LIGHT", "LIGHT_PROBE", "GREASEPENCIL", "GPENCIL", "VOLUME")


def apply_settings(scene: Any, view_layer: Any, spec: PassSpec) -> None:
    """Set the scene up for the passes of `spec`."""
    _mute(scene, _SET_HERE)
    _apply_picture(scene.render, spec)
    scene.world = None
    for layer in scene.view_layers:
        layer.use = layer == view_layer
    _apply_layer(view_layer)
    choose_engine(scene, spec.engine)
    if spec.engine == "cycles":
        _apply_cycles(scene)
    else:
        _apply_eevee(scene)


def choose_engine(scene: Any, engine: str) -> None:
    """Have the scene rendered by one of `spec.ENGINES`."""
    name = "CYCLES" if engine == "cycles" else compat.eevee_engine()
    if scene.render.engine != name:
        scene.render.engine = name


def simplify_objects(scene: Any, view_layer: Any) -> None:
    """Take from the objects what the passes have no use for: lamps, volumes, blur, holdouts, shadow catchers.

    Everything with a surface is opaque then.
    """
    _switch_off(view_layer.layer_collection, "holdout")
    everything: Any = bpy.data.objects
    for item in everything:
        _mute(item, ("is_holdout", "is_shadow_catcher"))
        item.is_holdout = item.is_shadow_catcher = False
        if item.type in NO_SURFACE:
            item.hide_render, item.visible_camera = True, False
        if item.type == "CAMERA":
            _mute(item.data, ("dof.",))
            item.data.dof.use_dof = False
        compat.switch_off_adaptive_subdivision(item)


def remove_left_out() -> None:
    """Take what was left out of the passes out of all collections, and so out of their instances: no key, driver or NLA
    strip can show it then. What depends on it, such as its children, stays where it is.

    An object that lies in a linked collection cannot be taken out of it, and is disabled in renders.
    """
    everything: Any = bpy.data.objects
    for item in everything:
        if not is_left_out(item):
            continue
        for collection in item.users_collection:
            if collection.library is None and collection.override_library is None:
                collection.objects.unlink(item)
        if item.users_collection:
            _mute(item, ("hide_render",))
            item.hide_render = True


def prepare_bodies(bodies: list[Any]) -> None:
    """Have the camera see the characters' bodies, as triangles that are the same in every frame.

    They are cut along a fixed diagonal. What geometry nodes make beside a body's mesh loses the labels.
    """
    tree = _labels_on_meshes_alone()
    for body in bodies:
        _mute(body, ("visible_camera",))
        body.visible_camera = True
        triangulate = body.modifiers.new("LatentMan triangles", "TRIANGULATE")
        triangulate.quad_method = "FIXED"
        body.modifiers.new("LatentMan labels", "NODES").node_group = tree


def _labels_on_meshes_alone() -> Any:
    """Geometry nodes that take the part labels from points, curves and instances, to which they were handed on."""
    tree: Any = bpy.data.node_groups.new("LatentMan labels", "GeometryNodeTree")
    for in_out in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=in_out, socket_type="NodeSocketGeometry")
    source, target = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    apart, join = tree.nodes.new("GeometryNodeSeparateComponents"), tree.nodes.new("GeometryNodeJoinGeometry")
    tree.links.new(source.outputs[0], apart.inputs[0])
    for component in apart.outputs:
        if component.name != "Mesh":
            remove = tree.nodes.new("GeometryNodeRemoveAttribute")
            remove.inputs["Name"].default_value = PART_ATTRIBUTE
            tree.links.new(component, remove.inputs["Geometry"])
            component = remove.outputs[0]
        tree.links.new(component, join.inputs[0])
    tree.links.new(join.outputs[0], target.inputs[0])
    return tree


def keep_evaluated(scene: Any, bodies: list[Any]) -> None:
    """Have Blender evaluate these objects also in frames that do not render them.

    It evaluates what a rendered object depends on. An empty is never drawn, and a constraint without influence does
    nothing.
    """
    keeper = bpy.data.objects.new("LatentMan keeper", None)
    scene.collection.objects.link(keeper)
    for body in bodies:
        constraint: Any = keeper.constraints.new("SHRINKWRAP")
        constraint.target, constraint.influence = body, 0


def _switch_off(layer_collection: Any, flag: str) -> None:
    setattr(layer_collection, flag, False)
    for child in layer_collection.children:
        _switch_off(child, flag)


def _mute(owner: Any, beginnings: tuple[str, ...]) -> None:
    """Silence the keys and drivers of an owner's properties whose paths begin so: they would undo what is set here."""
    if owner.animation_data is None:
        return
    for curve in (*compat.fcurves_of(owner), *owner.animation_data.drivers):
        if curve.data_path.startswith(beginnings):
            curve.mute = True


def _apply_picture(render: Any, spec: PassSpec) -> None:
    render.resolution_x, render.resolution_y, render.resolution_percentage = spec.width, spec.height, 100
    render.pixel_aspect_x = render.pixel_aspect_y = 1
    render.use_border = render.use_multiview = render.use_motion_blur = render.use_freestyle = False
    render.use_compositing = render.use_sequencer = False
    render.use_placeholder, render.use_overwrite, render.use_file_extension = False, True, True
    render.film_transparent = True
    render.dither_intensity = 0
    render.use_persistent_data = True
    render.metadata_input = "SCENE"
    compat.set_multilayer_exr(render.image_settings)
    render.image_settings.color_depth = "32"
    render.image_settings.exr_codec = "NONE"  # read back at once and deleted
    # The numbers as they were rendered: a multilayer EXR has no view transform, but may have a colour space of its own.
    render.image_settings.color_management = "FOLLOW_SCENE"


def _apply_layer(view_layer: Any) -> None:
    for flag in [name for name in dir(view_layer) if name.startswith("use_pass_")]:
        setattr(view_layer, flag, flag in ("use_pass_z", "use_pass_combined"))
    view_layer.samples = 0  # no samples of its own
    view_layer.use_solid = True
    while view_layer.aovs:
        view_layer.aovs.remove(view_layer.aovs[0])
    aov = view_layer.aovs.add()
    aov.name, aov.type = AOV_NAME, "COLOR"


def _apply_cycles(scene: Any) -> None:
    cycles = scene.cycles
    cycles.device = "CPU"
    cycles.samples = 1
    cycles.use_adaptive_sampling = cycles.use_denoising = cycles.use_preview_denoising = False
    cycles.pixel_filter_type, cycles.filter_width = "BOX", _FILTER_WIDTH
    cycles.max_bounces = 0
    cycles.use_camera_cull = cycles.use_distance_cull = False  # of Simplify, whose levels stay the user's
    cycles.seed, cycles.use_animated_seed = 0, False
    cycles.sample_offset = 0
    if hasattr(cycles, "shading_system"):  # to 4.x: open shading language instead of the built-in nodes
        cycles.shading_system = False
    cycles.time_limit = 0


def _apply_eevee(scene: Any) -> None:
    scene.eevee.taa_render_samples = 1
    scene.render.filter_size = 0
    for flag in ("use_raytracing", "use_shadows", "use_volumetric_shadows", "use_overscan"):
        if hasattr(scene.eevee, flag):
            setattr(scene.eevee, flag, False)
