"""The networks that come with innerwalk, ready to be recorded offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..torch_bridge import concepts

DEFAULT = "object"


def spec_fields(task: str, folder: Path) -> dict[str, Any]:
    """Returns RecordSpec fields for a shipped network and its default picture, which is written into `folder`."""
    from ..torch_bridge.server.config import shipped_network

    return shipped_network(task) | {"inputs": [str(write_picture(task, folder))]}


def write_picture(task: str, folder: Path) -> Path:
    """Writes the default input picture of a shipped network as a PNG file and returns its path."""
    from PIL import Image

    path = folder / f"{task} {concepts.DEFAULT_INDEX}.png"
    Image.fromarray(concepts.picture(task=task)).save(path)
    return path
