"""Painted things in a view that colours by textures alone: UVs into a picture of all colours, in place of their paint.

The paint's material says whether they are needed: then everything that is painted gets them, whenever that is.
"""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from ...imaging import colour_lut
from ...properties import PAINT_ATTRIBUTE, PAINT_UVS
from ..materials.compat import node_tree
from ..materials.images import write
from ..materials.nodes import Nodes


def dip(material: bpy.types.Material) -> None:
    """Give the paint's material the picture, beside all that shades it."""
    if is_dipped(material):
        return
    image = next((one for one in bpy.data.images if PAINT_UVS in one), None)
    if image is None:
        image = bpy.data.images.new("Innerwalk colours", colour_lut.SIDE, colour_lut.SIDE)
        image[PAINT_UVS] = True
        write(image, colour_lut.pixels().ravel())
    tree = node_tree(material)
    tree.nodes.active = Nodes(tree).add("ShaderNodeTexImage", name=PAINT_UVS, interpolation="Closest", image=image)


def is_dipped(material: bpy.types.Material | None) -> bool:
    """Whether what has this material needs UVs."""
    return material is not None and PAINT_UVS in node_tree(material).nodes


def dye(mesh: Any) -> None:
    """UVs by the colours of a painted mesh; nothing where it has them."""
    if PAINT_UVS in mesh.uv_layers or PAINT_ATTRIBUTE not in mesh.attributes:
        return
    colours, corners = np.zeros(4 * len(mesh.vertices), np.float32), np.zeros(len(mesh.loops), np.int32)
    mesh.attributes[PAINT_ATTRIBUTE].data.foreach_get("color", colours)
    mesh.loops.foreach_get("vertex_index", corners)
    places = colour_lut.places(colours.reshape(-1, 4)[:, :3])
    mesh.uv_layers.new(name=PAINT_UVS).uv.foreach_set("vector", places[corners].ravel())


def wash(materials: list[bpy.types.Material]) -> None:
    """Take it all away again, from these materials and from every mesh that has one of them."""
    for material in materials:
        node: bpy.types.Node | None = node_tree(material).nodes.get(PAINT_UVS)
        if node is not None:
            node_tree(material).nodes.remove(node)
    for mesh in bpy.data.meshes:
        if PAINT_UVS in mesh.uv_layers and any(one in materials for one in mesh.materials):
            mesh.uv_layers.remove(mesh.uv_layers[PAINT_UVS])
    bpy.data.batch_remove([one for one in bpy.data.images if PAINT_UVS in one])
