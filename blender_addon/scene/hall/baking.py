"""A hall for a headset: every panel has a stand-in of plain quads with a texture of bytes, which no shader has to
colour, and what is painted finds its colours in a picture. Renders show the panels themselves.

All of it is found by properties, and nothing is remembered elsewhere, so that it can be taken away after whatever undo,
a crash or another file have left of it. Data-blocks come and go: where a person goes on from here, `session.undoable`.
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
from ..materials import images, panel_material, scene_colours
from ..paint import colour_uvs
from ..paint.meshes import fill, paint_material
from ..panels import values
from ..state.parts import find_child
from . import store
from .build import remove_objects
from .pick import map_shape


def bake(scene: bpy.types.Scene, viewer: Matrix, budget: int) -> Generator[bool, None, bool]:
    """Planned a panel a step, then done a panel a step: what a viewer sees first, near before far. Says of each step
    whether it has changed anything; again, only what is to be other is. In the end whether all are as fine as can be,
    wherever the viewer is.

    viewer: their eye to world, looking along -z; budget: bytes of texture that all panels take at most.
    """
    return _pieces(scene.name, [*panels.panels(scene)], np.array(viewer), budget)


def _pieces(name: str, layers: list[str], eye: np.ndarray, budget: int) -> Generator[bool, None, bool]:
    """Between two steps anything may have been taken away."""
    there, extents, points = [], [], []
    for layer in layers:
        if (panel := _found(name, layer)) is not None:
            there.append(layer)
            extents.append(texture_extent(panel))
            points.append(nearest_point(np.array(panels.world_matrix(panel)), panels.size_of(panel), eye[:3, 3]))
        yield False
    places = np.array(points).reshape(-1, 3)
    distances = np.linalg.norm(places - eye[:3, 3], axis=1)
    wanted = choose_levels(extents, distances, budget)
    yield False
    if name in bpy.data.scenes:
        _dye(bpy.data.scenes[name])
        yield True
    for k in np.lexsort([distances, ~are_in_view(places, eye)]):
        if (panel := _found(name, there[k])) is not None:
            yield _bake(bpy.data.scenes[name], panel, int(wanted[k]))
    return all(extent.min_level == level for extent, level in zip(extents, wanted, strict=True))


def _found(name: str, layer: str) -> bpy.types.Object | None:
    """A panel that can be baked."""
    scene: bpy.types.Scene | None = bpy.data.scenes.get(name)
    panel = panels.find_panel(scene, layer) if scene else None
    return panel if panel is not None and _can_be(panel) else None


def unbake(scene: bpy.types.Scene) -> None:
    """As it was before. It may be asked of any hall, at any time."""
    every = (store.collapsed_panels(scene) | panels.panels(scene)).values()
    for panel in [one for one in every if BAKED_LEVEL in one]:
        del panel[BAKED_LEVEL]
        if (tiles := panels.tiles_modifier(panel)) is not None:
            tiles.show_viewport = True
    remove_objects(list(_stand_ins(scene)))
    if not any(BAKED_LEVEL in one for one in bpy.data.objects):
        colour_uvs.remove_lookup(_paints())


def is_baked(scene: bpy.types.Scene) -> bool:
    """Whether there is anything to take away."""
    every = (store.collapsed_panels(scene) | panels.panels(scene)).values()
    return any(BAKED_LEVEL in one for one in every) or any(_stand_ins(scene)) or any(map(_is_dyed, scene.objects))


def texture_extent(panel: bpy.types.Object) -> TextureExtent:
    """How large the texture of a panel is."""
    grid = panels.grid_of(panel)
    return TextureExtent(grid.columns, grid.rows, *panel_image.tile_shape(_kind(panel), map_shape(panel)))


def texture_bytes(scene: bpy.types.Scene) -> int:
    """Bytes of the textures that baked panels show."""
    there = (one for one in panels.panels(scene).values() if BAKED_LEVEL in one)
    return sum(texture_extent(one).bytes(one[BAKED_LEVEL]) for one in there)


def source_image_bytes(scene: bpy.types.Scene) -> int:
    """Bytes of the float32 images that the panels' shader reads."""
    held = (
        panels.image_of(one, content) for one in panels.panels(scene).values() for content in panel_material.CONTENTS
    )
    sizes = {image.name: 16 * image.size[0] * image.size[1] for image in held if image is not None}
    return sum(sizes.values())


def _can_be(panel: bpy.types.Object) -> bool:
    """Not where a person has taken its image or its tiles away, or shows no tiles."""
    tiles = panels.tiles_modifier(panel)
    return values.sheet_of(panel) is not None and tiles is not None and (tiles.show_viewport or BAKED_LEVEL in panel)


def _bake(scene: bpy.types.Scene, panel: bpy.types.Object, level: int) -> bool:
    """Whether there was anything to do."""
    stand = find_child(panel, BAKED_ROLE) or _stand_in(panel, texture_extent(panel).size(level))
    cut = f"{panels.grid_of(panel)} {zlib.crc32(panels.channel_places(panel).tobytes())}"
    peak = scene[LARGEST_PEAK] if scene[PEAK_WEIGHTS][2] else 0.0
    showing = f"{level} {panel.get(PANEL_FILL_COUNT)} {peak} {scene_colours.read_scene_colours(scene)}"
    if (stand.get(BAKED_GRID), stand.get(DRAWN_CONTENT)) == (cut, showing):
        return False
    if stand.get(BAKED_GRID) != cut:
        _cut(stand.data, panel)
    _colour(scene, panel, stand.data.materials[0].node_tree.nodes[panel_material.PICTURE_NODE].image, level)
    stand[BAKED_GRID], stand[DRAWN_CONTENT], panel[BAKED_LEVEL] = cut, showing, level
    panels.tiles_modifier(panel).show_viewport = False
    return True


def _stand_in(panel: bpy.types.Object, size: tuple[int, int]) -> bpy.types.Object:
    name = f"{panel.name} baked"
    image, mesh = bpy.data.images.new(name, *size), bpy.data.meshes.new(name)
    mesh.materials.append(panel_material.create_picture_material(name, image, "Closest"))
    stand = bpy.data.objects.new(name, mesh)
    stand[OBJECT_ROLE], stand.parent, stand.hide_viewport = BAKED_ROLE, panel, panel.hide_viewport
    stand.hide_render = stand.hide_select = True
    for held in panel.users_collection:
        held.objects.link(stand)
    return stand


def _stand_ins(scene: bpy.types.Scene) -> Iterator[bpy.types.Object]:
    """Those of the scene, of its panels that wait elsewhere, and what undo has left of others."""
    own = set((store.collapsed_panels(scene) | panels.panels(scene)).values())
    for one in bpy.data.objects:
        if one.get(OBJECT_ROLE) == BAKED_ROLE and (
            one.parent in own or scene in one.users_scene or not one.users_scene
        ):
            yield one


def _cut(mesh: Any, panel: bpy.types.Object) -> None:
    """A quad for each channel that is shown, where and in which order the panel has its tiles."""
    grid, shown = panels.grid_of(panel), panels.channel_places(panel)
    shown = shown[shown >= 0][:, None]
    u, v = np.array([0, 1, 1, 0]), np.array([1, 1, 0, 0])  # against the clock from the lower left; v is down
    points = np.zeros((4 * len(shown), 3), np.float32)
    points[:, :2] = grid.inside(shown, u, v).reshape(-1, 2)
    row, column = np.divmod(shown, grid.columns)
    places_on = np.stack([(column + u) / grid.columns, (grid.rows - row - v) / grid.rows], -1)
    mesh.clear_geometry()
    fill(mesh, points, {4: np.arange(len(points)).reshape(-1, 4)})
    mesh.uv_layers.new(name="UVMap").uv.foreach_set("vector", places_on.astype(np.float32).ravel())


def _colour(scene: bpy.types.Scene, panel: bpy.types.Object, image: bpy.types.Image, level: int) -> None:
    grid, told = panels.grid_of(panel), scene_colours.read_scene_colours(scene)
    texels, scales = values.texels_of(panel), values.scales_of(scene, panel)
    shown = panels.channel_places(panel)[: len(scales)]
    content = panel_image.PanelContent(_kind(panel), texels, scales, shown, grid.columns, grid.rows)
    pixels = panel_image.draw_panel(content, Colouring(told["theme"], told["ramp"], told["gain"]), level)
    height, width = pixels.shape[:2]
    if tuple(image.size) != (width, height):
        image.scale(width, height)
    images.write_image(image, pixels.ravel())


def _kind(panel: bpy.types.Object) -> str:
    return panel_material.material_kind(panel.data.materials[0])


def _paints() -> list[bpy.types.Material]:
    return [one for one in bpy.data.materials if PAINT_MATERIAL_STAMP in one]


def _dye(scene: bpy.types.Scene) -> None:
    """UVs for all that is painted in the scene."""
    for material in _paints() or [paint_material()]:
        colour_uvs.add_lookup(material)
    for one in scene.objects:
        if one.type == "MESH" and any(map(colour_uvs.uses_lookup, one.data.materials)):
            colour_uvs.add_uvs(one.data)


def _is_dyed(holder: bpy.types.Object) -> bool:
    return holder.type == "MESH" and PAINT_UVS in holder.data.uv_layers
