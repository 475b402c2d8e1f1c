"""Comparison of two checkouts through the command line, its files and the bridge's protocol; run with `python -m`."""

__all__: list[str] = []
