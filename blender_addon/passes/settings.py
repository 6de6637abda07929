"""Render settings of the passes: one sample through the middle of every pixel, nothing mixed, nothing filtered.

Only ever applied in the child, to the copy of the user's file.
"""

from __future__ import annotations

from typing import Any

from .. import compat
from .spec import PassSpec

AOV_NAME = "iuv"
_FILTER_WIDTH = 0.01
_NO_SURFACE = ("LIGHT", "LIGHT_PROBE", "GREASEPENCIL", "GPENCIL", "VOLUME")


def apply_settings(scene: Any, view_layer: Any, spec: PassSpec) -> None:
    """Set the scene up for the passes of `spec`."""
    _apply_picture(scene.render, spec)
    _apply_colour(scene)
    for layer in scene.view_layers:
        layer.use = layer == view_layer
    _apply_layer(view_layer)
    if spec.engine == "cycles":
        _apply_cycles(scene)
    else:
        _apply_eevee(scene)


def show_what_renders(scene: Any, view_layer: Any, bodies: list[Any]) -> None:
    """Make the evaluated bodies those that the renderer sees, whatever the viewport was set to.

    Triangles are cut along a fixed diagonal, so that a quad's triangles are the same in every frame.
    """
    scene.render.use_simplify = False
    for collection in view_layer.layer_collection.children:
        _show_collection(collection)
    for item in scene.objects:
        if item.type in _NO_SURFACE:
            item.hide_render = True
        if item.type == "CAMERA":
            item.data.dof.use_dof = False
        item.hide_viewport = item.hide_render
        if item.name in view_layer.objects:
            item.hide_set(False, view_layer=view_layer)
    for body in bodies:
        body.visible_camera, body.is_holdout = True, False
        for modifier in body.modifiers:
            modifier.show_viewport = modifier.show_render
            if modifier.type in ("SUBSURF", "MULTIRES"):
                modifier.levels = modifier.render_levels
        triangulate = body.modifiers.new("LatentMan triangles", "TRIANGULATE")
        triangulate.quad_method = "FIXED"


def _show_collection(layer_collection: Any) -> None:
    layer_collection.hide_viewport = False
    layer_collection.collection.hide_viewport = layer_collection.collection.hide_render
    for child in layer_collection.children:
        _show_collection(child)


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


def _apply_colour(scene: Any) -> None:
    scene.view_settings.view_transform = "Raw"
    scene.view_settings.use_curve_mapping = False
    scene.view_settings.exposure, scene.view_settings.gamma = 0, 1
    scene.world = None


def _apply_layer(view_layer: Any) -> None:
    for flag in [name for name in dir(view_layer) if name.startswith("use_pass_")]:
        setattr(view_layer, flag, flag in ("use_pass_z", "use_pass_combined"))
    view_layer.samples = 0  # no samples of its own
    while view_layer.aovs:
        view_layer.aovs.remove(view_layer.aovs[0])
    aov = view_layer.aovs.add()
    aov.name, aov.type = AOV_NAME, "COLOR"


def _apply_cycles(scene: Any) -> None:
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.device = "CPU"
    cycles.samples = 1
    cycles.use_adaptive_sampling = cycles.use_denoising = cycles.use_preview_denoising = False
    cycles.pixel_filter_type, cycles.filter_width = "BOX", _FILTER_WIDTH
    cycles.max_bounces = 0
    cycles.seed, cycles.use_animated_seed = 0, False
    cycles.sample_offset = 0
    if hasattr(cycles, "shading_system"):  # to 4.x: open shading language instead of the built-in nodes
        cycles.shading_system = False
    cycles.time_limit = 0


def _apply_eevee(scene: Any) -> None:
    scene.render.engine = compat.eevee_engine()
    scene.eevee.taa_render_samples = 1
    scene.render.filter_size = 0
    for flag in ("use_raytracing", "use_shadows", "use_volumetric_shadows", "use_overscan"):
        if hasattr(scene.eevee, flag):
            setattr(scene.eevee, flag, False)
