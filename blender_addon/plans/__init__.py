"""Plans of a hall's parts: coloured faces, texts and pictures in metres and linear RGB, which any painter can draw.

Pure numpy, no bpy.
"""
