"""One material over everything: it writes part and chart coordinates of whatever it is on.

The characters' bodies carry both as mesh attributes, and so may copies of them: instances, duplicates, what geometry
nodes make of them. The label counts on the characters themselves alone, by a property that says so: an instance reads
it from the object that makes it. Everything else gets zero, the background's label, and hides what is behind it.
"""

from __future__ import annotations

from typing import Any

import bpy

from .. import compat
from ..rig.body_mesh import CHART_ATTRIBUTE, PART_ATTRIBUTE
from .settings import AOV_NAME

_CHARACTER = "latentman_character"  # on objects of the copy: 1 on the characters' bodies, 0 on all others


def override_materials(view_layer: Any, bodies: list[Any]) -> None:
    """Put the passes' material over every object of the view layer.

    The bodies wear it themselves as well: to an override, EEVEE of 4.2 to 4.5 gives none of the mesh's attributes.
    """
    material = _pass_material()
    view_layer.material_override = material
    for item in bpy.data.objects:
        item[_CHARACTER] = float(item in bodies)
    for body in bodies:
        if not body.data.is_editable:  # linked from another file
            body.data = body.data.copy()
        body.data.materials.clear()
        body.data.materials.append(material)
        body.material_slots[0].link = "DATA"


def _pass_material() -> Any:
    material = bpy.data.materials.new("LatentMan passes")
    tree = compat.node_tree_of(material)
    tree.nodes.clear()
    label = tree.nodes.new("ShaderNodeMath")
    label.operation = "MULTIPLY"
    tree.links.new(_attribute(tree, PART_ATTRIBUTE).outputs["Fac"], label.inputs[0])
    tree.links.new(_attribute(tree, _CHARACTER, "INSTANCER").outputs["Fac"], label.inputs[1])
    chart = tree.nodes.new("ShaderNodeSeparateXYZ")
    tree.links.new(_attribute(tree, CHART_ATTRIBUTE).outputs["Vector"], chart.inputs[0])
    iuv = tree.nodes.new("ShaderNodeCombineXYZ")
    tree.links.new(label.outputs[0], iuv.inputs[0])
    tree.links.new(chart.outputs[0], iuv.inputs[1])
    tree.links.new(chart.outputs[1], iuv.inputs[2])
    output = tree.nodes.new("ShaderNodeOutputAOV")
    output.aov_name = AOV_NAME
    tree.links.new(iuv.outputs[0], output.inputs["Color"])
    # An opaque surface that does not shine: Cycles would make a lamp of every triangle that does, and look through a
    # surface without a shader, adding up the values behind it.
    surface = tree.nodes.new("ShaderNodeBsdfDiffuse")
    tree.links.new(surface.outputs[0], tree.nodes.new("ShaderNodeOutputMaterial").inputs["Surface"])
    return material


def _attribute(tree: Any, name: str, kind: str = "GEOMETRY") -> Any:
    node = tree.nodes.new("ShaderNodeAttribute")
    node.attribute_type, node.attribute_name = kind, name
    return node
