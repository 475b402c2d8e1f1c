"""Photographs and generated pictures on a face: one quad, one image, one material."""

from __future__ import annotations

from typing import Literal

import bpy
import numpy as np
from mathutils import Matrix

from ...properties import OBJECT_ROLE, PICTURE_ROLE
from ..materials.panel_material import picture_material
from .meshes import Kit, Plane

LEAST_SIDE = 128
"""Pictures with fewer pixels are shown with hard edges, like tiles."""


def add_picture(
    name: str, pixels: np.ndarray, at: Plane, size: tuple[float, float], role: str, kit: Kit
) -> bpy.types.Object:
    """Show pixels (H, W, 3) uint8 sRGB, top row first, on a rectangle of `size` metres at the plane's origin."""
    width, height = size
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(0, 0, 0), (width, 0, 0), (width, height, 0), (0, height, 0)], [], [(0, 1, 2, 3)])
    corners = np.array([0, 0, 1, 0, 1, 1, 0, 1], np.float32)
    mesh.uv_layers.new(name="UVMap").uv.foreach_set("vector", corners)
    mesh.materials.append(_material(name, pixels, role))
    holder = bpy.data.objects.new(name, mesh)
    holder[OBJECT_ROLE] = role
    holder.matrix_world = Matrix(at.moved(0.0, 0.0, 0.02).matrix().tolist())
    kit.collection.objects.link(holder)
    return holder


def renew_picture(holder: bpy.types.Object, pixels: np.ndarray, size: tuple[float, float]) -> None:
    """Other pixels and another size on a face that stands; nothing where a person has taken its image away."""
    image = image_in(holder)
    if image is None:
        return
    if size != size_of(holder):
        width, height = size
        holder.data.vertices.foreach_set("co", (0, 0, 0, width, 0, 0, width, height, 0, 0, height, 0))
        holder.data.update()
    if tuple(image.size) != pixels.shape[1::-1]:
        image.scale(*pixels.shape[1::-1])
        for node in (one for slot in holder.material_slots for one in slot.material.node_tree.nodes):
            if getattr(node, "image", None) == image:
                node.interpolation = _interpolation(pixels)
    set_pixels(image, pixels)


def size_of(holder: bpy.types.Object) -> tuple[float, float]:
    """Width and height of a picture on a face, in its own metres."""
    corner = holder.data.vertices[2].co
    return corner.x, corner.y


def _interpolation(pixels: np.ndarray) -> Literal["Closest", "Linear"]:
    return "Closest" if min(pixels.shape[:2]) < LEAST_SIDE else "Linear"


def _material(name: str, pixels: np.ndarray, role: str) -> bpy.types.Material:
    image = _image(name, pixels)
    image[PICTURE_ROLE] = role
    return picture_material(name, image, _interpolation(pixels))


def _image(name: str, pixels: np.ndarray) -> bpy.types.Image:
    image = bpy.data.images.new(name, pixels.shape[1], pixels.shape[0])
    set_pixels(image, pixels)
    return image


def image_in(holder: bpy.types.Object) -> bpy.types.Image | None:
    """The image of a picture on a face; None where a person has taken it away."""
    materials = [slot.material for slot in holder.material_slots if slot.material]
    found = (node.image for one in materials for node in one.node_tree.nodes if getattr(node, "image", None))
    return next((image for image in found if PICTURE_ROLE in image), None)


def pixels_of(image: bpy.types.Image) -> np.ndarray:
    """(H, W, 3) uint8 sRGB, top row first."""
    flat = np.zeros(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(flat)
    return np.rint(flat.reshape(image.size[1], image.size[0], 4)[::-1, :, :3] * 255).astype(np.uint8)


def set_pixels(image: bpy.types.Image, pixels: np.ndarray) -> None:
    """New pixels (H, W, 3) uint8 sRGB, top row first, of the image's size."""
    full = np.ones((*pixels.shape[:2], 4), np.float32)
    full[..., :3] = pixels[::-1] / np.float32(255)  # Blender's first row is the bottom one
    image.pixels.foreach_set(full.ravel())
    image.update()


def aspect_size(pixels: np.ndarray, edge: float) -> tuple[float, float]:
    """Width and height in metres of a picture whose longer side is `edge`."""
    height, width = pixels.shape[:2]
    return edge * width / max(width, height), edge * height / max(width, height)
