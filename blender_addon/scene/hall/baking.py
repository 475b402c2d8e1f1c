"""Bakes the panels of a hall for headsets and solid views, where shaders would be too slow.

Each panel gets a baked copy: plain quads with a byte texture of its colours. Painted objects get UVs into a lookup
image of their colours. Renders still show the panels themselves. All baked data is found by custom properties, so it
can be removed whatever undo, a crash or another file has left of it. Baking creates and removes data-blocks: callers
outside of operators must push an undo step (`state.push_undo`).
"""

from __future__ import annotations

import zlib
from collections.abc import Generator, Iterator
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ...imaging import panel_image
from ...imaging.channel_images import Colouring
from ...imaging.texture_levels import TextureExtent, are_in_view, choose_levels, nearest_point
from ...properties import (
    BAKED_GRID,
    BAKED_LEVEL,
    BAKED_ROLE,
    DRAWN_CONTENT,
    LARGEST_PEAK,
    OBJECT_ROLE,
    PAINT_MATERIAL_STAMP,
    PAINT_UVS,
    PANEL_FILL_COUNT,
    PEAK_WEIGHTS,
)
from .. import panels
from ..materials import colour_settings, images, panel_material
from ..materials.object_colours import update_object_colours
from ..paint import colour_cube_uvs
from ..paint.meshes import fill, paint_material
from ..panels import values
from ..state.parts import find_child
from . import store
from .build import remove_objects
from .ray_hits import map_shape


def bake(scene: bpy.types.Scene, viewer: Matrix, budget: int) -> Generator[bool, None, bool]:
    """Bakes a hall in steps: measures a panel a step, then bakes a panel a step, those in view first, near before far.

    Yields whether the step has changed anything: panels that are already baked as needed are skipped. Returns whether
    every panel has the finest level, so that another viewer position would change nothing. viewer: eye-to-world matrix,
    looking along -z. budget: bytes that all textures together may take.
    """
    return _bake_in_steps(scene.name, [*panels.panels(scene)], np.array(viewer), budget)


def _bake_in_steps(scene_name: str, layers: list[str], viewer: np.ndarray, budget: int) -> Generator[bool, None, bool]:
    """Finds scene and panels anew in each step, because they may have been deleted since the last one."""
    measured, extents, points = [], [], []
    for layer in layers:
        if (panel := _find_bakeable(scene_name, layer)) is not None:
            measured.append(layer)
            extents.append(texture_extent(panel))
            points.append(nearest_point(np.array(panels.world_matrix(panel)), panels.size_of(panel), viewer[:3, 3]))
        yield False
    positions = np.array(points).reshape(-1, 3)
    distances = np.linalg.norm(positions - viewer[:3, 3], axis=1)
    levels = choose_levels(extents, distances, budget)
    yield False
    if scene_name in bpy.data.scenes:
        _add_colour_uvs(bpy.data.scenes[scene_name])
        yield True
    for k in np.lexsort([distances, ~are_in_view(positions, viewer)]):
        if (panel := _find_bakeable(scene_name, measured[k])) is not None:
            yield _bake_panel(bpy.data.scenes[scene_name], panel, int(levels[k]))
    return all(extent.min_level == level for extent, level in zip(extents, levels, strict=True))


def unbake(scene: bpy.types.Scene) -> None:
    """Removes all baked data of a hall; does nothing if there is none."""
    for panel in [panel for panel in _all_panels(scene) if BAKED_LEVEL in panel]:
        del panel[BAKED_LEVEL]
        if (tiles := panels.tiles_modifier(panel)) is not None:
            tiles.show_viewport = True
    remove_objects(list(_baked_copies(scene)))
    if not any(BAKED_LEVEL in holder for holder in bpy.data.objects):
        colour_cube_uvs.remove_lookup(_paint_materials())


def is_baked(scene: bpy.types.Scene) -> bool:
    """Returns whether a hall has any baked data."""
    has_baked_panel = any(BAKED_LEVEL in panel for panel in _all_panels(scene))
    return has_baked_panel or any(_baked_copies(scene)) or any(map(_has_colour_uvs, scene.objects))


def texture_extent(panel: bpy.types.Object) -> TextureExtent:
    """Returns the size of a panel's texture in tiles and pixels."""
    grid = panels.grid_of(panel)
    return TextureExtent(grid.columns, grid.rows, *panel_image.tile_shape(_kind(panel), map_shape(panel)))


def texture_bytes(scene: bpy.types.Scene) -> int:
    """Returns the bytes of all textures of baked panels."""
    baked = (panel for panel in panels.panels(scene).values() if BAKED_LEVEL in panel)
    return sum(texture_extent(panel).bytes(panel[BAKED_LEVEL]) for panel in baked)


def source_image_bytes(scene: bpy.types.Scene) -> int:
    """Returns the bytes of the float32 images that the panels' shaders read."""
    image_or_none = (
        panels.image_of(panel, content)
        for panel in panels.panels(scene).values()
        for content in panel_material.CONTENTS
    )
    sizes = {image.name: 16 * image.size[0] * image.size[1] for image in image_or_none if image is not None}
    return sum(sizes.values())


def _all_panels(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """Returns the panels of a hall, those of collapsed blocks included."""
    return list((store.collapsed_panels(scene) | panels.panels(scene)).values())


def _find_bakeable(scene_name: str, layer: str) -> bpy.types.Object | None:
    """Returns a layer's panel if it has an image and visible tiles, else None."""
    scene: bpy.types.Scene | None = bpy.data.scenes.get(scene_name)
    panel = panels.find_panel(scene, layer) if scene else None
    if panel is None or values.sheet_of(panel) is None:
        return None
    tiles = panels.tiles_modifier(panel)
    return panel if tiles is not None and (tiles.show_viewport or BAKED_LEVEL in panel) else None


def _bake_panel(scene: bpy.types.Scene, panel: bpy.types.Object, level: int) -> bool:
    """Bakes a panel at a level of detail; returns whether anything had to be changed."""
    baked = find_child(panel, BAKED_ROLE) or _add_baked_copy(scene, panel, texture_extent(panel).size(level))
    grid_key = f"{panels.grid_of(panel)} {zlib.crc32(panels.channel_places(panel).tobytes())}"
    peak = scene[LARGEST_PEAK] if scene[PEAK_WEIGHTS][2] else 0.0
    content_key = f"{level} {panel.get(PANEL_FILL_COUNT)} {peak} {colour_settings.read_scene_colours(scene)}"
    if (baked.get(BAKED_GRID), baked.get(DRAWN_CONTENT)) == (grid_key, content_key):
        return False
    if baked.get(BAKED_GRID) != grid_key:
        _build_quads(baked.data, panel)
    _draw_texture(scene, panel, baked.data.materials[0].node_tree.nodes[panel_material.PICTURE_NODE].image, level)
    baked[BAKED_GRID], baked[DRAWN_CONTENT], panel[BAKED_LEVEL] = grid_key, content_key, level
    panels.tiles_modifier(panel).show_viewport = False
    return True


def _add_baked_copy(scene: bpy.types.Scene, panel: bpy.types.Object, size: tuple[int, int]) -> bpy.types.Object:
    """Adds an empty baked copy to a panel. size: width and height of its texture in pixels."""
    name = f"{panel.name} baked"
    image, mesh = bpy.data.images.new(name, *size), bpy.data.meshes.new(name)
    mesh.materials.append(panel_material.create_picture_material(name, image, "Closest"))
    baked = bpy.data.objects.new(name, mesh)
    baked[OBJECT_ROLE], baked.parent, baked.hide_viewport = BAKED_ROLE, panel, panel.hide_viewport
    baked.hide_render = baked.hide_select = True
    for collection in panel.users_collection:
        collection.objects.link(baked)
    update_object_colours(scene, [baked])
    return baked


def _baked_copies(scene: bpy.types.Scene) -> Iterator[bpy.types.Object]:
    """Yields baked copies in the scene, of collapsed panels, and those that undo has left in no scene."""
    own = set(_all_panels(scene))
    for baked in [holder for holder in bpy.data.objects if holder.get(OBJECT_ROLE) == BAKED_ROLE]:
        if baked.parent in own or scene in baked.users_scene or not baked.users_scene:
            yield baked


def _build_quads(mesh: Any, panel: bpy.types.Object) -> None:
    """Builds a quad for each channel that is shown, with the places and the order of the panel's tiles."""
    grid, shown = panels.grid_of(panel), panels.channel_places(panel)
    shown = shown[shown >= 0][:, None]
    u, v = np.array([0, 1, 1, 0]), np.array([1, 1, 0, 0])  # counter-clockwise from the lower left; v points down
    points = np.zeros((4 * len(shown), 3), np.float32)
    points[:, :2] = grid.inside(shown, u, v).reshape(-1, 2)
    row, column = np.divmod(shown, grid.columns)
    uvs = np.stack([(column + u) / grid.columns, (grid.rows - row - v) / grid.rows], -1)
    mesh.clear_geometry()
    fill(mesh, points, {4: np.arange(len(points)).reshape(-1, 4)})
    mesh.uv_layers.new(name="UVMap").uv.foreach_set("vector", uvs.astype(np.float32).ravel())


def _draw_texture(scene: bpy.types.Scene, panel: bpy.types.Object, image: bpy.types.Image, level: int) -> None:
    grid, colours = panels.grid_of(panel), colour_settings.read_scene_colours(scene)
    texels, scales = values.texels_of(panel), values.scales_of(scene, panel)
    shown = panels.channel_places(panel)[panels.held_channels(panel)]
    content = panel_image.PanelContent(_kind(panel), texels, scales, shown, grid.columns, grid.rows)
    pixels = panel_image.draw_panel(content, Colouring(colours["theme"], colours["colour_map"], colours["gain"]), level)
    height, width = pixels.shape[:2]
    if tuple(image.size) != (width, height):
        image.scale(width, height)
    images.write_image(image, pixels.ravel())


def _kind(panel: bpy.types.Object) -> str:
    return panel_material.material_kind(panel.data.materials[0])


def _paint_materials() -> list[bpy.types.Material]:
    return [material for material in bpy.data.materials if PAINT_MATERIAL_STAMP in material]


def _add_colour_uvs(scene: bpy.types.Scene) -> None:
    """Adds the colour lookup to paint materials, and UVs into it to the scene's painted objects."""
    for material in _paint_materials() or [paint_material()]:
        colour_cube_uvs.add_lookup(material)
    for holder in scene.objects:
        if holder.type == "MESH" and any(map(colour_cube_uvs.uses_lookup, holder.data.materials)):
            colour_cube_uvs.add_uvs(holder.data)


def _has_colour_uvs(holder: bpy.types.Object) -> bool:
    return holder.type == "MESH" and PAINT_UVS in holder.data.uv_layers
