"""Flat meshes, text and pictures of a hall."""
