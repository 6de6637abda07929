"""The character's texture: an atlas on the body as an ordinary image texture, and taken off again.

The picture is packed into the .blend, so that a file that is moved or sent keeps it. The body's own materials stay in
the file: the slots that its faces use are given the texture's material, and remember theirs. The UV map is made from
the part labels and charts, by the one rule of the atlas.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from .. import compat
from ..shared.body.atlas_layout import ATLAS_COLUMNS, ATLAS_ROWS, atlas_uv
from ..shared.errors import InputError
from ..shared.files.frame_files import is_file, shown_path
from ..shared.files.strict_json import is_text
from .body_mesh import CHART_ATTRIBUTE, PART_ATTRIBUTE

ATLAS_MAP = "LatentMan atlas"  # the UV map
MATERIAL = "LatentMan character"

_MARK = "latentman_texture"  # on the material
_FORMER = "latentman_former_materials"  # on the body: slot number -> the material that was in it, if any
_ADDED = "latentman_added_slot"  # on the body: it had no slot
_ROUGHNESS = 0.7  # cloth and skin rather than lacquer


def put_texture(body: Any, path: Path) -> None:
    """Put the atlas in `path` on a character's body; an earlier one is replaced.

    Raises InputError if the file is no atlas, or the body cannot take it.
    """
    _require_editable(body)
    uv = _atlas_places(body)
    image = _load_atlas(path)
    try:
        _write_map(body, uv)
    except InputError:
        bpy.data.images.remove(image)
        raise
    material = _own_material(body)
    if material is None:
        material = bpy.data.materials.new(MATERIAL)
        material[_MARK] = True
    _show(material, image)
    _take_slots(body, material)


def remove_texture(body: Any) -> None:
    """Give the body its own materials back and take the UV map away. Harmless if there is no texture.

    Raises InputError if the body cannot be changed.
    """
    _require_editable(body)
    material, former = _own_material(body), body.get(_FORMER, {})
    for index, slot in enumerate(body.material_slots):
        if material is not None and slot.material == material:
            slot.material = former.get(str(index))
    if body.get(_ADDED) and len(body.data.materials) == 1 and body.data.materials[0] is None:
        body.data.materials.clear()
    for name in (_FORMER, _ADDED):
        if name in body:
            del body[name]
    layer = body.data.uv_layers.get(ATLAS_MAP)
    if layer is not None:
        body.data.uv_layers.remove(layer)
    if material is not None and not material.users:
        image = _image_of(material)
        bpy.data.materials.remove(material)
        _drop(image)


def has_texture(body: Any) -> bool:
    """Whether the body wears a texture that was put on here."""
    return _own_material(body) is not None


def _require_editable(body: Any) -> None:
    why = ""
    if not body.is_editable or not body.data.is_editable:
        why = "is linked from another file"
    elif body.mode == "EDIT":
        why = "is in Edit Mode"
    if why:
        remedy = "Switch to Object Mode." if body.mode == "EDIT" else "Make it local, or edit it in that file."
        raise InputError("texture.body", f"{body.name!r} {why}, so its texture cannot be changed.", remedy)


def _atlas_places(body: Any) -> NDArray[np.float32]:
    """Where the corners of the body's faces lie in the atlas, (loops, 2); faces without a part at its origin."""
    mesh = body.data
    part, chart = mesh.attributes.get(PART_ATTRIBUTE), mesh.attributes.get(CHART_ATTRIBUTE)
    if part is None or chart is None or (part.domain, chart.domain) != ("FACE", "CORNER"):
        raise InputError(
            "texture.charts", f"The mesh of {body.name!r} has no part labels or charts.", "Import the motion again."
        )
    labels = np.empty(len(mesh.polygons), np.float32)
    part.data.foreach_get("value", labels)
    places = np.empty(len(mesh.loops) * 2, np.float32)
    chart.data.foreach_get("vector", places)
    corners = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("loop_total", corners)
    of_corner = np.repeat(np.rint(labels).astype(np.int64), corners)
    uv = atlas_uv(np.maximum(of_corner, 1), places.reshape(-1, 2))
    return np.where(of_corner[:, None] > 0, uv, 0).astype(np.float32)


def _write_map(body: Any, uv: NDArray[np.float32]) -> None:
    """Write the UV map, without making it the active one where the body has others."""
    layers = body.data.uv_layers
    layer = layers.get(ATLAS_MAP)
    if layer is None:
        active, count = layers.active_index, len(layers)
        layer = layers.new(name=ATLAS_MAP, do_init=False)
        if layer is None:
            raise InputError("texture.uv_maps", f"The mesh of {body.name!r} has no room for a UV map.", "Remove one.")
        if count:
            layers.active_index = active
    layer.uv.foreach_set("vector", uv.ravel())
    body.data.update()


def _load_atlas(path: Path) -> Any:
    """The picture as an image of the file, packed. Raises InputError."""
    if not is_file(path):
        raise InputError("texture.no_file", f"There is no texture {shown_path(path)}.", "Choose another file.")
    if not is_text(str(path)):
        what = f"{shown_path(path)} cannot be opened: Blender only accepts names in UTF-8."
        raise InputError("texture.file", what, "Rename it.")
    image: Any = bpy.data.images.load(str(path))
    width, height = image.size
    problem = "" if width and height else "is not a picture that Blender can read"
    if not problem and width * ATLAS_ROWS != height * ATLAS_COLUMNS:
        problem = f"has {width} x {height} pixels; an atlas is {ATLAS_COLUMNS} to {ATLAS_ROWS}"
    if problem:
        bpy.data.images.remove(image)
        raise InputError("texture.file", f"{shown_path(path)} {problem}.", "Choose an atlas.png beside a take.")
    image.colorspace_settings.name = "sRGB"
    image.alpha_mode = "CHANNEL_PACKED"  # alpha says how a colour is known, and takes nothing from it
    image.pack()
    return image


def _own_material(body: Any) -> Any:
    worn = (slot.material for slot in body.material_slots)
    return next((material for material in worn if material is not None and material.get(_MARK)), None)


def _image_node(material: Any) -> Any:
    tree = compat.node_tree_of(material)
    return next((node for node in tree.nodes if node.type == "TEX_IMAGE"), None)


def _image_of(material: Any) -> Any:
    node = _image_node(material)
    return None if node is None else node.image


def _show(material: Any, image: Any) -> None:
    """Have the material show the image; what the user has made of its other nodes stays."""
    if _image_node(material) is None:
        _build(compat.node_tree_of(material))
    node = _image_node(material)
    before, node.image = node.image, image
    _drop(before)
    image.name = ATLAS_MAP


def _build(tree: Any) -> None:
    tree.nodes.clear()
    uv, texture = tree.nodes.new("ShaderNodeUVMap"), tree.nodes.new("ShaderNodeTexImage")
    surface, output = tree.nodes.new("ShaderNodeBsdfPrincipled"), tree.nodes.new("ShaderNodeOutputMaterial")
    for index, node in enumerate((uv, texture, surface, output)):
        node.location = (300 * index - 600, 0)
    uv.uv_map = ATLAS_MAP
    surface.inputs["Roughness"].default_value = _ROUGHNESS
    tree.links.new(uv.outputs["UV"], texture.inputs["Vector"])
    tree.links.new(texture.outputs["Color"], surface.inputs["Base Color"])
    tree.links.new(surface.outputs["BSDF"], output.inputs["Surface"])
    tree.nodes.active = texture  # the one that the viewport's Solid shading can show


def _drop(image: Any) -> None:
    if image is not None and not image.users:
        bpy.data.images.remove(image)


def _take_slots(body: Any, material: Any) -> None:
    """Put the material into the slots that the faces use, and remember what was there."""
    if not body.material_slots:
        body.data.materials.append(material)
        body.material_slots[0].link = "DATA"
        body[_ADDED] = True
        return
    used = np.empty(len(body.data.polygons), np.int32)
    body.data.polygons.foreach_get("material_index", used)
    former = dict(body.get(_FORMER, {}))
    for index in np.unique(used.clip(0, len(body.material_slots) - 1)).tolist():
        slot = body.material_slots[index]
        if slot.material == material:
            continue
        if slot.material is None:
            former.pop(str(index), None)
        else:
            former[str(index)] = slot.material
        slot.material = material
    body[_FORMER] = former
