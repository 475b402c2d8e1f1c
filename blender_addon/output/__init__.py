"""Writes files: .blend files of halls, and figures as PNG files that carry their provenance."""

__all__: list[str] = []
