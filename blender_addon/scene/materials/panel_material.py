"""Materials of panels and pictures: images shown through the shared shader groups.

Creating a material takes 0.3 ms, copying one 0.02 ms. So the first of each kind in a file is a template for the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import bpy

from ...properties import MATERIAL_IS_TEMPLATE, MATERIAL_KIND, VERSION_STAMP
from . import panel_shader
from .compat import node_tree
from .nodes import STAMP, NodeBuilder, NodeGroup, Socket, ensure_group, spread_nodes

Kind = Literal["scalar", "bars", "colour"]
Content = Literal["Texels", "Peaks"]
"""Names of the nodes that hold a panel's images: its maps, and one texel of peaks for each cell of maps."""
CONTENTS: tuple[Content, ...] = ("Texels", "Peaks")
PICTURE_NODE = "Picture"
"""Name of the image node in a picture's material."""
GROUPS: dict[str, NodeGroup] = {"scalar": panel_shader.SCALAR, "bars": panel_shader.BARS, "colour": panel_shader.COLOUR}


def create_panel_material(name: str, kind: Kind) -> bpy.types.Material:
    """Returns a new material of a kind, without images."""
    material = _template(kind).copy()
    material[MATERIAL_IS_TEMPLATE] = False
    material.name = name
    return material


def convert_material(material: bpy.types.Material, kind: Kind) -> None:
    """Converts a panel's material to a kind and to this version, in place."""
    if (material.get(VERSION_STAMP), material_kind(material)) == (STAMP, kind):
        return
    old_images, tree = {content: material_image(material, content) for content in CONTENTS}, node_tree(material)
    tree.nodes.clear()
    _build_nodes(NodeBuilder(tree), kind)
    for content, image in old_images.items():
        tree.nodes[content].image = image
    material[VERSION_STAMP], material[MATERIAL_KIND] = STAMP, kind


def material_kind(material: bpy.types.Material) -> str:
    """Returns the kind of a panel's material; "" for any other material."""
    return material.get(MATERIAL_KIND, "")


def set_material_images(
    material: bpy.types.Material, images: Mapping[Content, bpy.types.Image], cells: tuple[int, int]
) -> None:
    """Sets the images of a panel's material. cells: columns and rows of the sheet, which bars need."""
    nodes = material.node_tree.nodes
    for content, image in images.items():
        if nodes[content].image != image:
            nodes[content].image = image
    if "Cells" in nodes and tuple(nodes["Cells"].inputs[1].default_value) != (*cells, 1):
        nodes["Cells"].inputs[1].default_value = (*cells, 1)


def material_image(material: bpy.types.Material, content: Content = "Texels") -> bpy.types.Image | None:
    """Returns an image of a panel's material; None for other materials, and for peaks of an earlier version."""
    node = material.node_tree.nodes.get(content) if material_kind(material) else None
    return node.image if node else None


def create_emission_material(name: str) -> tuple[bpy.types.Material, NodeBuilder]:
    """Returns a new, empty material that isn't sampled as a lamp, which would take time and change no pixel."""
    material = bpy.data.materials.new(name)
    tree = node_tree(material)
    tree.nodes.clear()
    material.cycles.emission_sampling = "NONE"
    return material, NodeBuilder(tree)


def create_picture_material(
    name: str, image: bpy.types.Image, interpolation: Literal["Closest", "Linear"]
) -> bpy.types.Material:
    """Returns a new material that emits an image through the fog; solid views with texture colours show it too."""
    material, n = create_emission_material(name)
    texture = n.add(
        "ShaderNodeTexImage", extension="EXTEND", name=PICTURE_NODE, image=image, interpolation=interpolation
    )
    fog = n.add("ShaderNodeGroup", {0: texture.outputs["Color"]}, node_tree=ensure_group(panel_shader.FOG))
    light = n.add("ShaderNodeEmission", {"Color": fog.outputs[0]})
    n.add("ShaderNodeOutputMaterial", {0: light.outputs[0]})
    spread_nodes(n.tree)
    n.tree.nodes.active = texture
    return material


def _template(kind: Kind) -> bpy.types.Material:
    wanted = STAMP, kind
    for material in bpy.data.materials:
        stamp_and_kind = material.get(VERSION_STAMP), material.get(MATERIAL_KIND)
        if material.get(MATERIAL_IS_TEMPLATE) and stamp_and_kind == wanted:
            return material
    template, n = create_emission_material(f"Innerwalk {kind}")
    template[VERSION_STAMP], template[MATERIAL_KIND] = wanted
    template[MATERIAL_IS_TEMPLATE] = True
    _build_nodes(n, kind)
    for group in GROUPS.values():  # `convert_material` may need any of them when no data-block may be created
        ensure_group(group).use_fake_user = True
    return template


def _build_nodes(n: NodeBuilder, kind: Kind) -> None:
    """Adds the nodes of a kind to an empty tree."""
    uv = n.socket(n.add("ShaderNodeUVMap", uv_map="UVMap").outputs[0])
    texels, peaks = (_add_image(n, uv, content) for content in CONTENTS)
    group = n.add("ShaderNodeGroup", node_tree=ensure_group(GROUPS[kind]))
    for name in ("Color", "Alpha"):
        n.set_input(group.inputs[name], texels.outputs[name])
    if kind == "scalar":
        for (name, _), (output, _) in zip(panel_shader.PEAKS, panel_shader.SAMPLE, strict=True):
            n.set_input(group.inputs[name], peaks.outputs[output])
    if kind == "bars":
        n.set_input(group.inputs["Place"], _place_in_tile(n, uv))
    n.add("ShaderNodeOutputMaterial", {0: group.outputs[0]})
    spread_nodes(n.tree)


def _add_image(n: NodeBuilder, uv: Socket, content: Content) -> bpy.types.Node:
    """Adds an image node. Both images have the same UVs: each cell of maps has one texel in the image of peaks."""
    return n.add("ShaderNodeTexImage", {0: uv}, interpolation="Closest", extension="EXTEND", name=content)


def _place_in_tile(n: NodeBuilder, uv: Socket) -> Socket:
    """Returns the place in a bar's tile, 0..1 across and up: each tile shows one texel, which is one cell."""
    cells = n.add("ShaderNodeVectorMath", {0: uv}, operation="MULTIPLY", name="Cells")
    return n.vector_math("FRACTION", cells.outputs[0])
