"""Dissects a generator for the command line, and writes what it finds."""

__all__: list[str] = []
