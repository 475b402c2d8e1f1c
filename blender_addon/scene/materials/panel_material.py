"""One small material a layer: its images through a shared shader group; and how Cycles renders such a scene fast.

Making a material costs 0.3 ms, copying one 0.02 ms: the first of each kind in a file is the template of the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import bpy

from ...properties import MATERIAL_IS_TEMPLATE, MATERIAL_KIND, VERSION_STAMP
from . import shading
from .compat import node_tree
from .nodes import STAMP, Group, Nodes, ensure

Kind = Literal["scalar", "bars", "colour"]
Content = Literal["Texels", "Peaks"]
"""Names of the nodes that hold a panel's images: the maps, and a texel of peaks for each of their cells."""
CONTENTS: tuple[Content, ...] = ("Texels", "Peaks")
SHOWN = "Picture"
"""Name of the node of the image that a picture's material shows."""
GROUPS: dict[str, Group] = {"scalar": shading.SCALAR, "bars": shading.BARS, "colour": shading.COLOUR}


def panel_material(name: str, kind: Kind) -> bpy.types.Material:
    """A material of that kind, still without its images."""
    material = _template(kind).copy()
    material[MATERIAL_IS_TEMPLATE] = False
    material.name = name
    return material


def turn(material: bpy.types.Material, kind: Kind) -> None:
    """Make a panel's material one of that kind and of this version, in place."""
    if (material.get(VERSION_STAMP), kind_of(material)) == (STAMP, kind):
        return
    held, tree = {content: image_of(material, content) for content in CONTENTS}, node_tree(material)
    tree.nodes.clear()
    _furnish(Nodes(tree), kind)
    for content, image in held.items():
        tree.nodes[content].image = image
    material[VERSION_STAMP], material[MATERIAL_KIND] = STAMP, kind


def kind_of(material: bpy.types.Material) -> str:
    """The kind of a panel's material; "" for any other material."""
    return material.get(MATERIAL_KIND, "")


def set_images(material: bpy.types.Material, held: Mapping[Content, bpy.types.Image], cells: tuple[int, int]) -> None:
    """Gives a panel's material other images; cells: columns and rows of its sheet, needed for bars."""
    nodes = material.node_tree.nodes
    for content, image in held.items():
        if nodes[content].image != image:
            nodes[content].image = image
    if "Cells" in nodes and tuple(nodes["Cells"].inputs[1].default_value) != (*cells, 1):
        nodes["Cells"].inputs[1].default_value = (*cells, 1)


def image_of(material: bpy.types.Material, content: Content = "Texels") -> bpy.types.Image | None:
    """An image of a panel's material; None for any other material, and for peaks in one of an earlier version."""
    node = material.node_tree.nodes.get(content) if kind_of(material) else None
    return node.image if node else None


def emission(name: str) -> tuple[bpy.types.Material, Nodes]:
    """An empty material whose light shall not be sampled as a lamp: that would cost time and change no pixel."""
    material = bpy.data.materials.new(name)
    tree = node_tree(material)
    tree.nodes.clear()
    material.cycles.emission_sampling = "NONE"
    return material, Nodes(tree)


def picture_material(
    name: str, image: bpy.types.Image, interpolation: Literal["Closest", "Linear"]
) -> bpy.types.Material:
    """A material that emits an image through the air; solid views that colour by textures show it too."""
    material, nodes = emission(name)
    texture = nodes.add("ShaderNodeTexImage", extension="EXTEND", name=SHOWN, image=image, interpolation=interpolation)
    air = nodes.add("ShaderNodeGroup", {0: texture.outputs["Color"]}, node_tree=ensure(shading.AIR))
    light = nodes.add("ShaderNodeEmission", {"Color": air.outputs[0]})
    nodes.add("ShaderNodeOutputMaterial", {0: light.outputs[0]})
    nodes.tree.nodes.active = texture
    return material


def _template(kind: Kind) -> bpy.types.Material:
    wanted = STAMP, kind
    for one in bpy.data.materials:
        if one.get(MATERIAL_IS_TEMPLATE) and (one.get(VERSION_STAMP), one.get(MATERIAL_KIND)) == wanted:
            return one
    material, n = emission(f"Innerwalk {kind}")
    material[VERSION_STAMP], material[MATERIAL_KIND] = wanted
    material[MATERIAL_IS_TEMPLATE] = True
    _furnish(n, kind)
    for group in GROUPS.values():  # a material may be turned when nothing may be made
        ensure(group).use_fake_user = True
    return material


def _furnish(n: Nodes, kind: Kind) -> None:
    """The nodes of a kind, into an empty tree."""
    place = n.add("ShaderNodeUVMap", uv_map="UVMap").outputs[0]
    texels, peaks = (_texture(n, place, content) for content in CONTENTS)
    group = n.add("ShaderNodeGroup", node_tree=ensure(GROUPS[kind]))
    for name in ("Color", "Alpha"):
        n.set(group.inputs[name], texels.outputs[name])
    if kind == "scalar":
        for (name, _), (output, _) in zip(shading.PEAKS, shading.SAMPLE, strict=True):
            n.set(group.inputs[name], peaks.outputs[output])
    if kind == "bars":
        n.set(group.inputs["Place"], _inside_tile(n, place))
    n.add("ShaderNodeOutputMaterial", {0: group.outputs[0]})


def _texture(n: Nodes, place: bpy.types.NodeSocket, content: Content) -> bpy.types.Node:
    """An image at the tile's place on the sheet: where that has a cell, the image of peaks has a texel."""
    return n.add("ShaderNodeTexImage", {0: place}, interpolation="Closest", extension="EXTEND", name=content)


def _inside_tile(n: Nodes, place: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """0..1 across and up the tile: a bar's texel fills its tile, so that the place in the sheet tells."""
    cells = n.add("ShaderNodeVectorMath", {0: place}, operation="MULTIPLY", name="Cells")
    return n.vector("FRACTION", cells.outputs[0])
