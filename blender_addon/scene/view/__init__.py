"""Cameras, rendering and the 3D view."""
