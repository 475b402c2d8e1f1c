"""Values as pixels: colour maps, atlases, PNG files, plots, statistics. Pure numpy, no bpy."""
