"""Builds, changes, stores and picks in a hall."""
