"""UVs into a picture of all colours, for a viewport shading that shows textures but no colour attributes.

While the paint's material holds that picture, every painted mesh gets the UVs when it is made.
"""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from ...imaging import colour_cube
from ...properties import PAINT_ATTRIBUTE, PAINT_UVS
from ..materials.compat import node_tree
from ..materials.images import write_image
from ..materials.nodes import NodeBuilder


def add_lookup(material: bpy.types.Material) -> None:
    """Adds the picture to a material as its active texture, which leaves the shading as it is."""
    if uses_lookup(material):
        return
    image = next((image for image in bpy.data.images if PAINT_UVS in image), None)
    if image is None:
        image = bpy.data.images.new("Innerwalk colours", colour_cube.SIDE, colour_cube.SIDE)
        image[PAINT_UVS] = True
        write_image(image, colour_cube.lut_pixels().ravel())
    tree = node_tree(material)
    nodes = NodeBuilder(tree)
    tree.nodes.active = nodes.add("ShaderNodeTexImage", name=PAINT_UVS, interpolation="Closest", image=image)


def uses_lookup(material: bpy.types.Material | None) -> bool:
    """Returns whether meshes with this material need UVs."""
    return material is not None and PAINT_UVS in node_tree(material).nodes


def add_uvs(mesh: Any) -> None:
    """Adds UVs by the colours of a painted mesh, if it has none."""
    if PAINT_UVS in mesh.uv_layers or PAINT_ATTRIBUTE not in mesh.attributes:
        return
    colours, corners = np.zeros(4 * len(mesh.vertices), np.float32), np.zeros(len(mesh.loops), np.int32)
    mesh.attributes[PAINT_ATTRIBUTE].data.foreach_get("color", colours)
    mesh.loops.foreach_get("vertex_index", corners)
    places = colour_cube.lut_uvs(colours.reshape(-1, 4)[:, :3])
    mesh.uv_layers.new(name=PAINT_UVS).uv.foreach_set("vector", places[corners].ravel())


def remove_lookup(materials: list[bpy.types.Material]) -> None:
    """Removes the picture from these materials, and the UVs from every mesh that has one of them."""
    for material in materials:
        node: bpy.types.Node | None = node_tree(material).nodes.get(PAINT_UVS)
        if node is not None:
            node_tree(material).nodes.remove(node)
    for mesh in bpy.data.meshes:
        if PAINT_UVS in mesh.uv_layers and any(material in materials for material in mesh.materials):
            mesh.uv_layers.remove(mesh.uv_layers[PAINT_UVS])
    bpy.data.batch_remove([image for image in bpy.data.images if PAINT_UVS in image])
