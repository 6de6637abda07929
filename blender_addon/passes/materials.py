"""One material over everything: it writes part and chart coordinates of whatever it is on.

The characters' bodies carry both as mesh attributes. All other objects have no such attributes and read zero, which is
the background's label: they hide what is behind them and are never taken for the character.
"""

from __future__ import annotations

from typing import Any

import bpy

from ..rig.body_mesh import CHART_ATTRIBUTE, PART_ATTRIBUTE
from .settings import AOV_NAME


def override_materials(view_layer: Any, bodies: list[Any]) -> None:
    """Put the passes' material over every object of the view layer.

    The bodies wear it themselves as well: to an override, EEVEE of 4.2 to 4.5 gives none of the mesh's attributes.
    """
    material = _pass_material()
    view_layer.material_override = material
    for body in bodies:
        if not body.data.is_editable:  # linked from another file
            body.data = body.data.copy()
        body.data.materials.clear()
        body.data.materials.append(material)
        body.material_slots[0].link = "DATA"


def _pass_material() -> Any:
    material = bpy.data.materials.new("LatentMan passes")
    if not material.node_tree:
        material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    part = _attribute(tree, PART_ATTRIBUTE).outputs["Fac"]
    chart = tree.nodes.new("ShaderNodeSeparateXYZ")
    tree.links.new(_attribute(tree, CHART_ATTRIBUTE).outputs["Vector"], chart.inputs[0])
    iuv = tree.nodes.new("ShaderNodeCombineXYZ")
    tree.links.new(part, iuv.inputs[0])
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


def _attribute(tree: Any, name: str) -> Any:
    node = tree.nodes.new("ShaderNodeAttribute")
    node.attribute_type, node.attribute_name = "GEOMETRY", name
    return node
