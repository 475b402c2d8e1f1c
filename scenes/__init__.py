"""Recipes for a recorded network: a scene, a figure; and the command line."""
