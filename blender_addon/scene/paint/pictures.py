"""Photographs and generated pictures in a hall: each has one quad, one image and one material."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import bpy
import numpy as np
from mathutils import Matrix

from ...plans.primitives import PICTURE_LIFT, Picture, Plan
from ...properties import BOARD_NUMBER, IMAGE_OWNER_ROLE, MOSAIC, OBJECT_ROLE
from ..materials.panel_material import create_picture_material

LEAST_SIDE = 128
"""Pictures with fewer pixels are shown with hard edges, like tiles."""


def add_pictures(plan: Plan, holder: bpy.types.Object, collection: bpy.types.Collection) -> None:
    """Adds a plan's pictures as children of its object; input pictures are not parented, so they can be moved alone."""
    for picture in plan.pictures:
        if picture.role == "input":
            add_picture(replace(picture, plane=plan.placement), collection)
        else:
            add_picture(picture, collection).parent = holder


def add_picture(picture: Picture, collection: bpy.types.Collection) -> bpy.types.Object:
    """Adds a quad with an image and a material of its own."""
    width, height = picture.size
    mesh = bpy.data.meshes.new(picture.name)
    mesh.from_pydata([(0, 0, 0), (width, 0, 0), (width, height, 0), (0, height, 0)], [], [(0, 1, 2, 3)])
    corners = np.array([0, 0, 1, 0, 1, 1, 0, 1], np.float32)
    mesh.uv_layers.new(name="UVMap").uv.foreach_set("vector", corners)
    mesh.materials.append(_material(picture))
    holder = bpy.data.objects.new(picture.name, mesh)
    holder[OBJECT_ROLE] = picture.role
    if picture.number:
        holder[BOARD_NUMBER] = picture.number
    holder.matrix_world = Matrix(picture.plane.moved(0.0, 0.0, PICTURE_LIFT).matrix().tolist())
    collection.objects.link(holder)
    return holder


def update_picture(
    holder: bpy.types.Object, pixels: np.ndarray, size: tuple[float, float], mosaic: tuple[int, int] = (1, 1)
) -> None:
    """Shows other pixels (H, W, 3) uint8 sRGB at another size in metres, unless a person has taken the image away.

    mosaic: number of pictures and of columns, for a mosaic.
    """
    image = picture_image(holder)
    if image is None:
        return
    if MOSAIC in image or mosaic != (1, 1):
        image[MOSAIC] = mosaic
    if size != picture_size(holder):
        width, height = size
        holder.data.vertices.foreach_set("co", (0, 0, 0, width, 0, 0, width, height, 0, 0, height, 0))
        holder.data.update()
    if tuple(image.size) != pixels.shape[1::-1]:
        image.scale(*pixels.shape[1::-1])
        for node in (node for slot in holder.material_slots for node in slot.material.node_tree.nodes):
            if getattr(node, "image", None) == image:
                node.interpolation = _interpolation(pixels)
    write_pixels(image, pixels)


def picture_size(holder: bpy.types.Object) -> tuple[float, float]:
    """Returns width and height of a picture in metres, before the scale of its object."""
    corner = holder.data.vertices[2].co
    return corner.x, corner.y


def _interpolation(pixels: np.ndarray) -> Literal["Closest", "Linear"]:
    return "Closest" if min(pixels.shape[:2]) < LEAST_SIDE else "Linear"


def _material(picture: Picture) -> bpy.types.Material:
    pixels = picture.pixels
    image = bpy.data.images.new(picture.name, pixels.shape[1], pixels.shape[0])
    write_pixels(image, pixels)
    image[IMAGE_OWNER_ROLE] = picture.role
    if picture.mosaic != (1, 1):
        image[MOSAIC] = picture.mosaic
    return create_picture_material(picture.name, image, _interpolation(pixels))


def picture_image(holder: bpy.types.Object) -> bpy.types.Image | None:
    """Returns the image of a picture; None if a person has taken it away."""
    trees = [slot.material.node_tree for slot in holder.material_slots if slot.material]
    images = (node.image for tree in trees for node in tree.nodes if getattr(node, "image", None))
    return next((image for image in images if IMAGE_OWNER_ROLE in image), None)


def read_pixels(image: bpy.types.Image) -> np.ndarray:
    """Returns (H, W, 3) uint8 sRGB, top row first."""
    flat = np.zeros(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(flat)
    return np.rint(flat.reshape(image.size[1], image.size[0], 4)[::-1, :, :3] * 255).astype(np.uint8)


def write_pixels(image: bpy.types.Image, pixels: np.ndarray) -> None:
    """Writes pixels (H, W, 3) uint8 sRGB, top row first, of the image's size."""
    full = np.ones((*pixels.shape[:2], 4), np.float32)
    full[..., :3] = pixels[::-1] / np.float32(255)  # Blender's first row is the bottom one
    image.pixels.foreach_set(full.ravel())
    image.update()
