"""Node groups, shaders and raw images that show values as colours."""
