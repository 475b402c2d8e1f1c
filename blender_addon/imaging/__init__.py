"""Turns values into pixels: colour maps, sheets of texels, PNG files, plots, statistics, exports.

Pure numpy, no bpy.
"""

__all__ = [
    "atlas",
    "channel_images",
    "colour",
    "colour_lut",
    "export",
    "filenames",
    "heat_map",
    "panel_image",
    "picking",
    "plots",
    "png",
    "statistics",
    "texture_levels",
]
