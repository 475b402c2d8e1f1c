"""Helpers that tests share: networks, graphs, bridges in the test process, and reference files."""

from pathlib import Path

SUPPORT = Path(__file__).resolve().parent
"""Where modules of a user's own are found, and the reference files lie."""
ROOT = SUPPORT.parent.parent
"""The folder of the repository."""
OBJECT_RECORDING = SUPPORT / "object_recording"
"""A recording of the shipped network `object` with its default picture: 23 panels, of 6 to 72 channels."""
