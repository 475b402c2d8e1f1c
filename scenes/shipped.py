"""The networks that come with innerwalk, as something that can be recorded without a file and without the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..torch_bridge import concepts

DEFAULT = "object"


def facts_of(task: str, folder: Path) -> dict[str, Any]:
    """Fields of a `RecordSpec` for a shipped network looking at its own picture, which is written into `folder`."""
    from ..torch_bridge.server.config import shipped

    return shipped(task) | {"inputs": [str(write_picture(task, folder))]}


def write_picture(task: str, folder: Path) -> Path:
    """The picture that a shipped network looks at first, as a PNG file."""
    from PIL import Image

    path = folder / f"{task} {concepts.DEFAULT_INDEX}.png"
    Image.fromarray(concepts.picture(task=task)).save(path)
    return path
