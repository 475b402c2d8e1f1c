"""Turns values into pixels: colour maps, sheets of texels, PNG files, plots, statistics, exports.

Pure numpy, no bpy.
"""

__all__ = [
    "channel_images",
    "colour_maps",
    "export",
    "filenames",
    "heat_map",
    "panel_rays",
    "plots",
    "png",
    "statistics",
    "tile_grids",
]
