"""Turns values into pixels: colour maps, sheets of texels, PNG files, plots, statistics, exports.

Pure numpy, no bpy.
"""

__all__ = [
    "channel_images",
    "colour_cube",
    "colour_maps",
    "export",
    "filenames",
    "heat_map",
    "panel_image",
    "panel_rays",
    "plots",
    "png",
    "statistics",
    "texture_levels",
    "tile_grids",
]
